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
  private static final Head.Limits TRAILERS =
      new Head.Limits(
          0,
          CHUNK_LINE_BYTES_MAX * 2,
          EdgeConfig.HEADER_NAME_BYTES_MAX,
          EdgeConfig.HEADERS_MAX,
          TRAILER_BYTES_MAX);

  private enum State {
    COUNTED,
    UNTIL_CLOSE,
    CHUNK_SIZE,
    CHUNK_DATA,
    CHUNK_END,
    TRAILERS,
    DONE
  }

  private State state = State.DONE;
  private long left;
  private int looked;
  private @Nullable Head trailers;
  private @Nullable Fault fault;

  /** Ready for a new body. */
  void reset(Framing framing) {
    left = framing.length();
    looked = 0;
    trailers = null;
    fault = null;
    state =
        switch (framing.kind()) {
          case NONE -> State.DONE;
          case LENGTH -> left == 0 ? State.DONE : State.COUNTED;
          case CHUNKED -> State.CHUNK_SIZE;
          case UNTIL_CLOSE -> State.UNTIL_CLOSE;
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

  /** The trailers, once the body is done; null when there are none. */
  @Nullable Head trailers() {
    return trailers;
  }

  /**
   * How many bytes at the reader index are data and can be copied or passed on at once; the caller
   * takes them and says so by {@link #took}. 0 when the framing has to be read first.
   */
  int ready(ByteBuf in) {
    return switch (state) {
      case COUNTED, CHUNK_DATA -> (int) Math.min(left, in.readableBytes());
      case UNTIL_CLOSE -> in.readableBytes();
      case CHUNK_SIZE, CHUNK_END, TRAILERS, DONE -> 0;
    };
  }

  /** Bytes of a counted body, or of a chunk, that were not taken yet. */
  long left() {
    return left;
  }

  /** So many bytes of data were taken. */
  void took(int bytes) {
    if (state == State.UNTIL_CLOSE) {
      return;
    }
    left -= bytes;
    if (left == 0) {
      state = state == State.COUNTED ? State.DONE : State.CHUNK_END;
    }
  }

  /** Reads framing until data is next; false when more has to come, at the end, or on a fault. */
  boolean advance(ByteBuf in) {
    while (fault == null) {
      switch (state) {
        case DONE -> {
          return false;
        }
        case COUNTED, CHUNK_DATA, UNTIL_CLOSE -> {
          return in.isReadable();
        }
        case CHUNK_SIZE -> {
          if (!size(in)) {
            return false;
          }
        }
        case CHUNK_END -> {
          if (!chunkEnd(in)) {
            return false;
          }
        }
        case TRAILERS -> {
          if (!trailersRead(in)) {
            return false;
          }
        }
      }
    }
    return false;
  }

  private boolean trailersRead(ByteBuf in) {
    var head = trailers;
    if (head == null) {
      int start = in.readerIndex();
      if (in.readableBytes() < 2 && (!in.isReadable() || in.getByte(start) == '\r')) {
        return false;
      }
      if (in.getByte(start) == '\r' && in.getByte(start + 1) == '\n') {
        in.skipBytes(2);
        state = State.DONE;
        return true;
      }
      head = new Head().reset(TRAILERS);
      trailers = head;
    }
    fault = head.fields(in) == null ? null : Fault.CHUNK;
    if (fault != null || !head.done()) {
      return false;
    }
    state = State.DONE;
    return true;
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
    int length = line(in);
    if (length == Line.MORE) {
      return false;
    }
    if (length < 0 || !text(in, in.readerIndex(), length)) {
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
    in.skipBytes(length + 2);
    left = size;
    if (size == 0) {
      state = State.TRAILERS;
    } else {
      state = State.CHUNK_DATA;
    }
    return true;
  }

  /** The length of the line at the reader index without its end, or a negative sign. */
  private int line(ByteBuf in) {
    int start = in.readerIndex();
    int end = in.indexOf(start + looked, in.writerIndex(), (byte) '\n');
    if (end < 0) {
      looked = in.readableBytes();
      return looked > CHUNK_LINE_BYTES_MAX + 1 ? Line.TOO_LONG : Line.MORE;
    }
    looked = 0;
    if (end == start || in.getByte(end - 1) != '\r') {
      return Line.BAD_END;
    }
    int length = end - 1 - start;
    return length > CHUNK_LINE_BYTES_MAX ? Line.TOO_LONG : length;
  }

  private static boolean text(ByteBuf in, int start, int length) {
    for (int i = start; i < start + length; i++) {
      int octet = in.getByte(i) & 0xff;
      if ((octet < 0x20 && octet != '\t') || octet == 0x7f) {
        return false;
      }
    }
    return true;
  }
}
