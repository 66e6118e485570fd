package dev.holdfast.certs;

import java.util.List;

/** Which hosts an authority could vouch for at all. */
final class PublicName {
  /**
   * Names that lead nowhere for an authority that everybody trusts (RFC 6761, 6762, 7686, 8375).
   */
  private static final List<String> RESERVED =
      List.of("test", "example", "local", "onion", "internal", "home.arpa");

  private PublicName() {}

  /**
   * Whether the host may be ordered.
   *
   * @param ownAuthority whether the authority is one with its own roots, which may know names that
   *     the world does not
   */
  static boolean isPublic(String host, boolean ownAuthority) {
    int dot = host.lastIndexOf('.');
    if (dot <= 0 || host.startsWith("*.")) {
      return false; // a single label; and a wildcard needs a proof over DNS
    }
    var last = host.substring(dot + 1);
    if (Character.isDigit(last.charAt(0)) || last.equals("localhost") || last.equals("invalid")) {
      return false; // an IP literal; no top-level domain begins with a digit
    }
    return ownAuthority
        || RESERVED.stream().noneMatch(name -> last.equals(name) || host.endsWith("." + name));
  }
}
