package dev.holdfast.server;

import dev.holdfast.limits.KnownRod;
import dev.holdfast.limits.RodView;
import dev.holdfast.limits.Time;
import dev.holdfast.server.RodShapes.RodHint;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Keeps calls of the API from what a control rod denies. Thread-safe. */
final class RodGuard {
  /** Nobody shall wait longer before he asks again: a rod may be lifted any time. */
  private static final long RETRY_SECONDS_MAX = 3_600;

  private final Supplier<RodView> rods;
  private final Time time;

  RodGuard(Supplier<RodView> rods, Time time) {
    this.rods = rods;
    this.time = time;
  }

  /**
   * Passes when no rod is in the way.
   *
   * @param app the app that the call is about, or null
   * @throws Problem.Thrown naming the rod, its reason and its end
   */
  void check(Operation.Effect effect, @Nullable String app) {
    if (effect == Operation.Effect.READS || effect == Operation.Effect.CONTROLS) {
      return;
    }
    check(KnownRod.API_READ_ONLY, app, 0);
    switch (effect) {
      case READS, CONTROLS, WRITES -> {}
      case RELEASES -> check(KnownRod.DENY_DEPLOYS, app, KnownRod.WHOLE - 1);
      case ROLLS_BACK -> check(KnownRod.DENY_DEPLOYS, app, 0);
      // What is stopped to be replaced would not be replaced.
      case RESTARTS -> check(KnownRod.PROVISIONING_OFF, app, 0);
    }
  }

  /** Refuses when the rod leaves at most that share. */
  private void check(KnownRod known, @Nullable String app, int most) {
    long now = time.now().toEpochMilli();
    var view = rods.get();
    var found = app == null ? view.find(known, now) : view.find(known, app, null, now);
    if (found == null || found.level() > most) {
      return;
    }
    found.felt();
    var rod = found.rod();
    var until = rod.expiresAt();
    var problem =
        Problem.of(
            503,
            "Held by a control rod",
            "control rod %s (%s) is in since %s: %s; set by %s, %s"
                .formatted(
                    rod.name(),
                    rod.scope(),
                    rod.setAt(),
                    rod.reason(),
                    rod.from().equals(rod.source().word())
                        ? rod.actor() + " (" + rod.from() + ")"
                        : rod.from(),
                    until == null ? "until it is lifted" : "until " + until));
    throw new Problem.Thrown(
        problem.because(RodHint.of(rod)),
        Duration.ofSeconds(found.secondsLeft(now, RETRY_SECONDS_MAX)));
  }
}
