package dev.holdfast.edge;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks for, once its head is whole and its meaning is beyond doubt. Immutable but for
 * its headers, which nobody changes.
 *
 * @param method a token
 * @param target in origin form, or {@code *}
 * @param authority whom it is for
 * @param http11 whether the client may be answered in chunks and with interim responses
 * @param keepAlive whether the client wants to send more on this connection
 * @param expectContinue whether the client waits for a 100 before it sends the body
 * @param upgrade the protocols that it offers to switch to, or null
 */
record Request(
    String method,
    String target,
    Authority authority,
    boolean http11,
    Headers headers,
    Framing framing,
    boolean keepAlive,
    boolean expectContinue,
    @Nullable String upgrade) {
  private static final Set<String> REPLAYABLE =
      Set.of("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE");

  /** Either a request or what is wrong with it. */
  sealed interface Read {
    /** It can be served. */
    record Good(Request request) implements Read {}

    /** It is refused. */
    record Bad(Fault fault) implements Read {}
  }

  static Read of(RequestParser head) {
    var headers = head.headers();
    boolean http11 = head.http11();
    if (head.method().equals("CONNECT")) {
      return new Read.Bad(Fault.METHOD);
    }
    var framing = Framing.ofRequest(http11, headers);
    if (framing instanceof Framing.Unclear(var fault)) {
      return new Read.Bad(fault);
    }
    var authority = headers.count("host") == 1 ? Authority.parse(headers.first("host")) : null;
    if (authority == null) {
      return new Read.Bad(Fault.HOST);
    }
    var target = head.target();
    if (!target.startsWith("/") && !(target.equals("*") && head.method().equals("OPTIONS"))) {
      int start = schemeEnd(target);
      int path = start < 0 ? -1 : pathStart(target, start);
      authority = start < 0 ? null : Authority.parse(target.substring(start, path));
      if (authority == null) {
        return new Read.Bad(Fault.LINE);
      }
      target = originForm(head.method(), target.substring(path));
    }
    boolean expects = http11 && headers.count("expect") > 0;
    if (expects && !"100-continue".equalsIgnoreCase(headers.joined("expect"))) {
      return new Read.Bad(Fault.EXPECT);
    }
    var connection = headers.tokens("connection");
    boolean keepAlive = http11 ? !connection.contains("close") : connection.contains("keep-alive");
    return new Read.Good(
        new Request(
            head.method(),
            target,
            authority,
            http11,
            headers,
            framing,
            keepAlive,
            expects && !(framing instanceof Framing.None),
            http11 && connection.contains("upgrade") ? upgrade(headers) : null));
  }

  /** Whether doing it twice is the same as doing it once (RFC 9110 section 9.2.2). */
  boolean idempotent() {
    return REPLAYABLE.contains(method);
  }

  /** The protocols offered, h2c left out: it would put requests out of the edge's sight. */
  private static @Nullable String upgrade(Headers headers) {
    var offered = headers.tokens("upgrade").isEmpty() ? List.<String>of() : offers(headers);
    return offered.isEmpty() ? null : String.join(", ", offered);
  }

  private static List<String> offers(Headers headers) {
    var joined = headers.joined("upgrade");
    return joined == null
        ? List.of()
        : List.of(joined.split(",", -1)).stream()
            .map(String::strip)
            .filter(offer -> !offer.isEmpty() && !h2(offer))
            .toList();
  }

  private static boolean h2(String offer) {
    var lower = offer.toLowerCase(Locale.ROOT);
    return lower.equals("h2c") || lower.equals("h2") || lower.startsWith("http/");
  }

  private static int schemeEnd(String target) {
    for (var scheme : List.of("http://", "https://")) {
      if (target.regionMatches(true, 0, scheme, 0, scheme.length())) {
        return scheme.length();
      }
    }
    return -1;
  }

  private static int pathStart(String target, int from) {
    int slash = target.indexOf('/', from);
    int query = target.indexOf('?', from);
    int end = target.length();
    return Math.min(slash < 0 ? end : slash, query < 0 ? end : query);
  }

  private static String originForm(String method, String path) {
    if (path.isEmpty()) {
      return method.equals("OPTIONS") ? "*" : "/";
    }
    return path.startsWith("/") ? path : "/" + path;
  }
}
