package dev.holdfast.ledger;

/**
 * Makes one string of equal ones that come again and again, such as the address of a machine that
 * stands behind thousands of hosts. A table of fixed size in which the newest of those that fall
 * together stays: what it misses costs memory, nothing else. Thread-safe without locks; a race
 * leaves one of two equal strings, which are immutable.
 */
final class Repeated {
  private static final int SLOTS = 1_024;

  private static final String[] SEEN = new String[SLOTS];

  private Repeated() {}

  /** A string that equals {@code text}, the same as last time if that is still known. */
  static String of(String text) {
    int hash = text.hashCode();
    int slot = (hash ^ hash >>> 16) & SLOTS - 1;
    var seen = SEEN[slot];
    if (text.equals(seen)) {
      return seen;
    }
    SEEN[slot] = text;
    return text;
  }
}
