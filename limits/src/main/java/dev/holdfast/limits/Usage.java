package dev.holdfast.limits;

import java.time.Duration;
import java.util.Arrays;

/**
 * How heavy each user was lately, as a quantile among all users: 0 for the lightest, close to 1 for
 * the heaviest. Usage counts in two generations of half the window, so it speaks of the last half
 * to whole window; users whose usage is alike (within a fifth) are ordered by a hash that changes
 * with the salt, so that under pressure one of them is served whole rather than all of them by
 * halves (DAGOR; the usage tracker of failsafe-go is the model). A fixed number of users: a new one
 * takes the place of the lightest of eight. Confined to its owner; allocates nothing after birth.
 */
public final class Usage {
  private static final int WAYS = 8;
  private static final double BELOW_ONE = 1 - 0x1.0p-20;
  private static final int BUCKETS = 64 * 4; // four per doubling

  private final int sets;
  private final long generationNanos;
  private final long bornNanos;
  private final long[] keys;
  private final long[] current;
  private final long[] previous;
  private final int[] generations;
  private final double[] quantiles;
  private final int[] counts = new int[BUCKETS];
  private final int[] below = new int[BUCKETS];
  private int users;

  /**
   * Nobody known.
   *
   * @param capacity most users, rounded up to a power of two
   * @param window how far back usage counts
   * @param now the monotonic clock
   */
  public Usage(int capacity, Duration window, long now) {
    Check.that(capacity >= WAYS && capacity <= 1 << 22, "capacity", capacity, "8 to 2^22");
    Check.that(window.toNanos() >= 2, "window", window, ">= 2 ns");
    sets = Math.max(1, Integer.highestOneBit(capacity - 1) * 2 / WAYS);
    generationNanos = window.toNanos() / 2;
    bornNanos = now;
    keys = new long[sets * WAYS];
    current = new long[sets * WAYS];
    previous = new long[sets * WAYS];
    generations = new int[sets * WAYS];
    quantiles = new double[sets * WAYS];
  }

  /** That user caused that much. */
  public void add(long user, long cost, long now) {
    int generation = generation(now);
    int slot = find(user);
    if (slot < 0) {
      slot = lightest(user, generation);
      keys[slot] = user;
      current[slot] = 0;
      previous[slot] = 0;
      quantiles[slot] = 0;
      generations[slot] = generation;
    }
    age(slot, generation);
    current[slot] += Math.max(0, cost);
  }

  /** What that user caused in the window. */
  public long of(long user, long now) {
    int slot = find(user);
    return slot < 0 ? 0 : total(slot, generation(now));
  }

  /**
   * Looks at everybody, after which {@link #quantile} compares with what was found here. To be
   * called about once a second.
   *
   * @param salt orders those who are alike; the same for an hour, say
   */
  public void calibrate(long salt, long now) {
    int generation = generation(now);
    Arrays.fill(counts, 0);
    users = 0;
    for (int i = 0; i < keys.length; i++) {
      long usage = keys[i] == 0 ? 0 : total(i, generation);
      if (usage > 0) {
        counts[bucket(usage)]++;
        users++;
      }
    }
    int sum = 0;
    for (int i = 0; i < BUCKETS; i++) {
      below[i] = sum;
      sum += counts[i];
    }
    for (int i = 0; i < keys.length; i++) {
      long usage = keys[i] == 0 ? 0 : total(i, generation);
      if (usage > 0) {
        int bucket = bucket(usage);
        double tie = (Keys.mix(keys[i] ^ Keys.mix(salt)) >>> 11) * 0x1.0p-53;
        quantiles[i] = Math.min((below[bucket] + tie * counts[bucket]) / users, BELOW_ONE);
      } else {
        quantiles[i] = 0;
      }
    }
  }

  /**
   * The user's place among all when they were last looked at, in [0, 1); 0 for somebody unknown. It
   * stands until the next look, since otherwise all would move up together in between.
   */
  public double quantile(long user) {
    int slot = find(user);
    return slot < 0 ? 0 : quantiles[slot];
  }

  /** How many users were in the window at the last {@link #calibrate}. */
  public int users() {
    return users;
  }

  private int generation(long now) {
    return (int) ((now - bornNanos) / generationNanos);
  }

  private void age(int slot, int generation) {
    int age = generation - generations[slot];
    if (age != 0) {
      previous[slot] = age == 1 ? current[slot] : 0;
      current[slot] = 0;
      generations[slot] = generation;
    }
  }

  private long total(int slot, int generation) {
    int age = generation - generations[slot];
    return age == 0 ? current[slot] + previous[slot] : age == 1 ? current[slot] : 0;
  }

  private int first(long user) {
    return ((int) Keys.mix(user) & (sets - 1)) * WAYS;
  }

  private int find(long user) {
    int first = first(user);
    for (int i = first; i < first + WAYS; i++) {
      if (keys[i] == user) {
        return i;
      }
    }
    return -1;
  }

  private int lightest(long user, int generation) {
    int first = first(user);
    int best = first;
    long least = Long.MAX_VALUE;
    for (int i = first; i < first + WAYS; i++) {
      long usage = keys[i] == 0 ? -1 : total(i, generation);
      if (usage < least) {
        least = usage;
        best = i;
      }
    }
    return best;
  }

  private static int bucket(long usage) {
    int exponent = 63 - Long.numberOfLeadingZeros(usage);
    int fraction = exponent < 2 ? 0 : (int) (usage >>> (exponent - 2)) & 3;
    return exponent * 4 + fraction;
  }
}
