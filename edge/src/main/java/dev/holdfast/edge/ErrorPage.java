package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a visitor sees when the edge answers itself: Problem Details (RFC 9457) for programs, a
 * small page for people. Nothing that the visitor sent is repeated, and no address is shown.
 * Immutable.
 *
 * @param code Heroku's code, or null where there is none (such as an unknown host)
 */
record ErrorPage(int status, @Nullable Code code, String title, String requestId) {

  /** The whole response, head and body. */
  ByteBuf render(ByteBufAllocator allocator, List<String> accept, boolean bodyless, boolean close) {
    boolean json = json(accept);
    var body = (json ? problem() : html()).getBytes(UTF_8);
    var out = allocator.buffer(512 + body.length);
    HeaderRules.text(
        out, "HTTP/1.1 " + status + " " + HttpResponseStatus.valueOf(status).reasonPhrase());
    HeaderRules.text(out, "\r\n");
    HeaderRules.field(
        out, "Content-Type", json ? "application/problem+json" : "text/html; charset=utf-8");
    HeaderRules.field(out, "Content-Length", Integer.toString(body.length));
    HeaderRules.field(out, "Cache-Control", "no-store");
    HeaderRules.field(out, "X-Content-Type-Options", "nosniff");
    if (status == 405) {
      HeaderRules.field(out, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    }
    if (code != null) {
      HeaderRules.field(out, "Holdfast-Error", code.name());
      if (code.retryAfterSeconds() > 0) {
        HeaderRules.field(out, "Retry-After", Integer.toString(code.retryAfterSeconds()));
      }
    }
    if (!requestId.isEmpty()) {
      HeaderRules.field(out, "X-Request-Id", requestId);
    }
    HeaderRules.field(out, "Connection", close ? "close" : "keep-alive");
    HeaderRules.field(out, "Via", HeaderRules.VIA);
    HeaderRules.text(out, "\r\n");
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
}
