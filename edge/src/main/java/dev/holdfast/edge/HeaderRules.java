package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.buffer.ByteBuf;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which fields cross the edge, and which it writes itself. Stateless.
 *
 * <p>X-Forwarded-Host and Forwarded of a client are dropped: Heroku does not set them, yet many
 * frameworks believe them, and the Host field already says everything. A name that differs from one
 * of the edge's own only by {@code _} for {@code -} is dropped too, because CGI-like interfaces
 * cannot tell the two apart.
 */
final class HeaderRules {
  /** How the edge signs in Via (RFC 9110 section 7.6.3). */
  static final String VIA = "1.1 holdfast";

  /** Through how many edges one request may pass before that is called a loop. */
  static final int PASSES_MAX = 8;

  private static final int REQUEST_ID_CHARS_MIN = 20;
  private static final int REQUEST_ID_CHARS_MAX = 200;

  /** Not for the other side (RFC 9110 section 7.6.1); framing is written anew. */
  private static final Set<String> HOP =
      Set.of(
          "connection",
          "keep-alive",
          "proxy-connection",
          "te",
          "transfer-encoding",
          "content-length",
          "upgrade",
          "http2-settings");

  /** A Connection field may not take these away. */
  private static final Set<String> KEPT =
      Set.of("host", "via", "x-request-id", "x-request-start", "cookie", "authorization");

  /** Written by the edge and therefore not copied from the client. */
  private static final Set<String> OWN =
      Set.of(
          "host",
          "x-forwarded-for",
          "x-forwarded-proto",
          "x-forwarded-port",
          "x-forwarded-host",
          "forwarded",
          "x-request-id",
          "x-request-start",
          "via",
          "expect",
          "proxy-authorization");

  /** May not come after the body (RFC 9110 section 6.5.1). */
  private static final Set<String> NO_TRAILER =
      Set.of(
          "host",
          "trailer",
          "authorization",
          "cookie",
          "set-cookie",
          "content-type",
          "content-encoding",
          "content-range",
          "cache-control",
          "expect",
          "range");

  private HeaderRules() {}

  /** What the edge knows of a request beyond its head. */
  record Seen(Arrival arrival, String requestId, long startMillis) {}

  /** The head that the app gets. */
  static void writeRequest(ByteBuf out, Request request, Seen seen) {
    var headers = request.headers();
    text(out, request.method() + " " + request.target() + " HTTP/1.1\r\n");
    field(out, "Host", request.authority().text());
    var listed = listed(headers);
    for (int i = 0; i < headers.size(); i++) {
      var name = headers.name(i);
      var lower = name.toLowerCase(Locale.ROOT);
      if (!HOP.contains(lower)
          && !OWN.contains(lower)
          && !OWN.contains(lower.replace('_', '-'))
          && !listed.contains(lower)
          && !(lower.equals("trailer") && !(request.framing() instanceof Framing.Chunked))) {
        field(out, name, headers.value(i));
      }
    }
    framing(out, request.framing());
    if (headers.tokens("te").contains("trailers")) {
      field(out, "TE", "trailers");
    }
    if (request.upgrade() != null) {
      field(out, "Connection", "Upgrade");
      field(out, "Upgrade", request.upgrade());
    }
    field(out, "X-Forwarded-For", forwardedFor(headers, seen.arrival().peer()));
    field(out, "X-Forwarded-Proto", seen.arrival().scheme());
    field(out, "X-Forwarded-Port", Integer.toString(seen.arrival().port()));
    field(out, "X-Request-Id", seen.requestId());
    field(out, "X-Request-Start", Long.toString(seen.startMillis()));
    field(out, "Via", appended(headers.joined("via"), VIA));
    text(out, "\r\n");
  }

  /** How the head of a response is written; see {@link #writeResponse}. */
  record Answer(Framing framing, String connection, @Nullable String upgrade) {}

