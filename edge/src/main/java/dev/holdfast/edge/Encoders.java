package dev.holdfast.edge;

import dev.holdfast.ledger.Policy.Encoding;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * How many answers one event loop compresses at one time: each needs up to 2 MiB while it is under
 * way. Event streams, which may be under way for days, get a part of them; who comes when all are
 * in use passes as he is. Confined to its event loop.
 */
final class Encoders {
  /** Answers that are compressed at one time. */
  static final int MAX = 64;

  /** Event streams among them. */
  static final int STREAMS_MAX = 16;

  private int open;
  private int streams;

  /** An encoder, to be given back by {@link #close}; null when all are in use. */
  @Nullable Encoder open(Encoding encoding, ByteBufAllocator allocator, boolean stream) {
    if (open >= MAX || (stream && streams >= STREAMS_MAX)) {
      return null;
    }
    try {
      var encoder = Compression.encoder(encoding, allocator);
      open++;
      streams += stream ? 1 : 0;
      return encoder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void close(Encoder encoder, boolean stream) {
    open--;
    streams -= stream ? 1 : 0;
    encoder.close();
  }

  /** How many are in use. */
  int inUse() {
    return open;
  }
}
