package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import java.util.List;
import java.util.Set;

/**
 * What fields may look like in HTTP/2 (RFC 9113 section 8.2), and how they pass between HTTP/1.1
 * and HTTP/2. Stateless.
 */
final class Http2Fields {
  /** Of one connection of HTTP/1.1 only (RFC 9113 section 8.2.2). */
  private static final Set<String> HOP =
      Set.of(
          "connection",
          "keep-alive",
          "proxy-connection",
          "transfer-encoding",
          "upgrade",
          "http2-settings");

  private Http2Fields() {}

  /** Whether a name is a token without upper case. */
  static boolean name(CharSequence name) {
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (c > 0x7f || !Octets.token(c) || (c >= 'A' && c <= 'Z')) {
        return false;
      }
    }
    return !name.isEmpty();
  }

  /** Whether a value has no line end, no NUL or other control, and no blank at either end. */
  static boolean value(CharSequence value) {
    int length = value.length();
    for (int i = 0; i < length; i++) {
      int c = value.charAt(i) & 0xff;
      if ((c < 0x20 && c != '\t') || c == 0x7f) {
        return false;
      }
    }
    return length == 0
        || !(Octets.blank(value.charAt(0)) || Octets.blank(value.charAt(length - 1)));
  }

  /** Whether a field may stand in a message: not of one connection only, TE only for trailers. */
  static boolean passes(CharSequence name, CharSequence value) {
    if (!name(name) || !value(value)) {
      return false;
    }
    var text = name.toString();
    return !HOP.contains(text) && (!text.equals("te") || "trailers".contentEquals(value));
  }

  /** Adds what of HTTP/1.1 fields has a meaning in HTTP/2. */
  static void copy(List<String> fields, Http2Headers to) {
    for (int i = 0; i < fields.size(); i += 2) {
      var name = fields.get(i);
      if (!HOP.contains(name) && !name.equals("host")) {
        to.add(name, fields.get(i + 1));
      }
    }
  }

  static Http2Headers empty() {
    return new DefaultHttp2Headers(false, 16); // what the edge writes was checked before
  }

  static void field(ByteBuf out, CharSequence name, CharSequence value) {
    text(out, name);
    out.writeByte(':').writeByte(' ');
    text(out, value);
    out.writeByte('\r').writeByte('\n');
  }

  static void text(ByteBuf out, CharSequence text) {
    out.writeCharSequence(text, ISO_8859_1);
  }

  /** One DATA frame's content as one chunk. */
  static ByteBuf chunk(ByteBuf out, ByteBuf content) {
    text(out, Integer.toHexString(content.readableBytes()));
    return out.writeByte('\r').writeByte('\n').writeBytes(content).writeByte('\r').writeByte('\n');
  }
}
