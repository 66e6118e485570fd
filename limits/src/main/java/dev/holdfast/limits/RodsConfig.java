package dev.holdfast.limits;

import java.time.Duration;

/**
 * How long control rods last. Immutable.
 *
 * @param ttl how long a rod acts when nobody says
 * @param ttlMax longest that may be said; for ever has to be asked for by that word
 * @param drilledWithin how old the last drill of a rod may be
 */
public record RodsConfig(Duration ttl, Duration ttlMax, Duration drilledWithin) {

  /** Refuses rods that end before they begin. */
  public RodsConfig {
    Check.that(ttl.isPositive(), "rods.ttl", ttl, "> 0");
    Check.that(ttlMax.compareTo(ttl) >= 0, "rods.ttl-max", ttlMax, "at least rods.ttl " + ttl);
    Check.that(drilledWithin.isPositive(), "drilledWithin", drilledWithin, "> 0");
  }

  /** One hour, at most a day, drilled every 90 days. */
  public static RodsConfig defaults() {
    return new RodsConfig(Duration.ofHours(1), Duration.ofHours(24), Duration.ofDays(90));
  }
}
