package dev.holdfast.limits;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;

/**
 * One {@link Gcra} cell per key, for a bounded number of keys at sixteen bytes each. A cell whose
 * arrival time has passed says no more than a fresh one, so only such cells are given to other keys
 * and nothing is ever forgotten by that; when all places of a key are in use it is admitted and
 * counted (a limit that fails must not become an outage). Thread-safe, lock-free: two threads that
 * meet a new key in the same instant may open two cells for it, which costs one burst once.
 */
public final class GcraTable {
  /** Places that a key may have; more would be slower, fewer would overflow sooner. */
  private static final int WAYS = 8;

  private final AtomicLongArray keys;
  private final AtomicLongArray arrivals;
  private final int sets;
  private final int burst;
  private final long intervalNanos;
  private final long toleranceNanos;
  private final LongAdder overflowed = new LongAdder();

  /**
   * An empty table.
   *
   * @param capacity most keys at one time, rounded up to a power of two
   * @param events how many events per {@code per} a key may have for ever
   * @param burst how many it may have at once
   * @param now the monotonic clock
   */
  public GcraTable(int capacity, int events, Duration per, int burst, long now) {
    Check.that(capacity >= WAYS && capacity <= 1 << 24, "capacity", capacity, "8 to 2^24");
    Check.that(events >= 1, "events", events, ">= 1");
    Check.that(burst >= 1, "burst", burst, ">= 1");
    Check.that(per.isPositive(), "per", per, "> 0");
    sets = Math.max(1, Integer.highestOneBit(capacity - 1) * 2 / WAYS);
    this.burst = burst;
    intervalNanos = Math.max(1, per.toNanos() / events);
    toleranceNanos = Math.multiplyExact(intervalNanos, burst - 1L);
    keys = new AtomicLongArray(sets * WAYS);
    arrivals = new AtomicLongArray(sets * WAYS);
    for (int i = 0; i < arrivals.length(); i++) {
      arrivals.set(i, now);
    }
  }

  /**
   * Takes one event's room of that key.
   *
   * @return 0 when admitted, otherwise the nanoseconds after which this very call would succeed
   */
  public long reserve(long key, long now) {
    int slot = open(key, now);
    if (slot < 0) {
      overflowed.increment();
      return 0;
    }
    while (true) {
      long arrival = arrivals.get(slot);
      long start = arrival - now > 0 ? arrival : now;
      if (start - now > toleranceNanos) {
        return start - now - toleranceNanos;
      }
      if (arrivals.compareAndSet(slot, arrival, start + intervalNanos)) {
        return 0;
      }
    }
  }

  /** How many events of that key would be admitted now. */
  public int remaining(long key, long now) {
    long ahead = resetNanos(key, now);
    return ahead > toleranceNanos ? 0 : (int) ((toleranceNanos - ahead) / intervalNanos) + 1;
  }

  /** After how many nanoseconds that key has its whole burst again. */
  public long resetNanos(long key, long now) {
    int slot = find(key);
    return slot < 0 ? 0 : Math.max(0, arrivals.get(slot) - now);
  }

  /** The burst: what a key that was idle may do at once. */
  public int burst() {
    return burst;
  }

  /** The time in which an idle key earns its whole burst. */
  public long windowNanos() {
    return intervalNanos * burst;
  }

  /** How many events were admitted because their key had no place. */
  public long overflowed() {
    return overflowed.sum();
  }

  private int first(long key) {
    return (int) (Keys.mix(key) & (sets - 1)) * WAYS;
  }

  private int find(long key) {
    int first = first(key);
    for (int i = first; i < first + WAYS; i++) {
      if (keys.get(i) == key) {
        return i;
      }
    }
    return -1;
  }

  /** The key's place, or a new one, or -1. */
  private int open(long key, long now) {
    int found = find(key);
    if (found >= 0) {
      return found;
    }
    int first = first(key);
    for (int i = first; i < first + WAYS; i++) {
      long other = keys.get(i);
      if (arrivals.get(i) - now <= 0 && keys.compareAndSet(i, other, key)) {
        return i;
      }
    }
    return -1;
  }
}
