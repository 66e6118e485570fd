package dev.holdfast.ledger;

import org.jspecify.annotations.Nullable;

/**
 * Makes one string of equal ones that come again and again, such as the address of a machine that
 * stands behind thousands of hosts. A table of fixed size in which the newest of those that fall
 * together stays: what it misses costs memory, nothing else. Thread-safe without locks; a race
 * leaves one of two equal strings, which are immutable.
 */
final class Repeated {
  private static final int SLOTS = 1_024;

  private static final @Nullable String[] SEEN = new @Nullable String[SLOTS];

  private Repeated() {}

  /** A string that equals {@code text}, the same as last time if that is still known. */
  static String of(String text) {
    var seen = seen(text);
    if (seen != null) {
      return seen;
    }
    SEEN[slot(text)] = text;
    return text;
  }

  /** The string that equals {@code text} and was given to {@link #of} lately, or null. */
  static @Nullable String seen(String text) {
    var seen = SEEN[slot(text)];
    return text.equals(seen) ? seen : null;
  }

  private static int slot(String text) {
    int hash = text.hashCode();
    return (hash ^ hash >>> 16) & SLOTS - 1;
  }
}
