package dev.holdfast.edge;

/** Writes pieces of a body as chunks (RFC 9112 section 7.1). Stateless. */
final class Chunks {
  private static final int HEAD_BYTES_MAX = 10;
  private static final byte[] HEX = Bytes.ascii("0123456789abcdef");

  private Chunks() {}

  /** The line before so many bytes of data, which are more than none: none would end the body. */
  static void begin(Outgoing out, int size) {
    var head = out.room(HEAD_BYTES_MAX);
    int shift = (31 - Integer.numberOfLeadingZeros(size)) & ~3;
    for (; shift >= 0; shift -= 4) {
      head.writeByte(HEX[size >>> shift & 0xf]);
    }
    head.writeByte('\r').writeByte('\n');
  }

  /** What stands after the data. */
  static void end(Outgoing out) {
    out.room(2).writeByte('\r').writeByte('\n');
  }
}
