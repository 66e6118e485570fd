package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.Arrays;

/** Small operations on arrays of bytes. */
final class Bytes {
  private Bytes() {}

  static byte[] ascii(String text) {
    return text.getBytes(US_ASCII);
  }

  /** Whether two ranges of one array are equal. */
  static boolean equal(byte[] in, int from, int to, int otherFrom, int otherTo) {
    return Arrays.equals(in, from, to, in, otherFrom, otherTo);
  }

  /** Whether a range equals a word, case and all. */
  static boolean equal(byte[] in, int from, int to, byte[] word) {
    return Arrays.equals(in, from, to, word, 0, word.length);
  }

  static int copy(byte[] from, byte[] to, int at) {
    System.arraycopy(from, 0, to, at, from.length);
    return at + from.length;
  }
}
