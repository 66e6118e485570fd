package dev.holdfast.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.limits.Check;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * The bytes around an entry, which say what they are and whether they are whole.
 *
 * <p>Big-endian: magic {@code 48 46} ("HF"), version 1, flags (bit 0: deleted), position i64,
 * revision i64, time in epoch milliseconds i64, schema i32; kind, key and actor, each a u16 length
 * and UTF-8; payload length i32 and payload; at the end the CRC-32C (RFC 3720) of all bytes before
 * it.
 */
public final class Envelope {
  private static final short MAGIC = 0x4846;
  private static final byte VERSION = 1;
  private static final byte DELETED = 1;
  private static final int FIXED_BYTES = 2 + 1 + 1 + 8 + 8 + 8 + 4 + 3 * 2 + 4 + 4;

  /** No envelope is longer. */
  public static final int BYTES_MAX =
      FIXED_BYTES
          + Entry.KIND_BYTES_MAX
          + Entry.KEY_BYTES_MAX
          + Entry.ACTOR_BYTES_MAX
          + Entry.PAYLOAD_BYTES_MAX;

  /** What became of an attempt to read an envelope. */
  public sealed interface Decoded {
    /** The bytes are whole. */
    record Good(Entry entry) implements Decoded {}

    /** The bytes cannot be trusted; not even their key. */
    record Unreadable(String cause) implements Decoded {}
  }

  private Envelope() {}

  /** The entry's bytes. */
  public static Payload encode(Entry entry) {
    byte[] kind = entry.kind().getBytes(UTF_8);
    byte[] key = entry.key().getBytes(UTF_8);
    byte[] actor = entry.actor().getBytes(UTF_8);
    byte[] payload = entry.payload().shared();
    var out =
        ByteBuffer.allocate(FIXED_BYTES + kind.length + key.length + actor.length + payload.length);
    out.putShort(MAGIC).put(VERSION).put(entry.deleted() ? DELETED : 0);
    out.putLong(entry.position()).putLong(entry.revision());
    out.putLong(entry.time().toEpochMilli()).putInt(entry.schema());
    out.putShort((short) kind.length).put(kind);
    out.putShort((short) key.length).put(key);
    out.putShort((short) actor.length).put(actor);
    out.putInt(payload.length).put(payload);
    out.putInt(crc(out.array(), out.position()));
    return Payload.wrap(out.array());
  }

  /** The entry inside, or why there is none. Never throws. */
  public static Decoded decode(Payload envelope) {
    byte[] bytes = envelope.shared();
    if (bytes.length < FIXED_BYTES || bytes.length > BYTES_MAX) {
      return bad("length", bytes.length, FIXED_BYTES + " to " + BYTES_MAX + " bytes");
    }
    var in = ByteBuffer.wrap(bytes);
    int crc = in.getInt(bytes.length - 4);
    int actualCrc = crc(bytes, bytes.length - 4);
    if (crc != actualCrc) {
      return bad("crc32c", Integer.toHexString(crc), Integer.toHexString(actualCrc));
    }
    short magic = in.getShort();
    byte version = in.get();
    if (magic != MAGIC || version != VERSION) {
      return bad("magic and version", magic + "." + version, MAGIC + "." + VERSION);
    }
    try {
      boolean deleted = (in.get() & DELETED) != 0;
      long position = in.getLong();
      long revision = in.getLong();
      var time = Instant.ofEpochMilli(in.getLong());
      int schema = in.getInt();
      var kind = name(bytes, in);
      int keyLength = skip(in);
      var key = new String(bytes, in.position() - keyLength, keyLength, UTF_8);
      var actor = name(bytes, in);
      int length = in.getInt();
      if (length != in.remaining() - 4) {
        return bad("payload length", length, String.valueOf(in.remaining() - 4));
      }
      byte[] payload = Arrays.copyOfRange(bytes, in.position(), in.position() + length);
      return new Decoded.Good(
          new Entry(
              position,
              key,
              kind,
              schema,
              revision,
              time,
              actor,
              deleted,
              length == 0 ? Payload.EMPTY : Payload.wrap(payload)));
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      return new Decoded.Unreadable(String.valueOf(e.getMessage()));
    }
  }

  /** What is in an envelope, which must say where it stands. Never throws. */
  static Decoded open(Sealed sealed) {
    return switch (decode(sealed.envelope())) {
      case Decoded.Good(var entry) when entry.position() != sealed.position() ->
          new Decoded.Unreadable(
              "the entry stored at " + sealed.position() + " says " + entry.position());
      case Decoded.Good good -> good;
      case Decoded.Unreadable(var cause) ->
          new Decoded.Unreadable(
              "the envelope at " + sealed.position() + " cannot be read: " + cause);
    };
  }

  /** CRC-32C of an entry's payload: what digests are made from. */
  static int crc(Payload payload) {
    return crc(payload.shared(), payload.length());
  }

  private static int crc(byte[] bytes, int length) {
    var crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }

  /** A text of which there are few. */
  private static String name(byte[] bytes, ByteBuffer in) {
    int length = skip(in);
    return Repeated.NAMES.of(bytes, in.position() - length, length);
  }

  /** Goes behind the text that comes; how long it is. */
  private static int skip(ByteBuffer in) {
    int length = Short.toUnsignedInt(in.getShort());
    if (length > in.remaining()) {
      throw new BufferUnderflowException();
    }
    in.position(in.position() + length);
    return length;
  }

  private static Decoded bad(String name, Object value, String expected) {
    return new Decoded.Unreadable(Check.message(name, value, expected));
  }
}
