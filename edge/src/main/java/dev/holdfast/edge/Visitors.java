package dev.holdfast.edge;

import dev.holdfast.limits.Keys;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who a request comes from when its peer is a trusted proxy: the right-most address of
 * X-Forwarded-For that is no trusted proxy itself, since what stands further left was said by a
 * stranger. Of any other peer nothing is believed. Thread-safe.
 */
final class Visitors {
  /** Addresses that are looked at; a longer way leads through proxies that nobody trusts. */
  static final int ADDRESSES_MAX = 32;

  private static final int HTTP_PORT = 80;
  private static final int HTTPS_PORT = 443;
  private static final int PORT_MAX = 65_535;
  private static final int PORT_DIGITS_MAX = 5;

  private final Peers trusted;
  private final boolean any;

  Visitors(List<String> proxies) {
    trusted = Peers.of(proxies);
    any = !proxies.isEmpty();
  }

  /** Whether what that peer says of others is believed. */
  boolean believes(String peer) {
    return any && trusted.holds(address(peer));
  }

  /** The address behind a peer that is believed, which is the peer's own when it names nobody. */
  String behind(String peer, Head head) {
    var list = Finish.joined(head, Name.FORWARDED_FOR);
    if (list == null) {
      return peer;
    }
    var visitor = peer;
    int end = list.length();
    for (int i = 0; i < ADDRESSES_MAX && end > 0; i++) {
      int comma = list.lastIndexOf(',', end - 1);
      var address = address(bare(list.substring(comma + 1, end).strip()));
      if (address == null) {
        return visitor; // whoever stands to the right of it said something that is no address
      }
      visitor = address.getHostAddress();
      if (!trusted.holds(address)) {
        return visitor;
      }
      end = comma;
    }
    return visitor;
  }

  /**
   * How the visitor came to a peer that is believed: the right-most scheme of X-Forwarded-Proto,
   * and the port that belongs to it. A peer that says nothing of it, or nothing that is known,
   * speaks for itself.
   *
   * @param own how the peer came
   * @param last what was found for its last request, which is given again while it holds
   */
  static Arrival arrival(Arrival own, Arrival last, Head head) {
    var schemes = Finish.joined(head, Name.FORWARDED_PROTO);
    var scheme = schemes == null ? "" : schemes.substring(schemes.lastIndexOf(',') + 1).strip();
    boolean https = scheme.equalsIgnoreCase("https") || scheme.equalsIgnoreCase("wss");
    if (!https && !scheme.equalsIgnoreCase("http") && !scheme.equalsIgnoreCase("ws")) {
      return own;
    }
    int port = port(Finish.joined(head, Name.FORWARDED_PORT), https ? HTTPS_PORT : HTTP_PORT);
    return last.secure() == https && last.port() == port ? last : own.told(https, port);
  }

  private static int port(@Nullable String said, int usual) {
    var text = said == null ? "" : said.strip();
    if (text.isEmpty() || text.length() > PORT_DIGITS_MAX) {
      return usual;
    }
    int port = 0;
    for (int i = 0; i < text.length(); i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        return usual;
      }
      port = 10 * port + digit;
    }
    return port > 0 && port <= PORT_MAX ? port : usual;
  }

  /** Key of the client that a request is counted under. */
  long key(ClientConnection client, Head head, Admission admission) {
    var visitor = behind(client.arrival().peer(), head);
    long key = Keys.of(visitor);
    if (!admission.names.knows(key)) {
      admission.names.put(key, visitor);
    }
    return key;
  }

  /** Without the port, and without the brackets, that some proxies write. */
  private static String bare(String member) {
    if (member.startsWith("[")) {
      int end = member.indexOf(']');
      return end < 0 ? member : member.substring(1, end);
    }
    int colon = member.indexOf(':');
    return colon >= 0 && colon == member.lastIndexOf(':') ? member.substring(0, colon) : member;
  }

  private static @Nullable InetAddress address(String literal) {
    var bytes = NetUtil.createByteArrayFromIpAddressString(literal);
    try {
      return bytes == null ? null : InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("an address of " + bytes.length + " bytes", e);
    }
  }
}