  /** The head that the client gets. */
  static void writeResponse(ByteBuf out, ResponseParser head, Answer answer) {
    var headers = head.headers();
    text(out, "HTTP/1.1 " + head.status() + " " + head.reason() + "\r\n");
    var listed = listed(headers);
    boolean interim = head.status() < 200;
    for (int i = 0; i < headers.size(); i++) {
      var lower = headers.name(i).toLowerCase(Locale.ROOT);
      if (!HOP.contains(lower)
          && !lower.equals("via")
          && !listed.contains(lower)
          && !(lower.equals("trailer") && !(answer.framing() instanceof Framing.Chunked))) {
        field(out, headers.name(i), headers.value(i));
      }
    }
    if (answer.framing() instanceof Framing.None && !interim && head.status() != 204) {
      var length = headers.first("content-length"); // of what a GET would have had
      if (length != null && headers.count("transfer-encoding") == 0) {
        field(out, "Content-Length", length);
      }
    }
    framing(out, answer.framing());
    if (!answer.connection().isEmpty()) {
      field(out, "Connection", answer.connection());
    }
    if (answer.upgrade() != null) {
      field(out, "Upgrade", answer.upgrade());
    }
    field(out, "Via", appended(headers.joined("via"), VIA));
    text(out, "\r\n");
  }

  /** The end of a chunked body with the trailers that may pass. */
  static void writeTrailers(ByteBuf out, @Nullable Headers trailers) {
    text(out, "0\r\n");
    for (int i = 0; trailers != null && i < trailers.size(); i++) {
      var lower = trailers.name(i).toLowerCase(Locale.ROOT).replace('_', '-');
      if (!HOP.contains(lower) && !OWN.contains(lower) && !NO_TRAILER.contains(lower)) {
        field(out, trailers.name(i), trailers.value(i));
      }
    }
    text(out, "\r\n");
  }

  static String forwardedFor(Headers headers, String peer) {
    return appended(headers.joined("x-forwarded-for"), peer);
  }

  /** Whether the client's request id may stand in logs and go to the app. */
  static boolean requestId(@Nullable String id) {
    if (id == null || id.length() < REQUEST_ID_CHARS_MIN || id.length() > REQUEST_ID_CHARS_MAX) {
      return false;
    }
    return id.chars().allMatch(c -> Octets.letterOrDigit(c) || "-_.=+/".indexOf(c) >= 0);
  }

  /**
   * Whether the request went round in circles, such as by a route that leads to the edge itself.
   */
  static boolean loops(Headers headers) {
    int passes = 0;
    for (var hop : headers.tokens("via")) {
      passes += hop.equals(VIA) ? 1 : 0;
    }
    return passes >= PASSES_MAX;
  }

  private static Set<String> listed(Headers headers) {
    List<String> tokens = headers.tokens("connection");
    if (tokens.isEmpty()) {
      return Set.of();
    }
    var listed = new HashSet<String>(tokens);
    listed.removeAll(KEPT);
    listed.removeIf(name -> name.startsWith("x-forwarded-"));
    return listed;
  }

  private static void framing(ByteBuf out, Framing framing) {
    switch (framing) {
      case Framing.Length(long bytes) -> field(out, "Content-Length", Long.toString(bytes));
      case Framing.Chunked _ -> field(out, "Transfer-Encoding", "chunked");
      case Framing.None _, Framing.UntilClose _, Framing.Unclear _ -> {}
    }
  }

  private static String appended(@Nullable String list, String last) {
    return list == null || list.isEmpty() ? last : list + ", " + last;
  }

  static void field(ByteBuf out, String name, String value) {
    out.writeCharSequence(name, ISO_8859_1);
    out.writeByte(':').writeByte(' ');
    out.writeCharSequence(value, ISO_8859_1);
    out.writeByte('\r').writeByte('\n');
  }

  static void text(ByteBuf out, String text) {
    out.writeCharSequence(text, ISO_8859_1);
  }
}
