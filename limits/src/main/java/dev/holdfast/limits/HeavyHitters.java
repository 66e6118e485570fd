package dev.holdfast.limits;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Who causes most of a weighted stream, in fixed memory. Counts of at most {@code capacity} keys;
 * when there is one too many, the median count is taken off all of them and who has nothing left
 * goes (Misra and Gries, 1982, with the decrement of Anderson et al., "A High-Performance Algorithm
 * for Identifying Frequent Items in Data Streams", IMC 2017, which is also what Apache DataSketches
 * does). Each decrement d takes at least d from half of the counts, so all of them together are at
 * most {@code 2 x total / capacity}, and no answer is wrong by more: {@link #atLeast} <= truth <=
 * {@link #atMost}. One update costs one look-up, amortised; nothing is allocated after birth.
 * Confined to its owner.
 */
public final class HeavyHitters {
  private final int capacity;
  private final int mask;
  private final long[] scratch;
  private long[] keys;
  private long[] counts;
  private long[] otherKeys;
  private long[] otherCounts;
  private int size;
  private long total;
  private long error;

  /** One of the heaviest: its truth lies between the two. Immutable. */
  public record Hitter(long key, long atLeast, long atMost) {}

  /** Nothing seen yet. */
  public HeavyHitters(int capacity) {
    Check.that(capacity >= 2 && capacity <= 1 << 20, "capacity", capacity, "2 to 2^20");
    this.capacity = capacity;
    int table = Integer.highestOneBit(capacity) * 4; // at most half full, so probes stay short
    mask = table - 1;
    keys = new long[table];
    counts = new long[table];
    otherKeys = new long[table];
    otherCounts = new long[table];
    scratch = new long[capacity + 1];
  }

  /**
   * Adds to a key's count.
   *
   * @param key not 0, which {@link Keys} never gives
   * @param weight not negative
   */
  public void add(long key, long weight) {
    if (weight <= 0) {
      return;
    }
    total += weight;
    put(key, weight);
    if (size > capacity) {
      purge();
    }
  }

  /** Adds all that the other has seen; errors add up. */
  public void addAll(HeavyHitters other) {
    long before = total;
    for (int i = 0; i < other.keys.length; i++) {
      if (other.counts[i] > 0) {
        add(other.keys[i], other.counts[i]);
      }
    }
    error += other.error;
    total = before + other.total;
  }

  /** No more than the key's true count. */
  public long atLeast(long key) {
    return counts[slot(keys, key)];
  }

  /** No less than the key's true count. */
  public long atMost(long key) {
    return atLeast(key) + error;
  }

  /** All weight that was ever added. */
  public long total() {
    return total;
  }

  /** By how much an answer may be wrong, at most {@code 2 x total / capacity}. */
  public long error() {
    return error;
  }

  /** How many keys are counted. */
  public int size() {
    return size;
  }

  /** The heaviest keys, heaviest first. Allocates. */
  public List<Hitter> top(int count) {
    var all = new ArrayList<Hitter>(size);
    for (int i = 0; i < keys.length; i++) {
      if (counts[i] > 0) {
        all.add(new Hitter(keys[i], counts[i], counts[i] + error));
      }
    }
    all.sort(Comparator.comparingLong(Hitter::atLeast).reversed());
    return List.copyOf(all.subList(0, Math.min(count, all.size())));
  }

  /** Forgets everything. */
  public void clear() {
    Arrays.fill(keys, 0);
    Arrays.fill(counts, 0);
    size = 0;
    total = 0;
    error = 0;
  }

  private void put(long key, long weight) {
    int slot = slot(keys, key);
    if (counts[slot] == 0) {
      keys[slot] = key;
      size++;
    }
    counts[slot] += weight;
  }

  /** Where the key is, or the empty place where it would be. */
  private int slot(long[] table, long key) {
    int i = (int) Keys.mix(key) & mask;
    while (table[i] != 0 && table[i] != key) {
      i = (i + 1) & mask;
    }
    return i;
  }

  private void purge() {
    int n = 0;
    for (long count : counts) {
      if (count > 0) {
        scratch[n++] = count;
      }
    }
    long median = median(n);
    error += median;
    Arrays.fill(otherKeys, 0);
    Arrays.fill(otherCounts, 0);
    size = 0;
    for (int i = 0; i < keys.length; i++) {
      if (counts[i] > median) {
        int slot = slot(otherKeys, keys[i]);
        otherKeys[slot] = keys[i];
        otherCounts[slot] = counts[i] - median;
        size++;
      }
    }
    var emptyKeys = keys;
    var emptyCounts = counts;
    keys = otherKeys;
    counts = otherCounts;
    otherKeys = emptyKeys;
    otherCounts = emptyCounts;
  }

  /** Hoare's selection in place; a median of three as pivot keeps sorted input from being slow. */
  private long median(int n) {
    int wanted = n / 2;
    int low = 0;
    int high = n - 1;
    while (low < high) {
      long a = scratch[low];
      long b = scratch[(low + high) >>> 1];
      long c = scratch[high];
      long pivot = Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
      int i = low;
      int j = high;
      while (i <= j) {
        while (scratch[i] < pivot) {
          i++;
        }
        while (scratch[j] > pivot) {
          j--;
        }
        if (i <= j) {
          long swap = scratch[i];
          scratch[i++] = scratch[j];
          scratch[j--] = swap;
        }
      }
      if (wanted <= j) {
        high = j;
      } else if (wanted >= i) {
        low = i;
      } else {
        return scratch[wanted];
      }
    }
    return scratch[wanted];
  }
}
