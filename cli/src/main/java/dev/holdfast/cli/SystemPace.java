package dev.holdfast.cli;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;

/** The machine's clock. Thread-safe. */
final class SystemPace implements Pace {
  private final InstantSource clock = InstantSource.system();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition never = lock.newCondition();

  @Override
  public Instant now() {
    return clock.instant();
  }

  @Override
  public void rest(Duration duration) throws InterruptedException {
    lock.lock();
    try {
      long left = NANOSECONDS.convert(duration);
      while (left > 0) {
        left = never.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public RandomGenerator random() {
    return Lazy.RANDOM;
  }

  /** Seeding costs time that a command without retries need not spend. */
  private static final class Lazy {
    static final RandomGenerator RANDOM = new SecureRandom();
  }
}
