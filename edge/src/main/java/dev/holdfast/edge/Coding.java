package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * The body of one answer on its way through an {@link Encoder}, out of it in chunks. What the app
 * said at one time is let out at that time, so that a stream stays one. Used again for the next
 * answer. Confined to its event loop.
 */
final class Coding {
  private final Loop loop;
  private final Outgoing out;
  private final Tally tally;
  private @Nullable Encoder encoder;
  private boolean stream;
  private boolean dirty;

  Coding(Loop loop, Outgoing out, Tally tally) {
    this.loop = loop;
    this.out = out;
    this.tally = tally;
  }

  /** Whether a body is on its way. */
  boolean on() {
    return encoder != null;
  }

  /** Begins with the body of that answer when its finish asks for it and an encoder is free. */
  void begin(Finish finish, Response response, ByteBufAllocator allocator) {
    var asked = finish.encoding();
    if (asked == null) {
      return;
    }
    stream = response.eventStream();
    dirty = false;
    encoder = loop.encoders().open(asked, allocator, stream);
    if (encoder == null) {
      finish.uncoded();
    } else {
      finish.coded(response.head);
    }
  }

  /** Takes that many bytes off a buffer that stays the caller's. */
  void take(ByteBuf in, int size) {
    dirty = true;
    try {
      pass(open().encode(in.readRetainedSlice(size)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The app said nothing more for now: the client gets to read all of it. */
  void flush() {
    if (dirty) {
      dirty = false;
      try {
        pass(open().flush());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** The body is over. */
  void finish() {
    try {
      pass(open().finish());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    close();
  }

  /** Gives the memory back, whether the body is over or not. */
  void close() {
    var was = encoder;
    if (was != null) {
      encoder = null;
      loop.encoders().close(was, stream);
    }
  }

  private Encoder open() {
    if (encoder == null) {
      throw new IllegalStateException("a body that is not compressed");
    }
    return encoder;
  }

  private void pass(ByteBuf coded) {
    int size = coded.readableBytes();
    if (size == 0) {
      coded.release();
      return;
    }
    tally.bytesOut += size;
    Chunks.begin(out, size);
    out.pass(coded);
    Chunks.end(out);
  }
}
