package dev.holdfast.limits;

import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A bounded queue that serves in order while it is calm and newest first when it is not. Once
 * whoever came first has waited for {@code patience}, there is more work than room for work, and he
 * will be served too late whatever is done; then the newest is served, the oldest is sent away when
 * the room is full, and it stays so until nobody was sent away for a second and the room was empty
 * (adaptive LIFO, B. Maurer, "Fail at Scale", ACM Queue 13(8), 2015). A room that is never empty
 * and yet short, as behind clients who each wait for their answer, stays in order. Confined to its
 * owner; keeps three arrays, which grow with the crowd, and allocates nothing per entry.
 */
public final class WaitingRoom<T> {
  private static final int LENGTH_FIRST = 32;
  private static final long MEMORY_NANOS = 1_000_000_000L;

  private final int capacity;
  private final long patienceNanos;
  private @Nullable Object[] items;
  private long[] arrivals;
  private long[] deadlines;
  private int start;
  private int end;
  private boolean turned;
  private long sentAwayNanos;

  /**
   * An empty room.
   *
   * @param capacity most entries
   * @param patience how long the first may have waited before the newest is served first
   */
  public WaitingRoom(int capacity, Duration patience) {
    Check.that(capacity >= 1 && capacity <= 1 << 20, "capacity", capacity, "1 to 2^20");
    Check.that(!patience.isNegative(), "patience", patience, ">= 0");
    this.capacity = capacity;
    patienceNanos = patience.toNanos();
    int length = Math.min(LENGTH_FIRST, 2 * capacity);
    items = new Object[length];
    arrivals = new long[length];
    deadlines = new long[length];
  }

  /**
   * Lets the item in.
   *
   * @param deadlineNanos after which it is {@link #expired}
   * @return who is sent away for it: nobody (null), the oldest, or the item itself
   */
  public @Nullable T offer(T item, long now, long deadlineNanos) {
    @Nullable T victim = null;
    boolean newestFirst = newestFirst(now);
    if (size() >= capacity) {
      if (!newestFirst) {
        return item;
      }
      victim = takeAt(start);
      sentAwayNanos = now;
    }
    if (end == items.length) {
      makeSpace();
    }
    items[end] = item;
    arrivals[end] = now;
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

  /** Whose turn it is, or null when nobody waits; he stays. */
  public @Nullable T peek(long now) {
    return start == end ? null : item(newestFirst(now) ? end - 1 : start);
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

  /** One who has waited so long, or null; to be called until it answers null. */
  public @Nullable T waited(long nanos, long now) {
    if (start == end || now - arrivals[start] < nanos) {
      return null;
    }
    sentAwayNanos = now;
    return takeAt(start);
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
    if (start != end && now - arrivals[start] > patienceNanos) {
      turned = true;
      sentAwayNanos = now;
    } else if (start == end && now - sentAwayNanos > MEMORY_NANOS) {
      turned = false;
    }
    return turned;
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
  private T item(int index) {
    var item = (T) items[index];
    if (item == null) {
      throw new IllegalStateException("an empty place between entries");
    }
    return item;
  }

  private T takeAt(int index) {
    var item = item(index);
    if (index == start) {
      items[start++] = null;
    } else {
      System.arraycopy(items, index + 1, items, index, end - index - 1);
      System.arraycopy(arrivals, index + 1, arrivals, index, end - index - 1);
      System.arraycopy(deadlines, index + 1, deadlines, index, end - index - 1);
      items[--end] = null;
    }
    if (start == end) {
      start = 0;
      end = 0;
    }
    return item;
  }

  /** Moves everybody down, or into arrays of twice the size: a spare half makes both rare. */
  private void makeSpace() {
    int size = size();
    if (2 * size > items.length) {
      int length = Math.min(2 * items.length, 2 * capacity);
      items = Arrays.copyOf(items, length);
      arrivals = Arrays.copyOf(arrivals, length);
      deadlines = Arrays.copyOf(deadlines, length);
    }
    System.arraycopy(items, start, items, 0, size);
    System.arraycopy(arrivals, start, arrivals, 0, size);
    System.arraycopy(deadlines, start, deadlines, 0, size);
    Arrays.fill(items, size, end, null);
    start = 0;
    end = size;
  }
}
