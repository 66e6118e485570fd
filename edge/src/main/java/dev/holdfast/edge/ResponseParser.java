package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** Reads one response head (RFC 9112 section 4). Confined to its event loop. */
final class ResponseParser {
  /** Longest status line of an app. */
  static final int STATUS_LINE_BYTES_MAX = 8192;

  /** Longest header line of an app. */
  static final int HEADER_LINE_BYTES_MAX = 512 * 1024;

  /** All header lines of an app together. */
  static final int HEAD_BYTES_MAX = 1024 * 1024;

  private static final byte[] PREFIX = "HTTP/1.".getBytes(ISO_8859_1);
  private static final int STATUS_AT = 9;

  private final LineReader lines = new LineReader();
  private final FieldParser fields;
  private int status;
  private String reason = "";
  private boolean http11;

  ResponseParser(EdgeConfig config) {
    fields =
        new FieldParser(
            HEADER_LINE_BYTES_MAX,
            EdgeConfig.HEADER_NAME_BYTES_MAX,
            config.headersMax(),
            HEAD_BYTES_MAX);
  }

  boolean done() {
    return fields.done();
  }

  int status() {
    return status;
  }

  String reason() {
    return reason;
  }

  boolean http11() {
    return http11;
  }

  Headers headers() {
    return fields.headers();
  }

  /** Takes what is there; null unless something is wrong. */
  @Nullable Fault feed(ByteBuf in) {
    if (status == 0) {
      if (!prefixed(in)) {
        return Fault.STATUS_LINE;
      }
      int length = lines.next(in, STATUS_LINE_BYTES_MAX);
      if (length == LineReader.MORE) {
        return null;
      }
      if (length == LineReader.TOO_LONG) {
        return Fault.STATUS_LINE_LONG;
      }
      if (length == LineReader.BAD_END || !split(in, in.readerIndex(), length)) {
        return Fault.STATUS_LINE;
      }
      LineReader.skip(in, length);
    }
    var fault = fields.feed(in);
    return fault == null && fields.done() ? cookies() : fault;
  }

  private @Nullable Fault cookies() {
    var headers = fields.headers();
    for (int i = 0; i < headers.size(); i++) {
      if (headers.value(i).length() > FieldParser.COOKIE_BYTES_MAX
          && headers.name(i).equalsIgnoreCase("set-cookie")) {
        return Fault.COOKIE_LARGE;
      }
    }
    return null;
  }

  /** Whether what has come so far can become a status line. */
  private static boolean prefixed(ByteBuf in) {
    int length = Math.min(PREFIX.length, in.readableBytes());
    for (int i = 0; i < length; i++) {
      if (in.getByte(in.readerIndex() + i) != PREFIX[i]) {
        return false;
      }
    }
    return true;
  }

  /** {@code HTTP/1.x SP 3DIGIT [SP reason]}; many apps leave the reason and its blank out. */
  private boolean split(ByteBuf in, int start, int length) {
    int after = start + STATUS_AT + 3;
    if (length < STATUS_AT + 3
        || !Octets.digit(in.getByte(start + 7))
        || in.getByte(start + 8) != ' '
        || (length > STATUS_AT + 3 && in.getByte(after) != ' ')) {
      return false;
    }
    int code = 0;
    for (int i = start + STATUS_AT; i < after; i++) {
      if (!Octets.digit(in.getByte(i))) {
        return false;
      }
      code = code * 10 + in.getByte(i) - '0';
    }
    int reasonLength = Math.max(0, length - STATUS_AT - 4);
    if (code < 100 || code > 599 || !Octets.text(in, after + 1, reasonLength)) {
      return false;
    }
    http11 = in.getByte(start + 7) != '0';
    reason = in.toString(after + 1, reasonLength, ISO_8859_1);
    status = code;
    return true;
  }
}
