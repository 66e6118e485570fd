package dev.holdfast.edge;

import io.netty.channel.Channel;
import java.net.InetSocketAddress;

/**
 * How a client came to the edge: what all requests of one connection have in common. Immutable.
 *
 * @param peer the client's address as a literal: the connection's other end, or what a trusted
 *     proxy in front said; empty when it is unknown
 * @param port the port that the client connected to
 * @param tls {@code tls1.2} or {@code tls1.3}, or empty on a plain connection
 * @param http2 whether requests come as streams of one HTTP/2 connection
 */
record Arrival(String peer, int port, String tls, boolean http2) {

  /** A client on a plain connection of its own. */
  static Arrival plain(Channel channel) {
    return new Arrival(peer(channel), port(channel), "", false);
  }

  /** Whether what was said could not be overheard. */
  boolean secure() {
    return !tls.isEmpty();
  }

  /** The scheme that the client used. */
  String scheme() {
    return secure() ? "https" : "http";
  }

  static String peer(Channel channel) {
    return channel.remoteAddress() instanceof InetSocketAddress address
            && address.getAddress() != null
        ? address.getAddress().getHostAddress()
        : "";
  }

  static int port(Channel channel) {
    return channel.localAddress() instanceof InetSocketAddress address ? address.getPort() : 0;
  }
}
