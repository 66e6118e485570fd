package dev.holdfast.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.jspecify.annotations.Nullable;

/**
 * Makes one string of equal ones that come again and again, such as the address of a machine that
 * stands behind thousands of hosts. A table of fixed size in which the newest of those that fall
 * together stay: what it misses costs memory, nothing else. Thread-safe without locks; a race
 * leaves one of two equal strings, which are immutable.
 */
final class Repeated {
  /** Addresses of routes that were found good, and nothing else. */
  static final Repeated ADDRESSES = new Repeated();

  /** Names of kinds, actors and services. */
  static final Repeated NAMES = new Repeated();

  private static final int SET_BITS = 10;
  private static final int WAYS = 4;
  private static final int SPREAD = 0x9e3779b9;

  private final @Nullable String[] table = new @Nullable String[WAYS << SET_BITS];

  private Repeated() {}

  /** A string that equals {@code text}, the same as last time if that is still known. */
  String of(String text) {
    var seen = seen(text);
    if (seen != null) {
      return seen;
    }
    int first = first(text.hashCode());
    for (int i = first + WAYS - 1; i > first; i--) {
      table[i] = table[i - 1];
    }
    table[first] = text;
    return text;
  }

  /** The text of those bytes, which are UTF-8. */
  String of(byte[] bytes, int from, int length) {
    var seen = seen(bytes, from, length);
    return seen != null ? seen : of(new String(bytes, from, length, UTF_8));
  }

  /** The string that equals {@code text} and was given to {@link #of} lately, or null. */
  @Nullable String seen(String text) {
    int first = first(text.hashCode());
    for (int i = first; i < first + WAYS; i++) {
      var seen = table[i];
      if (text.equals(seen)) {
        return seen;
      }
    }
    return null;
  }

  /** The same for a text of ASCII, without making a string of it. */
  @Nullable String seen(byte[] bytes, int from, int length) {
    int hash = 0;
    for (int i = from; i < from + length; i++) {
      hash = 31 * hash + bytes[i]; // as a string's
    }
    int first = first(hash);
    for (int i = first; i < first + WAYS; i++) {
      var seen = table[i];
      if (seen != null && says(seen, bytes, from, length)) {
        return seen;
      }
    }
    return null;
  }

  private static boolean says(String text, byte[] bytes, int from, int length) {
    if (text.length() != length) {
      return false;
    }
    for (int i = 0; i < length; i++) {
      if (text.charAt(i) != bytes[from + i]) { // a byte beyond ASCII is no character
        return false;
      }
    }
    return true;
  }

  private static int first(int hash) {
    return ((hash * SPREAD) >>> (Integer.SIZE - SET_BITS)) * WAYS;
  }
}
