package dev.holdfast.edge;

import dev.holdfast.limits.Keys;
import io.netty.channel.Channel;
import java.net.InetSocketAddress;
import java.util.Arrays;

/** How a client came to the edge: what all requests of one connection have in common. Immutable. */
final class Arrival {
  private final String peer;
  private final int peerPort;
  private final int port;
  private final String tls;
  private final boolean http2;
  private final boolean secure;
  private final String name;
  private final byte[] nameBytes;
  private final long key;
  private final byte[] peerBytes;
  private final byte[] forwarded;

  /**
   * A way to come.
   *
   * @param peer the client's address as a literal: the connection's other end, or what a trusted
   *     proxy in front said; empty when it is unknown
   * @param peerPort the port at that address, which tells its connections apart; 0 when unknown
   * @param port the port that the client connected to
   * @param tls {@code tls1.2} or {@code tls1.3}, or empty on a plain connection
   * @param http2 whether requests come as streams of one HTTP/2 connection
   * @param secure whether the client used https, here or at a trusted proxy in front
   * @param name the host whose certificate the client asked for, or empty
   */
  private Arrival(
      String peer, int peerPort, int port, String tls, boolean http2, boolean secure, String name) {
    this.peer = peer;
    this.peerPort = peerPort;
    this.port = port;
    this.tls = tls;
    this.http2 = http2;
    this.secure = secure;
    this.name = name;
    nameBytes = Bytes.ascii(name);
    key = peer.isEmpty() ? 0 : Keys.of(peer);
    peerBytes = Bytes.ascii(peer);
    forwarded =
        Bytes.ascii("X-Forwarded-Proto: " + scheme() + "\r\nX-Forwarded-Port: " + port + "\r\n");
  }

  /** A client on a plain connection of its own. */
  static Arrival plain(Channel channel) {
    return new Arrival(peer(channel), peerPort(channel), port(channel), "", false, false, "");
  }

  /** A client on a plain connection that a trusted proxy announced. */
  static Arrival plain(String peer, int port) {
    return new Arrival(peer, 0, port, "", false, false, "");
  }

  /** The same once TLS of that version is spoken, with the certificate of that name. */
  Arrival secured(String version, String host) {
    return new Arrival(peer, peerPort, port, version, http2, true, host);
  }

  /** The same with requests that are streams. */
  Arrival multiplexed() {
    return new Arrival(peer, peerPort, port, tls, true, secure, name);
  }

  /** The same as a trusted proxy says that its client came to it. */
  Arrival told(boolean https, int toPort) {
    return new Arrival(peer, peerPort, toPort, tls, http2, https, name);
  }

  /** The host whose certificate the client asked for, or empty. */
  String name() {
    return name;
  }

  /** Whether that is the host of this request, too. */
  boolean names(Authority host) {
    return Arrays.equals(nameBytes, 0, nameBytes.length, host.host, 0, host.length());
  }

  String peer() {
    return peer;
  }

  /** Who the client is to admission, or 0 when that is unknown. */
  long key() {
    return key;
  }

  /** The client's own port, or 0 when it is unknown. */
  int peerPort() {
    return peerPort;
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
    return secure;
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

  private static int peerPort(Channel channel) {
    return channel.remoteAddress() instanceof InetSocketAddress address ? address.getPort() : 0;
  }

  static int port(Channel channel) {
    return channel.localAddress() instanceof InetSocketAddress address ? address.getPort() : 0;
  }
}
