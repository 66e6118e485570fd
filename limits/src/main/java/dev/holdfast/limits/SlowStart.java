package dev.holdfast.limits;

import java.time.Duration;

/**
 * How much of a newcomer's share it gets while it warms up: {@code max(10 %, age / window)}, as
 * Envoy's slow start with aggression 1. Immutable.
 *
 * @param window after that much time it gets everything
 * @param least what it gets at once, in (0, 1]
 */
public record SlowStart(Duration window, double least) {

  /** Refuses a start at nothing, which would never warm anything. */
  public SlowStart {
    Check.that(!window.isNegative(), "window", window, ">= 0");
    Check.that(least > 0 && least <= 1, "least", least, "in (0, 1]");
  }

  /** Ten per cent at once, everything after {@code window}. */
  public static SlowStart over(Duration window) {
    return new SlowStart(window, 0.10);
  }

  /** The weight of what has lived for that many nanoseconds, in [least, 1]. */
  public double weight(long ageNanos) {
    if (ageNanos >= window.toNanos()) {
      return 1;
    }
    return Math.max(least, (double) Math.max(0, ageNanos) / window.toNanos());
  }

  /** A cap that grows with the age from 1 to {@code full}. */
  public int cap(long ageNanos, int full) {
    if (ageNanos >= window.toNanos()) {
      return full;
    }
    return (int) Math.max(1, (double) full * Math.max(0, ageNanos) / window.toNanos());
  }
}
