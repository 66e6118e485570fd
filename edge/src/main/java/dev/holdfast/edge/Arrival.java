package dev.holdfast.edge;

import dev.holdfast.limits.Keys;
import io.netty.channel.Channel;
import java.net.InetSocketAddress;

/** How a client came to the edge: what all requests of one connection have in common. Immutable. */
final class Arrival {
  private final String peer;
  private final int port;
  private final String tls;
  private final boolean http2;
  private final long key;
  private final byte[] peerBytes;
  private final byte[] forwarded;

  /**
   * A way to come.
   *
   * @param peer the client's address as a literal: the connection's other end, or what a trusted
   *     proxy in front said; empty when it is unknown
   * @param port the port that the client connected to
   * @param tls {@code tls1.2} or {@code tls1.3}, or empty on a plain connection
   * @param http2 whether requests come as streams of one HTTP/2 connection
   */
  Arrival(String peer, int port, String tls, boolean http2) {
    this.peer = peer;
    this.port = port;
    this.tls = tls;
    this.http2 = http2;
    key = peer.isEmpty() ? 0 : Keys.of(peer);
    peerBytes = Bytes.ascii(peer);
    forwarded =
        Bytes.ascii("X-Forwarded-Proto: " + scheme() + "\r\nX-Forwarded-Port: " + port + "\r\n");
  }

  /** A client on a plain connection of its own. */
  static Arrival plain(Channel channel) {
    return new Arrival(peer(channel), port(channel), "", false);
  }

  String peer() {
    return peer;
  }

  /** Who the client is to admission, or 0 when that is unknown. */
  long key() {
    return key;
  }

  int port() {
    return port;
  }

  String tls() {
    return tls;
  }

  boolean http2() {
    return http2;
  }

  /** The peer as it is written into fields. */
  byte[] peerBytes() {
    return peerBytes;
  }

  /** The fields that tell an app about the connection, each with its line end. */
  byte[] forwarded() {
    return forwarded;
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
