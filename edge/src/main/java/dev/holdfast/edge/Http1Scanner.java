package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Takes the HTTP/1.1 that the edge itself writes apart again, for a connection that speaks HTTP/2:
 * heads, bodies without copying, trailers. What it reads was checked when it came in, so it checks
 * nothing; it is no parser for strangers. Confined to its event loop.
 */
final class Http1Scanner {
  enum Event {
    /** Everything there is was taken. */
    MORE,
    /** A head is whole; {@link #frame} or {@link #again} says how to go on. */
    HEAD,
    /** A piece of the body came; {@link #takeData} hands it over. */
    DATA,
    /** A chunked body is over; {@link #fields} are its trailers. */
    END
  }

  private enum State {
    START_LINE,
    FIELDS,
    FRAMING,
    COUNTED,
    CHUNK_SIZE,
    CHUNK_DATA,
    CHUNK_END,
    TRAILERS,
    OVER
  }

  private final StringBuilder partial = new StringBuilder();
  private final List<String> fields = new ArrayList<>(32);
  private State state = State.START_LINE;
  private String startLine = "";
  private long left;
  private @Nullable ByteBuf data;

  String startLine() {
    return startLine;
  }

  /** Names in lower case and values in turn. */
  List<String> fields() {
    return fields;
  }

  /** Whether the message is over, as far as it came. */
  boolean over() {
    return state == State.OVER;
  }

  /** Another head follows: this one was an interim response. */
  void again() {
    state = State.START_LINE;
    fields.clear();
  }

  /** The body is as the head says, or there is none whatever the head says. */
  void frame(boolean bodyless) {
    var length = value("content-length");
    if (bodyless) {
      state = State.OVER;
    } else if (value("transfer-encoding") != null) {
      state = State.CHUNK_SIZE;
    } else if (length != null) {
      left = Long.parseLong(length);
      state = left == 0 ? State.OVER : State.COUNTED;
    } else {
      state = State.OVER;
    }
  }

  /** The first value of that name, or null. */
  @Nullable String value(String name) {
    for (int i = 0; i < fields.size(); i += 2) {
      if (fields.get(i).equals(name)) {
        return fields.get(i + 1);
      }
    }
    return null;
  }

  /** The piece that came, which the caller releases. */
  ByteBuf takeData() {
    var piece = data;
    if (piece == null) {
      throw new IllegalStateException("no data came");
    }
    data = null;
    return piece;
  }

  /** The next thing in these bytes. */
  Event next(ByteBuf in) {
    while (in.isReadable()) {
      switch (state) {
        case START_LINE -> {
          var line = line(in);
          if (line != null) {
            startLine = line;
            state = State.FIELDS;
          }
        }
        case FIELDS, TRAILERS -> {
          var line = line(in);
          if (line != null && line.isEmpty()) {
            boolean head = state == State.FIELDS;
            state = head ? State.FRAMING : State.OVER;
            return head ? Event.HEAD : Event.END;
          }
          if (line != null) {
            int colon = line.indexOf(':');
            fields.add(line.substring(0, colon).toLowerCase(Locale.ROOT));
            fields.add(line.substring(colon + 1).strip());
          }
        }
        case CHUNK_SIZE -> {
          var line = line(in);
          if (line != null) {
            left = Long.parseLong(line, 16);
            fields.clear();
            state = left == 0 ? State.TRAILERS : State.CHUNK_DATA;
          }
        }
        case CHUNK_END -> {
          if (line(in) != null) {
            state = State.CHUNK_SIZE;
          }
        }
        case COUNTED, CHUNK_DATA -> {
          int length = (int) Math.min(left, in.readableBytes());
          left -= length;
          if (left == 0) {
            state = state == State.COUNTED ? State.OVER : State.CHUNK_END;
          }
          data = in.readRetainedSlice(length);
          return Event.DATA;
        }
        case FRAMING -> throw new IllegalStateException("a body before its framing is known");
        case OVER -> in.skipBytes(in.readableBytes());
      }
    }
    return Event.MORE;
  }

  /** The next line without its end, or null when it is not whole yet. */
  private @Nullable String line(ByteBuf in) {
    int start = in.readerIndex();
    int end = in.indexOf(start, in.writerIndex(), (byte) '\n');
    if (end < 0) {
      partial.append(in.readCharSequence(in.readableBytes(), ISO_8859_1));
      return null;
    }
    var line = in.toString(start, end - start, ISO_8859_1);
    in.readerIndex(end + 1);
    if (!partial.isEmpty()) {
      line = partial.append(line).toString();
      partial.setLength(0);
    }
    return line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
  }
}
