package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Reads the fields of a head or the trailers after a chunked body, up to and with the empty line:
 * {@code token ":" OWS value OWS CRLF}, no folding, no blank before the colon (RFC 9112 section 5).
 * Confined to its event loop.
 */
final class FieldParser {
  /** Largest Set-Cookie of an app, as Heroku has it. */
  static final int COOKIE_BYTES_MAX = 8192;

  private final int lineBytesMax;
  private final int nameBytesMax;
  private final int countMax;
  private final int bytesMax;
  private final Headers headers = new Headers();
  private final LineReader lines = new LineReader();
  private int bytes;
  private boolean done;

  FieldParser(int lineBytesMax, int nameBytesMax, int countMax, int bytesMax) {
    this.lineBytesMax = lineBytesMax;
    this.nameBytesMax = nameBytesMax;
    this.countMax = countMax;
    this.bytesMax = bytesMax;
  }

  boolean done() {
    return done;
  }

  Headers headers() {
    return headers;
  }

  /** Takes what is there; null unless something is wrong. */
  @Nullable Fault feed(ByteBuf in) {
    while (!done) {
      int length = lines.next(in, lineBytesMax);
      switch (length) {
        case LineReader.MORE -> {
          return null;
        }
        case LineReader.TOO_LONG -> {
          return Fault.FIELDS_LARGE;
        }
        case LineReader.BAD_END -> {
          return Fault.FIELD;
        }
        case 0 -> done = true;
        default -> {
          var fault = field(in, in.readerIndex(), length);
          if (fault != null) {
            return fault;
          }
        }
      }
      LineReader.skip(in, length);
    }
    return null;
  }

  private @Nullable Fault field(ByteBuf in, int start, int length) {
    bytes += length + 2;
    if (bytes > bytesMax || headers.size() >= countMax) {
      return Fault.FIELDS_LARGE;
    }
    int end = start + length;
    int colon = in.indexOf(start, end, (byte) ':');
    if (colon < 0 || !Octets.token(in, start, colon - start)) {
      return Fault.FIELD;
    }
    if (colon - start > nameBytesMax) {
      return Fault.FIELDS_LARGE;
    }
    int from = colon + 1;
    while (from < end && Octets.blank(in.getByte(from))) {
      from++;
    }
    while (end > from && Octets.blank(in.getByte(end - 1))) {
      end--;
    }
    if (!Octets.text(in, from, end - from)) {
      return Fault.FIELD;
    }
    headers.add(
        in.toString(start, colon - start, ISO_8859_1), in.toString(from, end - from, ISO_8859_1));
    return null;
  }
}
