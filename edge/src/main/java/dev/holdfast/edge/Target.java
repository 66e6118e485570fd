package dev.holdfast.edge;

import dev.holdfast.ledger.Endpoint;

/**
 * One place to send requests to. Two targets are equal only when the app, its instance and the
 * address are, so a pooled connection can never serve another app that inherited the address.
 * Immutable.
 *
 * @param service name of the service, or empty when the platform does not run it
 * @param id id of the endpoint, or the address
 * @param host name or literal to connect to
 * @param http2 whether HTTP/2 is spoken there
 */
record Target(String service, String id, String host, int port, boolean http2) {

  static Target of(Endpoint endpoint, boolean http2) {
    return new Target(endpoint.service(), endpoint.id(), endpoint.host(), endpoint.port(), http2);
  }

  /** The target of a route to {@code http://ADDR:PORT}, a form that the route has checked. */
  static Target of(String address, boolean http2) {
    int colon = address.lastIndexOf(':');
    var host = address.substring(address.indexOf("//") + 2, colon);
    int port = Integer.parseInt(address.substring(colon + 1));
    return new Target("", address, host, port, http2);
  }

  /** The host without the brackets of an IPv6 literal. */
  String bareHost() {
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }
}
