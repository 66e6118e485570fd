package dev.holdfast.edge;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Which bytes may stand where in a message (RFC 9110 section 5.6, RFC 9112). */
final class Octets {
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long ONES = 0x0101010101010101L;
  private static final long HIGHS = 0x8080808080808080L;
  private static final boolean[] TOKEN = new boolean[256];

  static {
    for (int c = '0'; c <= '9'; c++) {
      TOKEN[c] = true;
    }
    for (int c = 'a'; c <= 'z'; c++) {
      TOKEN[c] = true;
      TOKEN[c - 'a' + 'A'] = true;
    }
    for (char c : "!#$%&'*+-.^_`|~".toCharArray()) {
      TOKEN[c] = true;
    }
  }

  private Octets() {}

  static boolean token(int octet) {
    return TOKEN[octet & 0xff];
  }

  static boolean token(byte[] in, int from, int to) {
    return from < to && tokenEnd(in, from, to) == to;
  }

  /**
   * Where the token that begins at {@code from} ends, at most {@code to}. Eight bytes at a time as
   * long as they are letters and {@code -}, which nearly all names are made of.
   */
  static int tokenEnd(byte[] in, int from, int to) {
    int i = from;
    while (i + 8 <= to) {
      long eight = eight(in, i);
      long lower = (eight | ONES * 0x20) & ~HIGHS;
      long letters = (lower + ONES * (0x80 - 'a')) & ~(lower + ONES * (0x80 - 'z' - 1));
      long others = (~(letters | zeros(eight ^ (ONES * '-'))) | eight) & HIGHS;
      if (others != 0) {
        i += Long.numberOfTrailingZeros(others) >>> 3;
        break;
      }
      i += 8;
    }
    while (i < to && TOKEN[in[i] & 0xff]) {
      i++;
    }
    return i;
  }

  /** Eight bytes, the first one lowest. */
  static long eight(byte[] in, int at) {
    return (long) LONG.get(in, at);
  }

  /** The highest bit of each byte that is zero, and no other bit. */
  static long zeros(long eight) {
    return ~(((eight & ~HIGHS) + ~HIGHS) | eight) & HIGHS;
  }

  /**
   * The first control byte in a range, tabs included, or {@code to}. Eight bytes at a time: the
   * lowest flagged byte of the borrow tricks is always exact.
   */
  static int control(byte[] in, int from, int to) {
    int i = from;
    while (i + 8 <= to) {
      long eight = eight(in, i);
      long delete = eight ^ (ONES * 0x7f);
      long found = (((eight - ONES * 0x20) & ~eight) | ((delete - ONES) & ~delete)) & HIGHS;
      if (found != 0) {
        return i + (Long.numberOfTrailingZeros(found) >>> 3);
      }
      i += 8;
    }
    while (i < to && (in[i] & 0xff) >= 0x20 && in[i] != 0x7f) {
      i++;
    }
    return i;
  }

  /** Visible characters, blanks and tabs, and bytes above ASCII (obs-text). */
  static boolean text(byte[] in, int from, int to) {
    int i = control(in, from, to);
    while (i < to && in[i] == '\t') {
      i = control(in, i + 1, to);
    }
    return i == to;
  }

  static boolean blank(int octet) {
    return octet == ' ' || octet == '\t';
  }

  static boolean digit(int c) {
    return c >= '0' && c <= '9';
  }

  static boolean letterOrDigit(int c) {
    return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }

  /** The value of a hexadecimal digit, or -1. */
  static int hex(int c) {
    if (digit(c)) {
      return c - '0';
    }
    int lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  }

  static int lower(int c) {
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
  }

  /** Whether a range equals a lower-case word, letters compared without case. */
  static boolean same(byte[] in, int from, int to, byte[] word) {
    if (to - from != word.length) {
      return false;
    }
    for (int i = 0; i < word.length; i++) {
      if (lower(in[from + i]) != word[i]) {
        return false;
      }
    }
    return true;
  }

  /** Writes a number in digits and says where they end. */
  static int digits(byte[] out, int at, long number) {
    int width = 1;
    for (long rest = number; rest >= 10; rest /= 10) {
      width++;
    }
    long rest = number;
    for (int i = at + width - 1; i >= at; i--) {
      out[i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
    return at + width;
  }
}
