package dev.holdfast.edge;

import com.aayushatharva.brotli4j.encoder.BrotliEncoderChannel;
import com.aayushatharva.brotli4j.encoder.Encoder.Parameters;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/** Brotli (RFC 7932) at a level that costs about as much as gzip, with a window of 256 KiB. */
final class BrotliEncoder implements Encoder {
  private static final int QUALITY = 4;
  private static final int WINDOW_BITS = 18;
  private static final int STEP = 8192;

  private final ByteBufAllocator allocator;
  private final BrotliEncoderChannel channel;
  private ByteBuf out = Unpooled.EMPTY_BUFFER;
  private boolean closed;

  BrotliEncoder(ByteBufAllocator allocator) throws IOException {
    this.allocator = allocator;
    channel = new BrotliEncoderChannel(new Into(), Parameters.create(QUALITY, WINDOW_BITS), STEP);
  }

  private final class Into implements WritableByteChannel {
    @Override
    public int write(ByteBuffer from) {
      int length = from.remaining();
      out.writeBytes(from);
      return length;
    }

    @Override
    public boolean isOpen() {
      return !closed;
    }

    @Override
    public void close() {
      // what is written is the caller's
    }
  }

  @Override
  public ByteBuf encode(ByteBuf in) throws IOException {
    out = allocator.buffer(STEP);
    try {
      for (var piece : in.nioBuffers()) {
        while (piece.hasRemaining()) {
          channel.write(piece);
        }
      }
    } finally {
      in.release();
    }
    return out;
  }

  @Override
  public ByteBuf flush() throws IOException {
    out = allocator.buffer(STEP);
    channel.flush();
    return out;
  }

  @Override
  public ByteBuf finish() throws IOException {
    out = allocator.buffer(STEP);
    channel.close();
    closed = true;
    return out;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    out = allocator.buffer(STEP);
    try {
      channel.close();
    } catch (IOException e) {
      throw new IllegalStateException("memory was refused", e);
    } finally {
      out.release();
    }
  }
}
