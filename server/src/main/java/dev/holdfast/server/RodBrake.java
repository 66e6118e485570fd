package dev.holdfast.server;

import dev.holdfast.drones.Brake;
import dev.holdfast.limits.KnownRod;
import dev.holdfast.limits.RodView;
import dev.holdfast.limits.Time;
import java.util.function.Supplier;

/** What control rods say to the drones. Thread-safe. */
final class RodBrake implements Brake {
  private final Supplier<RodView> rods;
  private final Time time;

  RodBrake(Supplier<RodView> rods, Time time) {
    this.rods = rods;
    this.time = time;
  }

  @Override
  public boolean startsNothing(String app, boolean first) {
    var rod = rods.get().find(KnownRod.PROVISIONING_OFF, app, null, time.now().toEpochMilli());
    if (rod != null && first) {
      rod.felt();
    }
    return rod != null;
  }

  @Override
  public boolean standsStill() {
    return rods.get().find(KnownRod.FREEZE_STREAM, time.now().toEpochMilli()) != null;
  }
}
