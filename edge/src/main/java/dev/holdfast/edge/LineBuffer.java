package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Arrays;

/**
 * Bytes of a line that is being made, kept for the next one. What a client or an app chose goes
 * through {@link #bare}, {@link #quoted} or {@link #json}, so that it cannot end its quotes, its
 * line or its key. Confined to one thread.
 */
final class LineBuffer {
  private static final byte[] HEX = {
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'
  };
  private static final boolean[] BARE = plain("\"\\= ");
  private static final boolean[] QUOTED = plain("\"\\");
  private static final int DIGITS_MAX = 20;

  byte[] bytes = new byte[1024];
  int length;
  private final byte[] digits = new byte[DIGITS_MAX];

  private static boolean[] plain(String without) {
    var plain = new boolean[256];
    for (int c = ' '; c < 0x7f; c++) {
      plain[c] = without.indexOf(c) < 0;
    }
    return plain;
  }

  void clear() {
    length = 0;
  }

  LineBuffer octet(int octet) {
    room(1);
    bytes[length++] = (byte) octet;
    return this;
  }

  LineBuffer raw(byte[] from, int offset, int count) {
    room(count);
    System.arraycopy(from, offset, bytes, length, count);
    length += count;
    return this;
  }

  /** A text of the edge's own, in ASCII. */
  @SuppressWarnings("deprecation") // the one copy of a Latin text that makes nothing
  LineBuffer text(String text) {
    int count = text.length();
    room(count);
    text.getBytes(0, count, bytes, length);
    length += count;
    return this;
  }

  LineBuffer number(long number) {
    long left = Math.abs(number);
    int at = DIGITS_MAX;
    do {
      digits[--at] = (byte) ('0' + left % 10);
      left /= 10;
    } while (left > 0);
    if (number < 0) {
      octet('-');
    }
    return raw(digits, at, DIGITS_MAX - at);
  }

  /** A number of at most so many digits, with zeros in front. */
  LineBuffer padded(int number, int width) {
    room(width);
    int left = number;
    for (int i = width - 1; i >= 0; i--) {
      bytes[length + i] = (byte) ('0' + left % 10);
      left /= 10;
    }
    length += width;
    return this;
  }

  /** A value without quotes: blanks, quotes, {@code =} and what is not ASCII become %XX. */
  LineBuffer bare(byte[] from, int offset, int count) {
    return escaped(from, offset, count, BARE);
  }

  /** A value between quotes: quotes, backslashes and what is not ASCII become %XX. */
  LineBuffer quoted(byte[] from, int offset, int count) {
    return escaped(from, offset, count, QUOTED);
  }

  /** A name that the platform knows, cleaned all the same; nearly always there is nothing to do. */
  LineBuffer name(String name) {
    for (int i = 0; i < name.length(); i++) {
      if (name.charAt(i) >= 0x7f || !BARE[name.charAt(i)]) {
        var octets = name.getBytes(ISO_8859_1);
        return bare(octets, 0, octets.length);
      }
    }
    return text(name);
  }

  private LineBuffer escaped(byte[] from, int offset, int count, boolean[] plain) {
    room(3 * count);
    int good = offset;
    while (good < offset + count && plain[from[good] & 0xff]) {
      good++;
    }
    System.arraycopy(from, offset, bytes, length, good - offset);
    int at = length + good - offset;
    var out = bytes;
    for (int i = good; i < offset + count; i++) {
      int octet = from[i] & 0xff;
      if (plain[octet]) {
        out[at++] = (byte) octet;
      } else {
        out[at++] = '%';
        out[at++] = HEX[octet >> 4];
        out[at++] = HEX[octet & 0xf];
      }
    }
    length = at;
    return this;
  }

  /**
   * A value between the quotes of a JSON string (RFC 8259 section 7); one octet is one character.
   */
  LineBuffer json(byte[] from, int offset, int count) {
    room(6 * count);
    int at = length;
    var out = bytes;
    for (int i = offset; i < offset + count; i++) {
      int octet = from[i] & 0xff;
      if (QUOTED[octet]) {
        out[at++] = (byte) octet;
      } else if (octet == '"' || octet == '\\') {
        out[at++] = '\\';
        out[at++] = (byte) octet;
      } else {
        out[at++] = '\\';
        out[at++] = 'u';
        out[at++] = '0';
        out[at++] = '0';
        out[at++] = HEX[octet >> 4];
        out[at++] = HEX[octet & 0xf];
      }
    }
    length = at;
    return this;
  }

  private void room(int count) {
    if (bytes.length - length < count) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + count));
    }
  }
}
