package dev.holdfast.limits;

import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;

/** A clock that only moves when told, and chance that repeats. Thread-safe. */
public final class ManualTime implements Time {
  private static final Instant BIRTH = Instant.parse("2026-01-01T00:00:00Z");

  private final AtomicLong nanos = new AtomicLong();
  private final Random random;

  /** Chance seeded with {@code seed}. */
  public ManualTime(long seed) {
    random = new Random(seed);
  }

  /** Chance seeded with 1. */
  public ManualTime() {
    this(1);
  }

  /** Moves both clocks on. */
  public void advance(Duration by) {
    nanos.addAndGet(by.toNanos());
  }

  @Override
  public long nanos() {
    return nanos.get();
  }

  @Override
  public Instant now() {
    return BIRTH.plusNanos(nanos.get());
  }

  /** Does not wait: the clock moves on at once. */
  @Override
  public void sleep(Duration duration) {
    advance(duration);
  }

  @Override
  public RandomGenerator random() {
    return random;
  }
}
