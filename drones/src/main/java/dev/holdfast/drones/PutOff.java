package dev.holdfast.drones;

import java.util.HashSet;
import java.util.Set;

/**
 * The starts that a {@link Brake} puts off: they are planned in every round anew, and started when
 * it lets them. Confined to the conductor, but for {@link #has}.
 */
final class PutOff {
  static final String WHY = "waits: provisioning is off (see `holdfast rods list`)";

  private final Brake brake;
  private Set<String> now = new HashSet<>();
  private volatile Set<String> last = Set.of();

  PutOff(Brake brake) {
    this.brake = brake;
  }

  /** Whether the start is put off; what crashed ran before, and starts again. */
  boolean puts(Action.Place place, String process, Fleet fleet) {
    var crash = fleet.crashes().get(Crash.key(place.app(), place.type() + "." + place.index()));
    boolean ran = crash != null && crash.release() == place.release();
    if (ran || !brake.startsNothing(place.app(), !last.contains(process))) {
      return false;
    }
    now.add(process);
    return true;
  }

  /** Whether nothing of that app is started now that did not run before. */
  boolean startsNothing(App app) {
    return brake.startsNothing(app.name(), false);
  }

  /** Whether everything is to stay as it is. */
  boolean all() {
    return brake.standsStill();
  }

  /** A round is over. */
  void turn() {
    last = Set.copyOf(now);
    now = new HashSet<>();
  }

  /** Whether that process, such as {@code hello/web.2}, was put off in the last round. */
  boolean has(String process) {
    return last.contains(process);
  }
}
