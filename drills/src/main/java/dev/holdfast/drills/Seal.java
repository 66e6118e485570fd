package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The bytes around an entry of the ledger, made and read here once more from their description and
 * not by the code under test. Immutable.
 *
 * @param position where it says that it stands
 * @param kind what the payload says that it is
 * @param deleted whether the key is gone
 */
@SuppressWarnings("ArrayRecordComponent") // handed on once, never compared
record Seal(
    long position,
    long revision,
    long atMillis,
    int schema,
    String kind,
    String key,
    String actor,
    boolean deleted,
    byte[] payload) {
  private static final short MAGIC = 0x4846;
  private static final int FIXED_BYTES = 2 + 1 + 1 + 8 + 8 + 8 + 4 + 3 * 2 + 4 + 4;
  private static final int BEFORE_KIND_BYTES = 2 + 1 + 1 + 8 + 8 + 8 + 4;

  byte[] bytes() {
    var texts = new byte[][] {kind.getBytes(UTF_8), key.getBytes(UTF_8), actor.getBytes(UTF_8)};
    int length = FIXED_BYTES + payload.length;
    for (var text : texts) {
      length += text.length;
    }
    var out = ByteBuffer.allocate(length);
    out.putShort(MAGIC).put((byte) 1).put((byte) (deleted ? 1 : 0));
    out.putLong(position).putLong(revision).putLong(atMillis).putInt(schema);
    for (var text : texts) {
      out.putShort((short) text.length).put(text);
    }
    out.putInt(payload.length).put(payload);
    var crc = new CRC32C();
    crc.update(out.array(), 0, out.position());
    return out.putInt((int) crc.getValue()).array();
  }

  /** The key in an envelope. */
  static String key(byte[] envelope) {
    var in = ByteBuffer.wrap(envelope).position(BEFORE_KIND_BYTES);
    var _ = text(in);
    return text(in);
  }

  private static String text(ByteBuffer in) {
    var bytes = new byte[Short.toUnsignedInt(in.getShort())];
    in.get(bytes);
    return new String(bytes, UTF_8);
  }
}
