package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import java.io.IOException;

/**
 * Compresses one body as it passes, with memory that does not grow with it. Confined to its event
 * loop.
 */
sealed interface Encoder extends AutoCloseable permits GzipEncoder, BrotliEncoder, ZstdEncoder {

  /**
   * Takes all that is readable, and releases it; answers what comes of it so far, maybe nothing.
   */
  ByteBuf encode(ByteBuf in) throws IOException;

  /** All that was taken and not answered yet, so that the client can read it: for event streams. */
  ByteBuf flush() throws IOException;

  /** The end of the body. */
  ByteBuf finish() throws IOException;

  /** Gives the memory back, whether finished or not. */
  @Override
  void close();
}
