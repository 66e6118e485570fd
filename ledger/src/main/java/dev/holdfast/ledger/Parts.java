package dev.holdfast.ledger;

/**
 * What every live key adds to a view's digest, by a 64-bit hash of the key: sixteen bytes a slot
 * and no object, since a follower keeps one for each of perhaps a million keys. Open addressing
 * with linear probing and deletion by shifting back (Knuth, "The Art of Computer Programming",
 * volume 3, section 6.4, algorithm R); a table that is {@link #LOAD_MAX_PERCENT} full grows by a
 * quarter.
 *
 * <p>The key itself is not kept. Two live keys of one hash would share a slot and leave the digest
 * wrong, never the view: followers in the same state would be taken for different ones. With
 * SipHash-2-4 that happens among 1,000,000 keys with a probability of 3 in 100 million (n^2 /
 * 2^65). The hash's key is no secret, so whoever may write the ledger could search for such keys;
 * the digest is there to find defects, not them. Confined to the follower's thread.
 */
final class Parts {
  /** How full the table may be; a key is then found in 4 slots on average. */
  static final int LOAD_MAX_PERCENT = 85;

  private static final int SLOTS_MIN = 16;
  private static final int EMPTY = 0;

  private long[] table; // hash and part, in turn
  private int slots;
  private int size;

  Parts() {
    this(0);
  }

  /** With room for so many keys: a table that grows is in memory twice for a moment. */
  Parts(int expected) {
    slots = Math.max(SLOTS_MIN, (int) (expected * 100L / LOAD_MAX_PERCENT) + 1);
    table = new long[Math.multiplyExact(2, slots)];
  }

  /** How many keys. */
  int size() {
    return size;
  }

  /** Forgets all keys. */
  void clear() {
    slots = SLOTS_MIN;
    table = new long[2 * SLOTS_MIN];
    size = 0;
  }

  /** The key's part, or 0 when there is none. */
  long get(String key) {
    long hash = hash(key);
    int slot = find(hash);
    return table[2 * slot] == hash ? table[2 * slot + 1] : 0;
  }

  /** Sets the key's part; the part that it replaces, or 0. */
  long put(String key, long part) {
    return put(hash(key), part);
  }

  /** Forgets the key; its part, or 0 when there is none. */
  long remove(String key) {
    return remove(hash(key));
  }

  long put(long hash, long part) {
    int slot = find(hash);
    if (table[2 * slot] == hash) {
      long before = table[2 * slot + 1];
      table[2 * slot + 1] = part;
      return before;
    }
    if ((size + 1) * 100L > slots * (long) LOAD_MAX_PERCENT) {
      grow();
      slot = find(hash);
    }
    table[2 * slot] = hash;
    table[2 * slot + 1] = part;
    size++;
    return 0;
  }

  long remove(long hash) {
    int hole = find(hash);
    if (table[2 * hole] == EMPTY) {
      return 0;
    }
    long part = table[2 * hole + 1];
    size--;
    for (int slot = next(hole); table[2 * slot] != EMPTY; slot = next(slot)) {
      int home = home(table[2 * slot]);
      boolean reachable = hole < slot ? hole < home && home <= slot : hole < home || home <= slot;
      if (!reachable) {
        table[2 * hole] = table[2 * slot];
        table[2 * hole + 1] = table[2 * slot + 1];
        hole = slot;
      }
    }
    table[2 * hole] = EMPTY;
    table[2 * hole + 1] = 0;
    return part;
  }

  /** What stands for the key. */
  static long hash(String key) {
    return hash(Digest.ofKey(key));
  }

  /** The same, of a key whose {@link Digest#ofKey} is known. */
  static long hash(long ofKey) {
    return ofKey == EMPTY ? 1 : ofKey;
  }

  /** The hash's slot, or the empty one where it belongs. */
  private int find(long hash) {
    int slot = home(hash);
    while (table[2 * slot] != hash && table[2 * slot] != EMPTY) {
      slot = next(slot);
    }
    return slot;
  }

  /** In proportion to the hash, so that there may be any number of slots. */
  private int home(long hash) {
    return (int) Math.unsignedMultiplyHigh(hash, slots);
  }

  private int next(int slot) {
    return slot + 1 == slots ? 0 : slot + 1;
  }

  private void grow() {
    var old = table;
    slots += slots / 4;
    table = new long[Math.multiplyExact(2, slots)];
    for (int i = 0; i < old.length; i += 2) {
      if (old[i] != EMPTY) {
        int slot = find(old[i]);
        table[2 * slot] = old[i];
        table[2 * slot + 1] = old[i + 1];
      }
    }
  }
}
