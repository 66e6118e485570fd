package dev.holdfast.edge;

import com.github.luben.zstd.EndDirective;
import com.github.luben.zstd.ZstdCompressCtx;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.ByteBuffer;

/** Zstandard (RFC 8878) with a window of 512 KiB, of the 8 MiB that browsers take. */
final class ZstdEncoder implements Encoder {
  private static final int LEVEL = 3;
  private static final int WINDOW_BITS = 19;
  private static final int STEP = 8192;

  private final ByteBufAllocator allocator;
  private final ZstdCompressCtx context;
  private final ByteBuffer nothing = ByteBuffer.allocateDirect(0);

  ZstdEncoder(ByteBufAllocator allocator) {
    this.allocator = allocator;
    context = new ZstdCompressCtx().setLevel(LEVEL).setWindowLog(WINDOW_BITS);
  }

  @Override
  public ByteBuf encode(ByteBuf in) {
    var direct = in;
    if (!in.isDirect() || in.nioBufferCount() != 1) {
      direct = allocator.directBuffer(in.readableBytes());
      direct.writeBytes(in);
      in.release();
    }
    try {
      return compress(direct.nioBuffer(), EndDirective.CONTINUE);
    } finally {
      direct.release();
    }
  }

  @Override
  public ByteBuf flush() {
    return compress(nothing.duplicate(), EndDirective.FLUSH);
  }

  @Override
  public ByteBuf finish() {
    return compress(nothing.duplicate(), EndDirective.END);
  }

  private ByteBuf compress(ByteBuffer from, EndDirective directive) {
    var out = allocator.directBuffer(STEP);
    boolean done = false;
    while (!done || from.hasRemaining()) {
      out.ensureWritable(STEP);
      var buffer = out.nioBuffer(out.writerIndex(), out.writableBytes());
      int before = buffer.position();
      done = context.compressDirectByteBufferStream(buffer, from, directive);
      out.writerIndex(out.writerIndex() + buffer.position() - before);
      done |= directive == EndDirective.CONTINUE; // the rest waits inside for more
    }
    return out;
  }

  @Override
  public void close() {
    context.close();
  }
}
