package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;

/** Where an event loop writes heads together before they go out. Confined to its event loop. */
final class Scratch {
  private static final int BYTES_INITIAL = 8192;
  private static final int BYTES_KEPT = 64 * 1024;
  private static final byte[] END = {'\r', '\n'};

  private byte[] bytes = new byte[BYTES_INITIAL];
  private int length;

  Scratch clear() {
    if (bytes.length > BYTES_KEPT) {
      bytes = new byte[BYTES_INITIAL];
    }
    length = 0;
    return this;
  }

  int length() {
    return length;
  }

  Scratch add(byte[] from) {
    return add(from, 0, from.length);
  }

  Scratch add(byte[] from, int at, int end) {
    int size = end - at;
    room(size);
    System.arraycopy(from, at, bytes, length, size);
    length += size;
    return this;
  }

  Scratch add(byte one) {
    room(1);
    bytes[length++] = one;
    return this;
  }

  Scratch number(long number) {
    room(20);
    length = Octets.digits(bytes, length, number);
    return this;
  }

  Scratch hex(int number) {
    room(8);
    int shift = (31 - Integer.numberOfLeadingZeros(number | 1)) & ~3;
    for (; shift >= 0; shift -= 4) {
      int digit = number >>> shift & 0xf;
      bytes[length++] = (byte) (digit < 10 ? '0' + digit : 'a' + digit - 10);
    }
    return this;
  }

  Scratch endLine() {
    return add(END);
  }

  void into(ByteBuf out) {
    out.writeBytes(bytes, 0, length);
  }

  private void room(int size) {
    if (length + size > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + size));
    }
  }
}
