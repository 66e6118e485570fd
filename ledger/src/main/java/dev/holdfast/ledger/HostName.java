package dev.holdfast.ledger;

import dev.holdfast.limits.Check;
import java.net.IDN;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Names of hosts and of apps: labels as RFC 1123 section 2.1 allows them, lower case, 63 characters
 * each, 253 in all; international names become A-labels (RFC 3490).
 */
public final class HostName {
  /** Longest host name in characters. */
  public static final int CHARS_MAX = 253;

  private static final int LABEL_CHARS_MAX = 63;
  private static final Pattern LABEL = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");

  private HostName() {}

  /**
   * The host as it is looked up: lower case, A-labels, no trailing dot.
   *
   * @throws IllegalArgumentException when it is no host name
   */
  public static String of(String host) {
    if (isPlain(host)) {
      return host;
    }
    String name;
    try {
      name = IDN.toASCII(host).toLowerCase(Locale.ROOT);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(bad(host), e);
    }
    if (name.endsWith(".")) {
      name = name.substring(0, name.length() - 1);
    }
    boolean valid = name.length() <= CHARS_MAX;
    for (var label : name.split("\\.", -1)) {
      valid &= LABEL.matcher(label).matches();
    }
    Check.that(
        valid,
        "host",
        host,
        "labels of a-z, 0-9 and '-', 63 characters each, like www.example.org");
    return name;
  }

  /**
   * The name itself when it is one label, which is what an app or a service is called.
   *
   * @throws IllegalArgumentException naming {@code what} when it is not
   */
  public static String label(String what, String name) {
    Check.that(
        LABEL.matcher(name).matches(),
        what,
        name,
        "1 to 63 of a-z, 0-9 and '-', neither first nor last a '-'");
    return name;
  }

  /** Whether it is one already: a million of them are looked at when a node starts. */
  private static boolean isPlain(String host) {
    int length = host.length();
    int start = 0; // of the label
    for (int i = 0; i <= length; i++) {
      char c = i == length ? '.' : host.charAt(i);
      if (c == '.') {
        if (i == start || i - start > LABEL_CHARS_MAX || host.charAt(i - 1) == '-') {
          return false;
        }
        start = i + 1;
      } else if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && i > start))) {
        return false;
      }
    }
    return length <= CHARS_MAX;
  }

  private static String bad(String host) {
    return Check.message("host", host, "a host name like www.example.org");
  }
}
