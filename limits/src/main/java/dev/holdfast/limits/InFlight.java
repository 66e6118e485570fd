package dev.holdfast.limits;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * How many of each key are under way, for any number of keys in fixed memory: two rows of counters,
 * the smaller of which counts (the count-min sketch of Cormode and Muthukrishnan, 2005, for things
 * that end). Never too low; too high by one only when two other keys under way share both places.
 * Thread-safe, lock-free.
 */
public final class InFlight {
  private final AtomicIntegerArray cells;
  private final int mask;

  /**
   * Nothing under way.
   *
   * @param width counters per row, rounded up to a power of two; many times what may be under way
   */
  public InFlight(int width) {
    Check.that(width >= 2 && width <= 1 << 24, "width", width, "2 to 2^24");
    int size = Integer.highestOneBit(width - 1) * 2;
    cells = new AtomicIntegerArray(2 * size);
    mask = size - 1;
  }

  /** One more of that key. */
  public void enter(long key) {
    long hash = Keys.mix(key);
    cells.incrementAndGet(first(hash));
    cells.incrementAndGet(second(hash));
  }

  /** One less of that key; to be called once for each {@link #enter}. */
  public void leave(long key) {
    long hash = Keys.mix(key);
    cells.decrementAndGet(first(hash));
    cells.decrementAndGet(second(hash));
  }

  /** How many of that key are under way. */
  public int of(long key) {
    long hash = Keys.mix(key);
    return Math.min(cells.get(first(hash)), cells.get(second(hash)));
  }

  private int first(long hash) {
    return (int) hash & mask;
  }

  private int second(long hash) {
    return ((int) (hash >>> 32) & mask) + mask + 1;
  }
}
