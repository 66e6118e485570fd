package dev.holdfast.cli;

import java.net.IDN;
import java.net.URI;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A host and the address it leads to, as the platform would accept them. Immutable.
 *
 * @param host lower case, A-labels
 * @param to {@code http://ADDR:PORT}
 */
record RouteLine(String host, String to) {
  private static final int HOST_CHARS_MAX = 253;
  private static final Pattern HOST =
      Pattern.compile("([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");

  /**
   * The route, with {@code http://} in front of an address that has no scheme.
   *
   * @throws Refused naming the part that is wrong and what was expected
   */
  static RouteLine checked(String host, String address) {
    return new RouteLine(host(host), to(address));
  }

  private static String host(String host) {
    String name;
    try {
      name = IDN.toASCII(host).toLowerCase(Locale.ROOT);
    } catch (IllegalArgumentException e) {
      name = "";
    }
    if (name.endsWith(".")) {
      name = name.substring(0, name.length() - 1);
    }
    if (name.length() > HOST_CHARS_MAX || !HOST.matcher(name).matches()) {
      throw Refused.usage(Refused.sentence("host", host, "a host name, such as www.example.org"));
    }
    return name;
  }

  private static String to(String address) {
    try {
      var uri = URI.create(address.contains("://") ? address : "http://" + address);
      var path = uri.getRawPath();
      if ("http".equals(uri.getScheme())
          && uri.getHost() != null
          && uri.getPort() >= 1
          && uri.getPort() <= 65535
          && uri.getRawUserInfo() == null
          && uri.getRawQuery() == null
          && uri.getRawFragment() == null
          && (path.isEmpty() || path.equals("/"))) {
        return "http://" + uri.getHost() + ":" + uri.getPort();
      }
    } catch (IllegalArgumentException e) {
      // Refused below, with what was expected.
    }
    throw Refused.usage(
        Refused.sentence("address", address, "http://ADDR:PORT, such as http://127.0.0.1:3000"));
  }
}
