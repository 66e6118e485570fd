package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;

/**
 * Where in a row of WebSocket frames one direction of a tunnel stands (RFC 6455 section 5.2), so
 * that a frame of the edge's own can be put between two. It reads heads and skips the rest.
 * Confined to its event loop.
 */
final class FrameBorder {
  private static final int OPCODE = 0x0f;
  private static final int CLOSE = 8;
  private static final int MASKED = 0x80;
  private static final int LENGTH = 0x7f;
  private static final int LENGTH_16 = 126;
  private static final int LENGTH_64 = 127;
  private static final int HEAD_BYTES = 2;
  private static final int MASK_BYTES = 4;

  private long left;
  private long length;
  private byte seen;
  private byte lengthEnd;
  private byte headEnd;
  private boolean closed;

  /** Takes note of what passes; the piece stays as it is. */
  void see(ByteBuf piece) {
    int at = piece.readerIndex();
    int end = piece.writerIndex();
    while (at < end) {
      if (left > 0) {
        int skipped = (int) Math.min(left, end - at);
        left -= skipped;
        at += skipped;
      } else {
        head(piece.getByte(at++) & 0xff);
      }
    }
  }

  private void head(int octet) {
    if (seen == 0) {
      closed |= (octet & OPCODE) == CLOSE;
      headEnd = HEAD_BYTES;
    } else if (seen == 1) {
      int told = octet & LENGTH;
      int more = told == LENGTH_16 ? 2 : told == LENGTH_64 ? 8 : 0;
      length = more == 0 ? told : 0;
      lengthEnd = (byte) (HEAD_BYTES + more);
      headEnd = (byte) (lengthEnd + ((octet & MASKED) == 0 ? 0 : MASK_BYTES));
    } else if (seen < lengthEnd) {
      length = (length << 8) | octet;
    }
    seen++;
    if (seen == headEnd && seen > 1) {
      seen = 0;
      left = length < 0 ? Long.MAX_VALUE : length;
    }
  }

  /** Whether the next byte begins a frame. */
  boolean between() {
    return left == 0 && seen == 0;
  }

  /** Whether a close frame passed: nothing may follow it. */
  boolean closed() {
    return closed;
  }
}
