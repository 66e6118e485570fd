package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** GZIP (RFC 1952) of the JDK: 256 KiB of memory while a response is under way. */
final class GzipEncoder implements Encoder {
  private static final int LEVEL = 5;
  private static final int STEP = 8192;
  private static final byte[] HEADER = {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, (byte) 0xff};

  private final ByteBufAllocator allocator;
  private final Deflater deflater = new Deflater(LEVEL, true);
  private final CRC32 crc = new CRC32();
  private boolean begun;

  GzipEncoder(ByteBufAllocator allocator) {
    this.allocator = allocator;
  }

  @Override
  public ByteBuf encode(ByteBuf in) {
    try {
      var out = begin();
      for (var piece : in.nioBuffers()) {
        crc.update(piece.duplicate());
        deflater.setInput(piece);
        deflate(out, Deflater.NO_FLUSH);
      }
      return out;
    } finally {
      in.release();
    }
  }

  @Override
  public ByteBuf flush() {
    var out = begin();
    deflate(out, Deflater.SYNC_FLUSH);
    return out;
  }

  @Override
  public ByteBuf finish() {
    var out = begin();
    deflater.finish();
    deflate(out, Deflater.NO_FLUSH);
    out.writeIntLE((int) crc.getValue());
    return out.writeIntLE((int) deflater.getBytesRead());
  }

  private ByteBuf begin() {
    var out = allocator.buffer(STEP);
    if (!begun) {
      begun = true;
      out.writeBytes(HEADER);
    }
    return out;
  }

  private void deflate(ByteBuf out, int mode) {
    int written;
    int room;
    do {
      out.ensureWritable(STEP);
      var buffer = out.nioBuffer(out.writerIndex(), out.writableBytes());
      room = buffer.remaining();
      written = deflater.deflate(buffer, mode);
      out.writerIndex(out.writerIndex() + written);
    } while (written == room);
  }

  @Override
  public void close() {
    deflater.end();
  }
}
