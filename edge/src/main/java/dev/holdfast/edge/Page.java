package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.ledger.Policy;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What a visitor gets when the edge answers itself: a page for people, which the app's owner may
 * have written, Problem Details (RFC 9457) for programs, a line of text for a terminal. Nothing
 * that the visitor sent is repeated but a request id that was checked, and no address is shown.
 * Immutable.
 *
 * @param status as it is sent
 * @param code Heroku's code, or null where there is none (such as an unknown host)
 * @param title a constant
 * @param requestId checked or made by the edge; may be empty
 * @param html what the owner wrote, or null
 * @param retryAfterSeconds after which another try makes sense, or 0
 */
record Page(
    int status,
    @Nullable Code code,
    String title,
    String requestId,
    @Nullable String html,
    int retryAfterSeconds) {
  private static final String METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

  /**
   * The page for that code under that policy. Only the edge's own codes show what the owner wrote:
   * an app's own answers pass as they are.
   *
   * @param status what is sent where it differs from the code's
   */
  static Page of(
      int status,
      @Nullable Code code,
      String title,
      String requestId,
      Policy policy,
      RandomGenerator random) {
    String html = null;
    if (code == Code.H80 && policy.maintenancePage() != null) {
      html = policy.maintenancePage();
    } else if (code != null) {
      html = policy.errorPage();
    }
    return new Page(status, code, title, requestId, html, code == null ? 0 : wait(code, random));
  }

  /** The same, where {@code more} are fields that may say already when to come again. */
  static Page of(
      int status,
      @Nullable Code code,
      String title,
      String requestId,
      Policy policy,
      RandomGenerator random,
      String more) {
    return more.contains("Retry-After")
        ? new Page(status, code, title, requestId, policy.errorPage(), 0)
        : of(status, code, title, requestId, policy, random);
  }

  /** The code's wait and up to half as much, so that not all visitors come back at one moment. */
  private static int wait(Code code, RandomGenerator random) {
    int seconds = code.retryAfterSeconds();
    return seconds == 0 ? 0 : seconds + random.nextInt(seconds / 2 + 1);
  }

  /**
   * The whole response, head and body.
   *
   * @param accept all fields Accept as one list, or null
   * @param more further fields, each with its line end
   * @param bodyless whether only the head is sent, as for HEAD
   */
  ByteBuf render(
      ByteBufAllocator allocator,
      @Nullable String accept,
      String more,
      boolean bodyless,
      boolean close) {
    var form = Accept.pick(accept, html != null);
    var body = body(form).getBytes(UTF_8);
    var out = allocator.buffer(512 + (bodyless ? 0 : body.length));
    text(out, "HTTP/1.1 " + status + " " + HttpResponseStatus.valueOf(status).reasonPhrase());
    text(out, "\r\n");
    field(out, "Content-Type", form.contentType());
    field(out, "Content-Length", Integer.toString(body.length));
    field(out, "Cache-Control", "no-store");
    field(out, "Vary", "Accept");
    field(out, "X-Content-Type-Options", "nosniff");
    if (status == 405) {
      field(out, "Allow", METHODS);
    }
    if (code != null) {
      field(out, "Holdfast-Error", code.name());
    }
    if (retryAfterSeconds > 0) {
      field(out, "Retry-After", Integer.toString(retryAfterSeconds));
    }
    text(out, more);
    if (!requestId.isEmpty()) {
      field(out, "X-Request-Id", requestId);
    }
    field(out, "Connection", close ? "close" : "keep-alive");
    field(out, "Via", "1.1 holdfast");
    text(out, "\r\n");
    return bodyless ? out : out.writeBytes(body);
  }

  private String body(Accept.Form form) {
    return switch (form) {
      case HTML -> html == null ? standard() : filled(html);
      case JSON -> problem();
      case TEXT -> line();
    };
  }

  private String name() {
    return code == null ? Integer.toString(status) : code.name();
  }

  private String filled(String page) {
    return page.replace("{{code}}", name())
        .replace("{{status}}", Integer.toString(status))
        .replace("{{request_id}}", requestId);
  }

  private String standard() {
    return """
    <!doctype html>
    <html lang="en"><meta charset="utf-8"><title>%1$s</title>
    <body><h1>%1$s</h1>
    <p>Code <b>%2$s</b>, request <code>%3$s</code></p></body></html>
    """
        .formatted(title, name(), requestId);
  }

  private String problem() {
    var out = new StringBuilder(200).append("{\"type\":\"about:blank\",\"title\":\"").append(title);
    out.append("\",\"status\":").append(status);
    if (code != null) {
      out.append(",\"code\":\"").append(code.name()).append('"');
    }
    if (retryAfterSeconds > 0) {
      out.append(",\"retryAfter\":").append(retryAfterSeconds);
    }
    return out.append(",\"requestId\":\"").append(requestId).append("\"}\n").toString();
  }

  private String line() {
    var again = retryAfterSeconds > 0 ? ", try again in " + retryAfterSeconds + " s" : "";
    var known = code == null ? "" : " (" + code.name() + ")";
    return status + " " + title + known + again + "\nrequest " + requestId + "\n";
  }

  /** What the Accept fields say as one list, or null. */
  static @Nullable String accepted(Head head) {
    String list = null;
    for (int i = head.find(Name.ACCEPT); i >= 0; i = head.find(Name.ACCEPT, i + 1)) {
      var text = head.text(head.valueAt(i), head.valueEnd(i));
      list = list == null ? text : list + ", " + text;
    }
    return list;
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
