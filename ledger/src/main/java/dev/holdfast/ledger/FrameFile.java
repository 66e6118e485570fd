package dev.holdfast.ledger;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.zip.CRC32C;

/**
 * A file of frames, each with a checksum of its own, that is written at its end and read from its
 * beginning. Confined to one thread at a time.
 *
 * <p>Big-endian: magic {@code 48 46 53 31} ("HFS1"), start position i64; then frames: type u8,
 * flags u8, position i64, word i64, length i32, envelope, CRC-32C (RFC 3720) of the frame before
 * it. Types: 1 an entry (word: hash of its key), 2 a mark (word: wall-clock milliseconds), 3 the
 * end of a base (position: number of its frames, word: number of its first log). What stands behind
 * a frame that is not whole is not looked at.
 */
final class FrameFile {
  static final int ENTRY = 1;
  static final int MARK = 2;
  static final int END = 3;
  private static final int MAGIC = 0x48465331;
  private static final int HEADER_BYTES = 12;
  private static final int FIXED_BYTES = 1 + 1 + 8 + 8 + 4;
  private static final int BUFFER_BYTES = 256 << 10;

  private FrameFile() {}

  /** Who is handed what stands in a file; false ends the reading. */
  interface Visitor {
    boolean frame(int type, int flags, long position, long word, byte[] envelope)
        throws IOException;
  }

  /** Writes frames. */
  static final class Out implements AutoCloseable {
    private final FileChannel channel;
    private ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
    private final CRC32C crc = new CRC32C();
    private long bytes;
    private long frames;

    /** A new file, readable for its owner only. */
    Out(Path file, long start) throws IOException {
      channel =
          FileChannel.open(
              file,
              Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      buffer.putInt(MAGIC).putLong(start);
    }

    void entry(Shelf.Frame frame) throws IOException {
      var sealed = frame.sealed();
      put(ENTRY, frame.flags(), sealed.position(), frame.keyHash(), sealed.envelope().shared());
    }

    void mark(Shelf.Mark mark) throws IOException {
      put(MARK, 0, mark.position(), mark.asOfMillis(), Payload.EMPTY.shared());
    }

    void end(long firstLog) throws IOException {
      put(END, 0, frames, firstLog, Payload.EMPTY.shared());
    }

    void put(int type, int flags, long position, long word, byte[] envelope) throws IOException {
      int length = FIXED_BYTES + envelope.length + 4;
      if (buffer.remaining() < length) {
        flush();
        if (buffer.capacity() < length) {
          buffer = ByteBuffer.allocate(length);
        }
      }
      int start = buffer.position();
      buffer.put((byte) type).put((byte) flags).putLong(position).putLong(word);
      buffer.putInt(envelope.length).put(envelope);
      crc.reset();
      crc.update(buffer.array(), start, length - 4);
      buffer.putInt((int) crc.getValue());
      frames++;
    }

    /** Hands what was put to the system. */
    void flush() throws IOException {
      buffer.flip();
      while (buffer.hasRemaining()) {
        bytes += channel.write(buffer);
      }
      buffer.clear();
    }

    long bytes() {
      return bytes + buffer.position();
    }

    void force() throws IOException {
      channel.force(true);
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  /** Reads the start position in the file's header; -1 when it is none of ours. */
  static long start(Path file) throws IOException {
    try (var channel = FileChannel.open(file)) {
      var in = ByteBuffer.allocate(HEADER_BYTES);
      while (in.hasRemaining() && channel.read(in) >= 0) {}
      in.flip();
      return in.remaining() < HEADER_BYTES || in.getInt() != MAGIC ? -1 : in.getLong();
    }
  }

  /** About how many frames a base has, as its end says, which is not checked; 0 when unknown. */
  static long frames(Path file) throws IOException {
    int endBytes = FIXED_BYTES + 4;
    try (var channel = FileChannel.open(file)) {
      var in = ByteBuffer.allocate(endBytes);
      channel.position(Math.max(0, channel.size() - endBytes));
      while (in.hasRemaining() && channel.read(in) >= 0) {}
      in.flip();
      return in.remaining() < endBytes || in.get() != END
          ? 0
          : Math.clamp(in.getLong(2), 0, channel.size() / endBytes);
    }
  }

  /** Hands over every whole frame; whether the file ends behind the last one. */
  static boolean read(Path file, Visitor visitor) throws IOException {
    try (var channel = FileChannel.open(file)) {
      var in = new In(channel);
      if (!in.has(HEADER_BYTES) || in.buffer.getInt() != MAGIC) {
        return false;
      }
      in.buffer.getLong();
      var crc = new CRC32C();
      while (in.has(FIXED_BYTES)) {
        var buffer = in.buffer;
        int at = buffer.position();
        int length = buffer.getInt(at + FIXED_BYTES - 4);
        if (length < 0 || length > Envelope.BYTES_MAX || !in.has(FIXED_BYTES + length + 4)) {
          return false;
        }
        buffer = in.buffer;
        at = buffer.position();
        crc.reset();
        crc.update(in.bytes, at, FIXED_BYTES + length);
        if ((int) crc.getValue() != buffer.getInt(at + FIXED_BYTES + length)) {
          return false;
        }
        int type = buffer.get();
        int flags = buffer.get();
        long position = buffer.getLong();
        long word = buffer.getLong();
        buffer.getInt();
        byte[] envelope = new byte[length];
        buffer.get(envelope).getInt();
        if (!visitor.frame(type, flags, position, word, envelope)) {
          return true;
        }
      }
      return !in.buffer.hasRemaining();
    }
  }

  /** A window over a file. */
  private static final class In {
    private final FileChannel channel;
    private byte[] bytes = new byte[BUFFER_BYTES];
    private ByteBuffer buffer = ByteBuffer.wrap(bytes).limit(0);

    In(FileChannel channel) {
      this.channel = channel;
    }

    /** Whether so many bytes are left, which are in the window then. */
    boolean has(int bytes) throws IOException {
      if (buffer.remaining() >= bytes) {
        return true;
      }
      if (buffer.capacity() < bytes) {
        this.bytes = new byte[bytes];
        buffer = ByteBuffer.wrap(this.bytes).put(buffer);
      } else {
        buffer.compact();
      }
      while (buffer.position() < bytes && channel.read(buffer) >= 0) {}
      buffer.flip();
      return buffer.remaining() >= bytes;
    }
  }

  /** The frame's entry. */
  static Shelf.Frame entry(int flags, long position, long word, byte[] envelope) {
    return new Shelf.Frame(new Sealed(position, Payload.wrap(envelope)), word, flags);
  }
}
