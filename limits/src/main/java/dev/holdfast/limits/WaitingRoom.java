package dev.holdfast.limits;

import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A short, bounded queue that serves in order while it is calm and newest first when it is not.
 * Once somebody has been in it without a break for {@code patience}, there is more work than room
 * for work, and whoever came first will be served too late whatever is done; then the newest is
 * served, the oldest is sent away when the room is full, and it stays so until the room was empty
 * (adaptive LIFO, B. Maurer, "Fail at Scale", ACM Queue 13(8), 2015, which asks for the same
 * condition: not empty for 100 ms). Confined to its owner; keeps two arrays and allocates nothing
 * per entry.
 */
public final class WaitingRoom<T> {
  private final int capacity;
  private final long patienceNanos;
  private final @Nullable Object[] items;
  private final long[] deadlines;
  private int start;
  private int end;
  private long occupiedSinceNanos;

  /**
   * An empty room.
   *
   * @param capacity most entries
   * @param patience how long the room may be occupied before it serves the newest first
   */
  public WaitingRoom(int capacity, Duration patience) {
    Check.that(capacity >= 1 && capacity <= 1 << 20, "capacity", capacity, "1 to 2^20");
    Check.that(!patience.isNegative(), "patience", patience, ">= 0");
    this.capacity = capacity;
    patienceNanos = patience.toNanos();
    items = new Object[2 * capacity]; // the spare half makes moving down rare
    deadlines = new long[2 * capacity];
  }

  /**
   * Lets the item in.
   *
   * @param deadlineNanos after which it is {@link #expired}
   * @return who has to go for it: nobody (null), the oldest, or the item itself
   */
  public @Nullable T offer(T item, long now, long deadlineNanos) {
    @Nullable T victim = null;
    if (size() >= capacity) {
      if (!newestFirst(now)) {
        return item;
      }
      victim = takeAt(start);
    }
    if (start == end) {
      occupiedSinceNanos = now;
    }
    if (end == items.length) {
      moveDown();
    }
    items[end] = item;
    deadlines[end] = deadlineNanos;
    end++;
    return victim;
  }

  /** Whose turn it is, or null when nobody waits. Call {@link #expired} first. */
  public @Nullable T poll(long now) {
    if (start == end) {
      return null;
    }
    return takeAt(newestFirst(now) ? end - 1 : start);
  }

  /** Whoever came first, or null when nobody waits; for whoever needs his place. */
  public @Nullable T takeOldest() {
    return start == end ? null : takeAt(start);
  }

  /** One whose deadline has passed, or null; to be called until it answers null. */
  public @Nullable T expired(long now) {
    for (int i = start; i < end; i++) {
      if (deadlines[i] - now <= 0) {
        return takeAt(i);
      }
    }
    return null;
  }

  /** Takes the item out, or answers false when it is not here. */
  @SuppressWarnings("ReferenceEquality") // who waits is a thing, not a value
  public boolean remove(T item) {
    for (int i = start; i < end; i++) {
      if (items[i] == item) {
        takeAt(i);
        return true;
      }
    }
    return false;
  }

  /** Whether the newest is served first now. */
  public boolean newestFirst(long now) {
    return start != end && now - occupiedSinceNanos > patienceNanos;
  }

  /** How many wait. */
  public int size() {
    return end - start;
  }

  /** The bound. */
  public int capacity() {
    return capacity;
  }

  @SuppressWarnings("unchecked") // only offer puts items in
  private T takeAt(int index) {
    var item = (T) items[index];
    if (index == start) {
      items[start++] = null;
    } else {
      System.arraycopy(items, index + 1, items, index, end - index - 1);
      System.arraycopy(deadlines, index + 1, deadlines, index, end - index - 1);
      items[--end] = null;
    }
    if (start == end) {
      start = 0;
      end = 0;
    }
    if (item == null) {
      throw new IllegalStateException("an empty place between entries");
    }
    return item;
  }

  private void moveDown() {
    int size = size();
    System.arraycopy(items, start, items, 0, size);
    System.arraycopy(deadlines, start, deadlines, 0, size);
    Arrays.fill(items, size, end, null);
    start = 0;
    end = size;
  }
}
