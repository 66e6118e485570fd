package dev.holdfast.cli;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** The waits between tries, with full jitter, and when to stop. Confined to one thread. */
final class Retry {
  static final Duration FIRST = Duration.ofMillis(200);
  static final Duration CAP = Duration.ofSeconds(5);

  private final Pace pace;
  private int failures;
  private @Nullable Instant since;

  Retry(Pace pace) {
    this.pace = pace;
  }

  /** How many tries failed in a row. */
  int failures() {
    return failures;
  }

  /** A try passed. */
  void passed() {
    failures = 0;
    since = null;
  }

  /**
   * Counts the failure and waits before the next try: uniform in a window that doubles, and no less
   * than the platform asked for.
   *
   * @return false, without a wait, when failures have lasted for {@code max} or would until then
   */
  boolean restAfter(Absent failure, Duration max) throws InterruptedException {
    var now = pace.now();
    if (since == null) {
      since = now;
    }
    failures++;
    var left = max.minus(Duration.between(since, now));
    if (!left.isPositive() || failure.retryAfter().compareTo(left) > 0) {
      return false;
    }
    long windowMillis = Math.min(CAP.toMillis(), FIRST.toMillis() << Math.min(failures - 1, 10));
    var jitter = Duration.ofMillis(pace.random().nextLong(windowMillis + 1));
    var wait = failure.retryAfter().plus(jitter);
    pace.rest(wait.compareTo(left) > 0 ? left : wait);
    return true;
  }
}
