package dev.holdfast.server;

import dev.holdfast.limits.Check;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;

/** An address to listen on. Immutable. */
record Listen(String host, int port) {

  /**
   * Reads {@code ADDR:PORT}; an IPv6 address stands in brackets, port 0 takes any free one.
   *
   * @throws IllegalArgumentException naming the text when it is no such address
   */
  static Listen parse(String name, String text) {
    int colon = text.lastIndexOf(':');
    var host = colon < 0 ? "" : text.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    } else if (host.contains(":")) {
      host = "";
    }
    int port = -1;
    try {
      port = Integer.parseInt(text.substring(colon + 1));
    } catch (NumberFormatException e) {
      // stays -1, which the check below refuses with the text itself
    }
    Check.that(
        !host.isEmpty() && port >= 0 && port <= 65535,
        name,
        text,
        "ADDR:PORT, such as 127.0.0.1:8080");
    return new Listen(host, port);
  }

  /**
   * Makes sure that nobody listens there now, before anything is begun that would have to be
   * undone.
   *
   * @throws IOException naming the address and what to do
   */
  void probe(String name) throws IOException {
    try (var probe = new ServerSocket()) {
      probe.setReuseAddress(true);
      probe.bind(socket());
    } catch (IOException e) {
      throw new IOException(
          name
              + ": "
              + this
              + " cannot be listened on: "
              + e.getMessage()
              + " (end what uses the port, or choose another with --"
              + name
              + " ADDR:PORT)",
          e);
    }
  }

  InetSocketAddress socket() {
    try {
      return new InetSocketAddress(InetAddress.getByName(host), port);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(
          Check.message("address", host, "an address of this machine"), e);
    }
  }

  /** The URL under which somebody on this machine reaches it. */
  static String url(InetSocketAddress bound) {
    var address = bound.getAddress();
    var host =
        address.isAnyLocalAddress()
            ? "127.0.0.1"
            : address.getHostAddress().contains(":")
                ? "[" + address.getHostAddress() + "]"
                : address.getHostAddress();
    return "http://" + host + ":" + bound.getPort();
  }

  @Override
  public String toString() {
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
  }
}
