package dev.holdfast.edge;

import org.jspecify.annotations.Nullable;

/**
 * One request in Heroku's router log format. Values that a client or an app chose are cleaned, so
 * that none of them can end its quotes, its line or its key. Confined to its event loop.
 */
final class LogLine {
  /** A time that was never measured: the value stays empty. */
  static final long NONE = -1;

  /** Longest value that is repeated. */
  private static final int VALUE_CHARS_MAX = 8192;

  private final Arrival arrival;
  String method = "";
  String path = "";
  String host = "";
  String requestId = "";
  String forwardedFor = "";
  String dyno = "";
  long connectMillis = NONE;
  long serviceMillis = NONE;
  int status;
  long bytes;

  LogLine(Arrival arrival) {
    this.arrival = arrival;
  }

  void reset() {
    dyno = "";
    connectMillis = NONE;
    serviceMillis = NONE;
    status = 0;
    bytes = 0;
  }

  /** Takes what the log says of the request. */
  void of(Request request, Heads.Sent seen) {
    method = request.method();
    path = request.target();
    host = request.host();
    requestId = request.head.text(seen.idAt, seen.idEnd);
    forwardedFor = request.head.text(seen.forwardedAt, seen.forwardedEnd);
  }

  String render(@Nullable Code code, @Nullable String cause) {
    var out = new StringBuilder(256 + path.length());
    if (code == null) {
      out.append("at=info");
    } else {
      out.append(code.socket()).append("at=").append(code.level());
      out.append(" code=").append(code.name()).append(" desc=\"").append(code.description());
      if (code == Code.H25 && cause != null) {
        out.append(": ").append(cause);
      }
      out.append('"');
      if (code != Code.H25 && cause != null) {
        out.append(" cause=\"");
        quoted(out, cause);
        out.append('"');
      }
    }
    out.append(" method=");
    bare(out, method);
    out.append(" path=\"");
    quoted(out, path);
    out.append("\" host=");
    bare(out, host);
    out.append(" request_id=");
    out.append(requestId); // checked or made by the edge; may hold '='
    out.append(" fwd=\"");
    quoted(out, forwardedFor);
    out.append("\" dyno=");
    bare(out, dyno);
    millis(out.append(" connect="), connectMillis);
    millis(out.append(" service="), serviceMillis);
    out.append(" status=");
    if (status > 0) {
      out.append(status);
    }
    out.append(" bytes=").append(bytes);
    out.append(arrival.http2() ? " protocol=http2.0" : " protocol=http1.1");
    out.append(" tls=").append(arrival.secure());
    if (arrival.secure()) {
      out.append(" tls_version=").append(arrival.tls());
    }
    return out.toString();
  }

  private static void millis(StringBuilder out, long millis) {
    if (millis != NONE) {
      out.append(millis).append("ms");
    }
  }

  private static void quoted(StringBuilder out, String value) {
    int length = Math.min(value.length(), VALUE_CHARS_MAX);
    for (int i = 0; i < length; i++) {
      char c = value.charAt(i);
      if (c < ' ' || c >= 0x7f || c == '"' || c == '\\') {
        escaped(out, c);
      } else {
        out.append(c);
      }
    }
  }

  private static void bare(StringBuilder out, String value) {
    int length = Math.min(value.length(), VALUE_CHARS_MAX);
    for (int i = 0; i < length; i++) {
      char c = value.charAt(i);
      if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=') {
        escaped(out, c);
      } else {
        out.append(c);
      }
    }
  }

  private static void escaped(StringBuilder out, char c) {
    out.append('%');
    out.append(Character.toUpperCase(Character.forDigit((c >> 4) & 0xf, 16)));
    out.append(Character.toUpperCase(Character.forDigit(c & 0xf, 16)));
  }
}
