package dev.holdfast.limits;

import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.random.RandomGenerator;

/** The machine's clock. Thread-safe. */
final class SystemTime implements Time {
  static final SystemTime INSTANCE = new SystemTime();

  private final RandomGenerator random = new SecureRandom();

  private SystemTime() {}

  @Override
  public long nanos() {
    return System.nanoTime();
  }

  /**
   * Whole milliseconds: what the ledger keeps, so that a value read back equals the one written.
   */
  @Override
  public Instant now() {
    return Instant.now().truncatedTo(ChronoUnit.MILLIS);
  }

  @Override
  public void sleep(Duration duration) throws InterruptedException {
    Thread.sleep(duration);
  }

  @Override
  public RandomGenerator random() {
    return random;
  }
}
