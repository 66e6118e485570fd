package dev.holdfast.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads routes in the one form in which this program writes them: an object of the fields host,
 * service and address, each once at most and null or printable ASCII without escapes, and no blank
 * anywhere. What is of any other form, and every route that is refused, is left to the parser that
 * reads all kinds; so this decides nothing, it only is faster where a million of them are read.
 * Used once.
 */
final class RouteText {
  private static final byte[] HOST = "\"host\":".getBytes(ISO_8859_1);
  private static final byte[] SERVICE = "\"service\":".getBytes(ISO_8859_1);
  private static final byte[] ADDRESS = "\"address\":".getBytes(ISO_8859_1);
  private static final byte[] NULL = "null".getBytes(ISO_8859_1);

  private final byte[] in;
  private int at;
  private int from; // of the text that was read last
  private int to;

  private RouteText(byte[] in) {
    this.in = in;
  }

  /** The route, or null when somebody else has to look. */
  static @Nullable Route read(byte[] in) {
    try {
      return new RouteText(in).route();
    } catch (RuntimeException e) {
      return null; // the other parser says it in its own words
    }
  }

  private @Nullable Route route() {
    @Nullable String host = null;
    @Nullable String service = null;
    @Nullable String address = null;
    boolean named = false;
    boolean served = false;
    boolean addressed = false;
    if (!takes('{')) {
      return null;
    }
    do {
      if (!named && takes(HOST)) {
        named = true;
        if (!text()) {
          return null;
        }
        host = new String(in, from, to - from, ISO_8859_1);
      } else if (!served && takes(SERVICE)) {
        served = true;
        if (!takes(NULL)) {
          if (!text()) {
            return null;
          }
          service = Repeated.NAMES.of(in, from, to - from);
        }
      } else if (!addressed && takes(ADDRESS)) {
        addressed = true;
        if (!takes(NULL)) {
          if (!text()) {
            return null;
          }
          var known = Repeated.ADDRESSES.seen(in, from, to - from);
          address = known != null ? known : new String(in, from, to - from, ISO_8859_1);
        }
      } else {
        return null;
      }
    } while (takes(','));
    return host != null && takes('}') && at == in.length ? new Route(host, service, address) : null;
  }

  private boolean text() {
    if (!takes('"')) {
      return false;
    }
    from = at;
    while (at < in.length && in[at] >= ' ' && in[at] <= '~' && in[at] != '"' && in[at] != '\\') {
      at++;
    }
    to = at;
    return takes('"');
  }

  private boolean takes(char expected) {
    if (at == in.length || in[at] != expected) {
      return false;
    }
    at++;
    return true;
  }

  private boolean takes(byte[] expected) {
    int end = at + expected.length;
    if (end > in.length || !Arrays.equals(in, at, end, expected, 0, expected.length)) {
      return false;
    }
    at = end;
    return true;
  }
}
