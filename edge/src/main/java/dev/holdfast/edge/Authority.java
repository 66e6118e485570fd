package dev.holdfast.edge;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A host and perhaps a port, as a Host field or an absolute target names them (RFC 9110 section
 * 7.2, RFC 3986 section 3.2). Immutable.
 *
 * @param text as it was sent
 * @param host as it is looked up: lower case, no port, no trailing dot
 */
record Authority(String text, String host) {
  private static final int CHARS_MAX = 512;
  private static final int PORT_MAX = 65535;
  private static final String MARKS = "-._~%!$&'()*+,;=";

  /** The authority, or null when it is none. */
  static @Nullable Authority parse(@Nullable String text) {
    if (text == null || text.isEmpty() || text.length() > CHARS_MAX) {
      return null;
    }
    int end = text.startsWith("[") ? literalEnd(text) : text.indexOf(':');
    if (end == 0) {
      return null;
    }
    if (end < 0) {
      end = text.length();
    }
    if (!port(text, end) || !(text.startsWith("[") || name(text, end))) {
      return null;
    }
    var host = text.substring(0, end).toLowerCase(Locale.ROOT);
    return new Authority(text, host.endsWith(".") ? host.substring(0, host.length() - 1) : host);
  }

  private static int literalEnd(String text) {
    int close = text.indexOf(']');
    if (close < 3) {
      return 0;
    }
    for (int i = 1; i < close; i++) {
      char c = text.charAt(i);
      if (Octets.hex(c) < 0 && c != ':' && c != '.') {
        return 0;
      }
    }
    return close + 1;
  }

  private static boolean name(String text, int end) {
    for (int i = 0; i < end; i++) {
      char c = text.charAt(i);
      if (!Octets.letterOrDigit(c) && MARKS.indexOf(c) < 0) {
        return false;
      }
    }
    return true;
  }

  private static boolean port(String text, int at) {
    if (at == text.length()) {
      return true;
    }
    if (text.charAt(at) != ':' || text.length() - at > 6) {
      return false;
    }
    int port = 0;
    for (int i = at + 1; i < text.length(); i++) {
      if (!Octets.digit(text.charAt(i))) {
        return false;
      }
      port = port * 10 + text.charAt(i) - '0';
    }
    return port <= PORT_MAX;
  }
}
