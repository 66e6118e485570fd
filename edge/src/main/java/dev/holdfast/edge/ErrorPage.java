package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a visitor sees when the edge answers itself: Problem Details (RFC 9457) for programs, a
 * small page for people. Nothing that the visitor sent is repeated, and no address is shown.
 * Immutable.
 *
 * @param code Heroku's code, or null where there is none (such as an unknown host)
 */
record ErrorPage(int status, @Nullable Code code, String title, String requestId) {
  private static final String VIA = "1.1 holdfast";

  /** What the Accept fields list, in lower case. */
  static List<String> accepted(Head head) {
    var ranges = new ArrayList<String>(4);
    for (int i = head.find(Name.ACCEPT); i >= 0; i = head.find(Name.ACCEPT, i + 1)) {
      for (var range : head.text(head.valueAt(i), head.valueEnd(i)).split(",", -1)) {
        ranges.add(range.strip().toLowerCase(Locale.ROOT));
      }
    }
    return ranges;
  }

  /**
   * The whole response, head and body.
   *
   * @param more further fields, each with its line end
   */
  ByteBuf render(
      ByteBufAllocator allocator,
      List<String> accept,
      String more,
      boolean bodyless,
      boolean close) {
    boolean json = json(accept);
    var body = (json ? problem() : html()).getBytes(UTF_8);
    var out = allocator.buffer(512 + body.length);
    text(
        out, "HTTP/1.1 " + status + " " + HttpResponseStatus.valueOf(status).reasonPhrase());
    text(out, "\r\n");
    field(
        out, "Content-Type", json ? "application/problem+json" : "text/html; charset=utf-8");
    field(out, "Content-Length", Integer.toString(body.length));
    field(out, "Cache-Control", "no-store");
    field(out, "X-Content-Type-Options", "nosniff");
    if (status == 405) {
      field(out, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    }
    if (code != null) {
      field(out, "Holdfast-Error", code.name());
      if (code.retryAfterSeconds() > 0 && more.isEmpty()) {
        field(out, "Retry-After", Integer.toString(code.retryAfterSeconds()));
      }
    }
    text(out, more);
    if (!requestId.isEmpty()) {
      field(out, "X-Request-Id", requestId);
    }
    field(out, "Connection", close ? "close" : "keep-alive");
    field(out, "Via", VIA);
    text(out, "\r\n");
    return bodyless ? out : out.writeBytes(body);
  }

  /** Whether JSON is named before anything that a browser shows. */
  private static boolean json(List<String> accept) {
    for (var range : accept) {
      int parameters = range.indexOf(';');
      var type = parameters < 0 ? range : range.substring(0, parameters).strip();
      if (type.equals("application/json") || type.endsWith("+json")) {
        return !range.replace(" ", "").contains(";q=0,") && !range.endsWith("q=0");
      }
      if (type.equals("text/html") || type.equals("application/xhtml+xml")) {
        return false;
      }
    }
    return false;
  }

  private String problem() {
    var out = new StringBuilder(160).append("{\"type\":\"about:blank\",\"title\":\"").append(title);
    out.append("\",\"status\":").append(status);
    if (code != null) {
      out.append(",\"code\":\"").append(code.name()).append('"');
    }
    return out.append(",\"requestId\":\"").append(requestId).append("\"}\n").toString();
  }

  private String html() {
    var name = code == null ? Integer.toString(status) : code.name();
    return """
    <!doctype html>
    <html lang="en"><meta charset="utf-8"><title>%1$s</title>
    <body><h1>%1$s</h1>
    <p>Code <b>%2$s</b>, request <code>%3$s</code></p></body></html>
    """
        .formatted(title, name, requestId);
  }

  private static void field(ByteBuf out, String name, String value) {
    text(out, name);
    text(out, ": ");
    text(out, value);
    text(out, "\r\n");
  }

  private static void text(ByteBuf out, String text) {
    out.writeCharSequence(text, ISO_8859_1);
  }
}
