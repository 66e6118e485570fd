package dev.holdfast.limits;

/**
 * Names as 64-bit keys, for tables that neither box nor keep the name. Two different names share a
 * key with probability 2^-64; 0 is never a key, so tables may use it for "empty". Stateless.
 */
public final class Keys {
  private static final long OFFSET = 0xcbf29ce484222325L;
  private static final long PRIME = 0x100000001b3L;

  private Keys() {}

  /** The key of a text: FNV-1a over its characters, then {@link #mix(long)}. */
  public static long of(CharSequence text) {
    long hash = OFFSET;
    for (int i = 0; i < text.length(); i++) {
      hash = (hash ^ text.charAt(i)) * PRIME;
    }
    return some(mix(hash));
  }

  /** The key of a pair, in that order. */
  public static long of(long first, long second) {
    return some(mix(mix(first) * 31 + second));
  }

  /** Every bit of the answer depends on every bit of the value (Stafford's mix13, bijective). */
  public static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }

  private static long some(long key) {
    return key == 0 ? 1 : key;
  }
}
