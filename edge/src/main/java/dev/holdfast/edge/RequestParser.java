package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Reads one request head (RFC 9112 sections 2 and 3), strictly: what two readers could understand
 * differently is refused. Confined to its event loop.
 *
 * <p>It is our own because a lenient decoder in front hides exactly what has to be refused: a fold
 * that was unfolded and a line end that was forgiven can no longer be seen in its result.
 */
final class RequestParser {
  private static final int METHOD_BYTES_MAX = 127;
  private static final int VERSION_BYTES = 8;

  private final EdgeConfig config;
  private final LineReader lines = new LineReader();
  private final FieldParser fields;
  private boolean leadingLineSkipped;
  private @Nullable String method;
  private @Nullable String target;
  private boolean http11;

  RequestParser(EdgeConfig config) {
    this.config = config;
    fields =
        new FieldParser(
            config.headerLineBytesMax(),
            EdgeConfig.HEADER_NAME_BYTES_MAX,
            config.headersMax(),
            config.headBytesMax());
  }

  boolean done() {
    return fields.done();
  }

  /** Takes what is there; null unless something is wrong. */
  @Nullable Fault feed(ByteBuf in) {
    if (method == null) {
      var fault = requestLine(in);
      if (fault != null || method == null) {
        return fault;
      }
    }
    return fields.feed(in);
  }

  /** The method as far as it is known, for the log. */
  String method() {
    return method == null ? "" : method;
  }

  /** The target as it was sent, as far as it is known. */
  String target() {
    return target == null ? "" : target;
  }

  boolean http11() {
    return http11;
  }

  Headers headers() {
    return fields.headers();
  }

  private @Nullable Fault requestLine(ByteBuf in) {
    while (true) {
      if (in.isReadable() && !begins(in.getByte(in.readerIndex()))) {
        return Fault.LINE; // such as a TLS handshake: no need to wait for a line that never ends
      }
      int length = lines.next(in, config.requestLineBytesMax());
      switch (length) {
        case LineReader.MORE -> {
          return null;
        }
        case LineReader.TOO_LONG -> {
          return Fault.LINE_LONG;
        }
        case LineReader.BAD_END -> {
          return Fault.LINE;
        }
        case 0 -> {
          if (leadingLineSkipped) {
            return Fault.LINE;
          }
          leadingLineSkipped = true;
          LineReader.skip(in, 0);
        }
        default -> {
          var fault = split(in, in.readerIndex(), length);
          LineReader.skip(in, length);
          return fault;
        }
      }
    }
  }

  private boolean begins(byte first) {
    return Octets.token(first) || (first == '\r' && !leadingLineSkipped);
  }

  private @Nullable Fault split(ByteBuf in, int start, int length) {
    int end = start + length;
    int space = in.indexOf(start, end, (byte) ' ');
    if (space < 0 || space - start > METHOD_BYTES_MAX || !Octets.token(in, start, space - start)) {
      return Fault.LINE;
    }
    int version = end - VERSION_BYTES;
    if (version <= space + 2 || in.getByte(version - 1) != ' ') {
      return Fault.LINE;
    }
    int targetLength = version - 1 - (space + 1);
    for (int i = space + 1; i < space + 1 + targetLength; i++) {
      int octet = in.getByte(i) & 0xff;
      if (octet <= ' ' || octet == 0x7f || octet == '#') {
        return Fault.LINE;
      }
    }
    var name = in.toString(version, VERSION_BYTES, ISO_8859_1);
    if (!name.startsWith("HTTP/")
        || !Octets.digit(name.charAt(5))
        || name.charAt(6) != '.'
        || !Octets.digit(name.charAt(7))) {
      return Fault.LINE;
    }
    method = in.toString(start, space - start, ISO_8859_1);
    target = in.toString(space + 1, targetLength, ISO_8859_1);
    if (name.charAt(5) != '1') {
      return Fault.VERSION;
    }
    http11 = name.charAt(7) != '0'; // RFC 9110 section 2.5: a higher minor version is read as 1.1
    return null;
  }
}
