package dev.holdfast.limits;

import java.time.Duration;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * How long to wait before try number n. Stateless: the caller counts its failures, chance is an
 * argument. Immutable.
 */
public sealed interface Backoff {

  /**
   * The wait before the next try.
   *
   * @param failures how many tries have failed in a row, at least 1
   */
  Duration delay(int failures, RandomGenerator random);

  /**
   * Uniform in [0, min(cap, first x 2^(failures-1))]: spreads a crowd that failed at one moment
   * evenly over the window ("full jitter", AWS Architecture Blog, "Exponential Backoff And Jitter",
   * 2015).
   */
  static Backoff fullJitter(Duration first, Duration cap) {
    return new FullJitter(first, cap);
  }

  /**
   * A table of waits, the last of which repeats, each moved by up to {@code jitter} of itself in
   * either direction.
   *
   * @param jitter in [0, 1)
   */
  static Backoff steps(double jitter, Duration... waits) {
    return new Steps(jitter, List.of(waits));
  }

  /** See {@link #fullJitter}. */
  record FullJitter(Duration first, Duration cap) implements Backoff {

    /** Refuses waits that would spin. */
    public FullJitter {
      Check.that(first.isPositive(), "first", first, "> 0");
      Check.that(cap.compareTo(first) >= 0, "cap", cap, ">= " + first);
    }

    @Override
    public Duration delay(int failures, RandomGenerator random) {
      Check.that(failures >= 1, "failures", failures, ">= 1");
      int doublings = Math.min(failures - 1, 30); // 2^30 x 1 ns is already past any sane cap's step
      long windowNanos = Math.min(cap.toNanos(), saturatedShift(first.toNanos(), doublings));
      return Duration.ofNanos(random.nextLong(windowNanos + 1));
    }

    private static long saturatedShift(long value, int bits) {
      return value > (Long.MAX_VALUE >> bits) ? Long.MAX_VALUE - 1 : value << bits;
    }
  }

  /** See {@link #steps}. */
  record Steps(double jitter, List<Duration> waits) implements Backoff {

    /** Refuses an empty table and a jitter that could make a wait negative. */
    public Steps {
      Check.that(jitter >= 0 && jitter < 1, "jitter", jitter, "in [0, 1)");
      Check.that(!waits.isEmpty(), "waits", waits, "at least one");
      waits = List.copyOf(waits);
    }

    @Override
    public Duration delay(int failures, RandomGenerator random) {
      Check.that(failures >= 1, "failures", failures, ">= 1");
      long nanos = waits.get(Math.min(failures, waits.size()) - 1).toNanos();
      double factor = 1 + jitter * (2 * random.nextDouble() - 1);
      return Duration.ofNanos(Math.round(nanos * factor));
    }
  }
}
