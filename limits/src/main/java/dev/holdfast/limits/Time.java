package dev.holdfast.limits;

import java.time.Duration;
import java.time.Instant;
import java.util.random.RandomGenerator;

/**
 * The only door to the clock, to chance and to sleep, so that every decision can be replayed with a
 * seed. Thread-safe.
 */
public interface Time {

  /** Monotonic nanoseconds from an arbitrary origin; only differences mean anything. */
  long nanos();

  /** Wall-clock time. It may jump; use it for people and for the ledger, never for a timeout. */
  Instant now();

  /**
   * Waits.
   *
   * @throws InterruptedException when the thread is asked to end
   */
  void sleep(Duration duration) throws InterruptedException;

  /**
   * A source of chance that is safe to use from any thread. The machine's own is good enough for
   * secrets.
   */
  RandomGenerator random();

  /** The machine's own clock and chance. */
  static Time system() {
    return SystemTime.INSTANCE;
  }
}
