package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;

/**
 * Finds the lines of a message: each ends with CR LF and nothing else, and none is longer than its
 * bound. It remembers how far it looked, so that a message that comes byte by byte costs no more
 * than one that comes at once. Confined to its event loop.
 */
final class LineReader {
  /** No whole line has come yet. */
  static final int MORE = -1;

  /** The line is longer than its bound. */
  static final int TOO_LONG = -2;

  /** The line ends with a bare LF. */
  static final int BAD_END = -3;

  private int looked;

  /** The length of the line at the reader index, without its end; or one of the negative signs. */
  int next(ByteBuf in, int max) {
    int start = in.readerIndex();
    int end = in.indexOf(start + looked, in.writerIndex(), (byte) '\n');
    if (end < 0) {
      looked = in.readableBytes();
      return looked > max + 1 ? TOO_LONG : MORE;
    }
    looked = 0;
    if (end == start || in.getByte(end - 1) != '\r') {
      return BAD_END;
    }
    int length = end - 1 - start;
    return length > max ? TOO_LONG : length;
  }

  /** Takes the line of that length and its end away. */
  static void skip(ByteBuf in, int length) {
    in.skipBytes(length + 2);
  }
}
