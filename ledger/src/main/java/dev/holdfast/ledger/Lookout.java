package dev.holdfast.ledger;

import dev.holdfast.limits.Backoff;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Notices what other processes wrote to a shared store, on a thread of its own: it looks often
 * while there is news and seldom while there is none, and the store's hint wakes it earlier.
 * Thread-safe.
 */
final class Lookout implements AutoCloseable {
  /** Between two looks while there is news. */
  static final Duration QUICK = Duration.ofMillis(5);

  /** Between two looks when there was none for a while. */
  static final Duration SLOW = Duration.ofMillis(250);

  /** Who heard nothing for so long does not know where the ledger stands. */
  static final Duration SURE = Duration.ofSeconds(3);

  private static final Backoff RETRY =
      Backoff.fullJitter(Duration.ofMillis(100), Duration.ofSeconds(1));

  private final Store store;
  private final Predicate<Store.Progress> heard;
  private final Time time;
  private final Thread thread;
  private volatile long heardNanos;
  private volatile @Nullable String trouble;
  private volatile boolean closed;

  /**
   * One that is not started.
   *
   * @param heard is given every answer and says whether it was news
   */
  Lookout(Store store, Predicate<Store.Progress> heard, Time time) {
    this.store = store;
    this.heard = heard;
    this.time = time;
    heardNanos = time.nanos();
    thread = Thread.ofPlatform().name("ledger-lookout").daemon().unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /** Whether the store answered lately. */
  boolean sure() {
    return time.nanos() - heardNanos < SURE.toNanos();
  }

  /** Why the store does not answer, or null while it does. */
  @Nullable String trouble() {
    return trouble;
  }

  @SuppressWarnings("CatchThrowable") // a store that cannot be read now is read later
  private void run() {
    var wait = QUICK;
    int failures = 0;
    while (!closed) {
      try {
        if (failures > 0) {
          time.sleep(RETRY.delay(failures, time.random()));
        }
        boolean news = heard.test(store.look(wait));
        heardNanos = time.nanos();
        trouble = null;
        failures = 0;
        wait = news ? QUICK : longer(wait);
      } catch (InterruptedException e) {
        return;
      } catch (Throwable t) {
        trouble = String.valueOf(t.getMessage());
        failures++;
      }
    }
  }

  private static Duration longer(Duration wait) {
    var twice = wait.multipliedBy(2);
    return twice.compareTo(SLOW) < 0 ? twice : SLOW;
  }

  /** Looks no more. Idempotent. */
  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    try {
      thread.join(TimeUnit.SECONDS.toMillis(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
