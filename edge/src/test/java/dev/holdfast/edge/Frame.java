package dev.holdfast.edge;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/**
 * One WebSocket frame (RFC 6455 section 5.2), just enough of it to be echoed and compared.
 *
 * @param head FIN, the reserved bits and the opcode
 * @param masked as clients have to send it
 */
@SuppressWarnings("ArrayRecordComponent") // compared by its content below, and never kept
record Frame(int head, boolean masked, byte[] payload) {
  static final int TEXT = 0x81;
  static final int BINARY = 0x82;
  static final int CLOSE = 0x88;
  static final int PING = 0x89;
  static final int PONG = 0x8a;
  private static final byte[] MASK = {0x37, (byte) 0xfa, 0x21, 0x3d};

  static Frame read(InputStream stream) throws IOException {
    var in = new DataInputStream(stream);
    int head = in.readUnsignedByte();
    int second = in.readUnsignedByte();
    long length = second & 0x7f;
    if (length == 126) {
      length = in.readUnsignedShort();
    } else if (length == 127) {
      length = in.readLong();
    }
    boolean masked = (second & 0x80) != 0;
    var mask = new byte[4];
    if (masked) {
      in.readFully(mask);
    }
    var payload = new byte[Math.toIntExact(length)];
    in.readFully(payload);
    return new Frame(head, masked, mask(payload, mask));
  }

  byte[] bytes() {
    var out = new ByteArrayOutputStream(payload.length + 14);
    out.write(head);
    int bit = masked ? 0x80 : 0;
    if (payload.length < 126) {
      out.write(bit | payload.length);
    } else if (payload.length < 65536) {
      out.write(bit | 126);
      out.write(payload.length >> 8);
      out.write(payload.length);
    } else {
      out.write(bit | 127);
      for (int shift = 56; shift >= 0; shift -= 8) {
        out.write((int) ((long) payload.length >> shift));
      }
    }
    if (masked) {
      out.writeBytes(MASK);
    }
    out.writeBytes(masked ? mask(payload, MASK) : payload);
    return out.toByteArray();
  }

  private static byte[] mask(byte[] payload, byte[] mask) {
    var out = payload.clone();
    for (int i = 0; i < out.length; i++) {
      out[i] ^= mask[i & 3];
    }
    return out;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Frame that
        && head == that.head
        && masked == that.masked
        && Arrays.equals(payload, that.payload);
  }

  @Override
  public int hashCode() {
    return 31 * head + Arrays.hashCode(payload);
  }

  @Override
  public String toString() {
    return Integer.toHexString(head) + (masked ? " masked " : " ") + payload.length + " bytes";
  }
}
