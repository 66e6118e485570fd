package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2Headers;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A request's head as HTTP/2 sends it, turned into the head of an HTTP/1.1 request (RFC 9113
 * section 8.3.1, RFC 9112). Confined to its event loop.
 *
 * <p>What is malformed in HTTP/2's own terms is refused here; what HTTP/1.1 can say as well, such
 * as a host that is none, is passed on for the {@link Request} to refuse.
 */
final class Http2Head {
  private static final Set<String> BODY_EXPECTED = Set.of("POST", "PUT", "PATCH");
  private static final int LENGTH_DIGITS_MAX = 18;
  private static final int CONTROL_OR_BLANK = 0x20;

  private final Http2Headers headers;
  private final boolean last;
  private long length = -1;
  private String method = "";

  Http2Head(Http2Headers headers, boolean last) {
    this.headers = headers;
    this.last = last;
  }

  String method() {
    return method;
  }

  /** How many bytes of body were announced, or -1. */
  long length() {
    return length;
  }

  /** Whether the body is passed on in chunks. */
  boolean chunked() {
    return !last && length < 0;
  }

  /** Whether it can be understood; only then may it be written. */
  boolean wellFormed() {
    var asked = headers.method();
    if (asked == null || !token(asked)) {
      return false;
    }
    method = asked.toString();
    boolean connect = method.equals("CONNECT");
    var path = headers.path();
    var scheme = headers.scheme();
    if (connect ? path != null || scheme != null : path == null || scheme == null) {
      return false;
    }
    if (path != null && !target(path)) {
      return false;
    }
    if (scheme != null && !token(scheme)) {
      return false;
    }
    var authority = headers.authority();
    if (authority != null && !target(authority)) {
      return false;
    }
    return fieldsWellFormed();
  }

  private boolean fieldsWellFormed() {
    for (Map.Entry<CharSequence, CharSequence> field : headers) {
      var name = field.getKey();
      if (!name.isEmpty() && name.charAt(0) == ':') {
        if (!pseudo(name)) {
          return false;
        }
      } else if (!Http2Fields.passes(name, field.getValue())) {
        return false;
      } else if (name.length() == 14 && "content-length".contentEquals(name)) {
        long announced = number(field.getValue());
        if (announced < 0 || (length >= 0 && announced != length)) {
          return false;
        }
        length = announced;
      }
    }
    return !last || length <= 0;
  }

  /** The head in HTTP/1.1. */
  void write(ByteBuf out) {
    var path = headers.path();
    var authority = headers.authority();
    Http2Fields.text(out, method);
    Http2Fields.text(out, " ");
    Http2Fields.text(out, path == null ? (authority == null ? "/" : authority) : path);
    Http2Fields.text(out, " HTTP/1.1\r\n");
    if (authority != null) {
      Http2Fields.field(out, "host", authority);
    }
    fields(out, authority);
    if (chunked()) {
      Http2Fields.text(out, "transfer-encoding: chunked\r\n");
    } else if (length >= 0 || BODY_EXPECTED.contains(method)) {
      Http2Fields.field(out, "content-length", Long.toString(Math.max(0, length)));
    }
    Http2Fields.text(out, "\r\n");
  }

  private void fields(ByteBuf out, @Nullable CharSequence authority) {
    StringBuilder cookies = null;
    for (Map.Entry<CharSequence, CharSequence> field : headers) {
      var name = field.getKey().toString();
      var value = field.getValue();
      if (name.startsWith(":") || name.equals("content-length")) {
        continue;
      }
      switch (name) {
        case "cookie" -> {
          // RFC 9113 section 8.2.3: it comes in crumbs
          cookies = cookies == null ? new StringBuilder() : cookies.append("; ");
          cookies.append(value);
        }
        case "host" -> {
          // The same again says nothing; another one makes two, which nobody takes.
          if (authority == null || !equalsIgnoringCase(authority, value)) {
            Http2Fields.field(out, name, value);
          }
        }
        default -> Http2Fields.field(out, name, value);
      }
    }
    if (cookies != null) {
      Http2Fields.field(out, "cookie", cookies);
    }
  }

  private static boolean equalsIgnoringCase(CharSequence one, CharSequence other) {
    return one.toString().equalsIgnoreCase(other.toString());
  }

  private static boolean pseudo(CharSequence name) {
    return switch (name.toString()) {
      case ":method", ":scheme", ":authority", ":path" -> true;
      default -> false;
    };
  }

  private static boolean token(CharSequence text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) > 0x7f || !Octets.token(text.charAt(i))) {
        return false;
      }
    }
    return !text.isEmpty();
  }

  /** Whether it can stand in a request line without ending it. */
  private static boolean target(CharSequence text) {
    for (int i = 0; i < text.length(); i++) {
      int c = text.charAt(i) & 0xff;
      if (c <= CONTROL_OR_BLANK || c == 0x7f) {
        return false;
      }
    }
    return !text.isEmpty();
  }

  private static long number(CharSequence digits) {
    if (digits.isEmpty() || digits.length() > LENGTH_DIGITS_MAX) {
      return -1;
    }
    long number = 0;
    for (int i = 0; i < digits.length(); i++) {
      if (!Octets.digit(digits.charAt(i))) {
        return -1;
      }
      number = number * 10 + digits.charAt(i) - '0';
    }
    return number;
  }
}
