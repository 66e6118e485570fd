package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Takes the body out of what a connection delivers, piece by piece and without copying, and stops
 * at its end: what follows is left where it is. Chunk extensions are dropped, trailers are kept.
 * Confined to its event loop.
 */
final class BodyReader {
  /** Longest chunk size line with its extensions. */
  static final int CHUNK_LINE_BYTES_MAX = 4096;

  /** All trailers together. */
  static final int TRAILER_BYTES_MAX = 32 * 1024;

  private static final int SIZE_DIGITS_MAX = 15;

  private enum State {
    COUNTED,
    UNTIL_CLOSE,
    CHUNK_SIZE,
    CHUNK_DATA,
    CHUNK_END,
    TRAILERS,
    DONE
  }

  private final LineReader lines = new LineReader();
  private State state;
  private long left;
  private @Nullable FieldParser trailers;
  private @Nullable Fault fault;

  BodyReader(Framing framing) {
    state =
        switch (framing) {
          case Framing.None _, Framing.Unclear _ -> State.DONE;
          case Framing.Length(long bytes) -> {
            left = bytes;
            yield bytes == 0 ? State.DONE : State.COUNTED;
          }
          case Framing.Chunked _ -> State.CHUNK_SIZE;
          case Framing.UntilClose _ -> State.UNTIL_CLOSE;
        };
  }

  boolean done() {
    return state == State.DONE;
  }

  /** Whether the end of the connection is the regular end of the body. */
  boolean untilClose() {
    return state == State.UNTIL_CLOSE;
  }

  @Nullable Fault fault() {
    return fault;
  }

  /** The trailers, once the body is done; null when the framing has none. */
  @Nullable Headers trailers() {
    return trailers == null ? null : trailers.headers();
  }

  /** The next piece, which the caller releases; null when there is none (yet), or on a fault. */
  @Nullable ByteBuf next(ByteBuf in) {
    while (fault == null) {
      switch (state) {
        case DONE -> {
          return null;
        }
        case UNTIL_CLOSE -> {
          return in.isReadable() ? in.readRetainedSlice(in.readableBytes()) : null;
        }
        case COUNTED, CHUNK_DATA -> {
          if (!in.isReadable()) {
            return null;
          }
          int length = (int) Math.min(left, in.readableBytes());
          left -= length;
          if (left == 0) {
            state = state == State.COUNTED ? State.DONE : State.CHUNK_END;
          }
          return in.readRetainedSlice(length);
        }
        case CHUNK_SIZE -> {
          if (!size(in)) {
            return null;
          }
        }
        case CHUNK_END -> {
          if (!chunkEnd(in)) {
            return null;
          }
        }
        case TRAILERS -> {
          var parser = trailers;
          if (parser == null) {
            throw new IllegalStateException("trailers before the last chunk");
          }
          fault = parser.feed(in) == null ? null : Fault.CHUNK;
          if (!parser.done()) {
            return null;
          }
          state = State.DONE;
        }
      }
    }
    return null;
  }

  private boolean chunkEnd(ByteBuf in) {
    int at = in.readerIndex();
    if (in.isReadable() && in.getByte(at) != '\r') {
      fault = Fault.CHUNK;
    }
    if (in.readableBytes() < 2) {
      return false;
    }
    if (in.getByte(at + 1) != '\n') {
      fault = Fault.CHUNK;
      return false;
    }
    in.skipBytes(2);
    state = State.CHUNK_SIZE;
    return true;
  }

  /** {@code 1*HEXDIG [BWS ";" extension]}, RFC 9112 section 7.1. */
  private boolean size(ByteBuf in) {
    if (in.isReadable() && Octets.hex(in.getByte(in.readerIndex())) < 0) {
      fault = Fault.CHUNK;
      return false;
    }
    int length = lines.next(in, CHUNK_LINE_BYTES_MAX);
    if (length == LineReader.MORE) {
      return false;
    }
    if (length < 0 || !Octets.text(in, in.readerIndex(), length)) {
      fault = Fault.CHUNK;
      return false;
    }
    int start = in.readerIndex();
    int at = start;
    int end = start + length;
    long size = 0;
    while (at < end && Octets.hex(in.getByte(at)) >= 0) {
      size = (size << 4) | Octets.hex(in.getByte(at++));
    }
    boolean sized = at > start && at - start <= SIZE_DIGITS_MAX;
    int extension = at;
    while (extension < end && Octets.blank(in.getByte(extension))) {
      extension++;
    }
    if (!sized || (at < end && (extension == end || in.getByte(extension) != ';'))) {
      fault = Fault.CHUNK;
      return false;
    }
    LineReader.skip(in, length);
    left = size;
    if (size == 0) {
      trailers =
          new FieldParser(
              CHUNK_LINE_BYTES_MAX * 2,
              EdgeConfig.HEADER_NAME_BYTES_MAX,
              EdgeConfig.HEADERS_MAX,
              TRAILER_BYTES_MAX);
      state = State.TRAILERS;
    } else {
      state = State.CHUNK_DATA;
    }
    return true;
  }
}
