package dev.holdfast.edge;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * How long something took, counted in fixed log-linear buckets: nine to a decade from 0.1 ms to 100
 * s, so that a quantile is off by at most a ninth of its decade. One thread writes, any may add it
 * up; a count that is seen may miss the latest.
 */
final class Timings {
  private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);
  private static final int PER_DECADE = 9;
  private static final int DECADES = 6;
  private static final long FIRST_MICROS = 100;

  /** Buckets with an upper end; one more has none. */
  static final int BOUNDS = PER_DECADE * DECADES + 1;

  private static final int SUM = BOUNDS + 1;

  /** How many cells a copy for {@link #addTo} has: the buckets and the sum in microseconds. */
  static final int CELLS = BOUNDS + 2;

  private final long[] cells = new long[CELLS];

  /** Counts one. */
  void record(long nanos) {
    long micros = Math.max(0, nanos) / 1000;
    add(cells, bucket(micros), 1);
    add(cells, SUM, micros);
  }

  private static int bucket(long micros) {
    if (micros <= FIRST_MICROS) {
      return 0;
    }
    long unit = FIRST_MICROS;
    int base = 0;
    while (micros > 10 * unit) {
      unit *= 10;
      base += PER_DECADE;
      if (base == PER_DECADE * DECADES) {
        return BOUNDS;
      }
    }
    return base + (int) ((micros + unit - 1) / unit) - 1;
  }

  /** The upper end of that bucket in seconds. */
  static double boundSeconds(int bucket) {
    long unit = FIRST_MICROS;
    for (int decade = bucket / PER_DECADE; decade > 0; decade--) {
      unit *= 10;
    }
    return (bucket % PER_DECADE + 1) * unit / 1e6;
  }

  /** Adds what was counted to the cells of a sum. */
  void addTo(long[] sum) {
    for (int i = 0; i < CELLS; i++) {
      sum[i] += (long) CELL.getOpaque(cells, i);
    }
  }

  /** Takes over what another of the same thread has counted. */
  void take(Timings other) {
    for (int i = 0; i < CELLS; i++) {
      add(cells, i, other.cells[i]);
    }
  }

  /** How many values a sum holds. */
  static long count(long[] sum) {
    long count = 0;
    for (int i = 0; i <= BOUNDS; i++) {
      count += sum[i];
    }
    return count;
  }

  /** The sum of all values in seconds. */
  static double seconds(long[] sum) {
    return sum[SUM] / 1e6;
  }

  private static void add(long[] cells, int i, long change) {
    CELL.setOpaque(cells, i, cells[i] + change);
  }
}
