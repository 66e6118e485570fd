package dev.holdfast.limits;

import java.time.Duration;

/**
 * A point on the monotonic clock after which work is no longer wanted. Passed down instead of a
 * timeout, so that three waits of one second each cannot become three seconds. Immutable.
 */
public final class Deadline {
  private final Time time;
  private final long atNanos;

  private Deadline(Time time, long atNanos) {
    this.time = time;
    this.atNanos = atNanos;
  }

  /** The deadline that passes after {@code wait}; a negative wait has passed already. */
  public static Deadline after(Time time, Duration wait) {
    return new Deadline(time, time.nanos() + wait.toNanos());
  }

  /** What is left, never negative. */
  public Duration left() {
    return Duration.ofNanos(leftNanos());
  }

  /** What is left in nanoseconds, never negative. */
  public long leftNanos() {
    return Math.max(0, atNanos - time.nanos());
  }

  /** Whether nothing is left. */
  public boolean passed() {
    return leftNanos() == 0;
  }

  /** The earlier of this and {@code wait} from now. */
  public Deadline within(Duration wait) {
    return leftNanos() <= wait.toNanos() ? this : after(time, wait);
  }
}
