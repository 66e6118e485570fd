package dev.holdfast.ledger;

import dev.holdfast.limits.Check;
import java.net.URI;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where requests for a host go: to a service of this platform, or to an address that the platform
 * does not run. Immutable.
 *
 * @param host lower case, see {@link HostName#of}
 * @param service name of the service, or null
 * @param address {@code http://ADDR:PORT}, or null
 */
public record Route(String host, @Nullable String service, @Nullable String address) {
  private static final String HTTP = "http://";

  /** Routes in the ledger. */
  public static final Kind<Route> KIND = Kind.open("route", 1, Route.class, RouteText::read);

  /** Refuses a route that leads to no place or to two. */
  public Route {
    host = HostName.of(Objects.requireNonNull(host, "host"));
    Check.that(
        (service == null) != (address == null),
        "route " + host,
        service + ", " + address,
        "either a service or an address");
    if (address != null) {
      var known = Repeated.ADDRESSES.seen(address);
      address = known == null ? Repeated.ADDRESSES.of(address(address)) : known;
    }
    service = service == null ? null : Repeated.NAMES.of(service);
  }

  /** A route to a service. */
  public static Route toService(String host, String service) {
    return new Route(host, service, null);
  }

  /** A route to an address. */
  public static Route toAddress(String host, String address) {
    return new Route(host, null, address);
  }

  /** Where the route for that host stands in the ledger. */
  public static String key(String host) {
    return "route/" + HostName.of(host);
  }

  private static String address(String address) {
    var expected = "http://ADDR:PORT, such as http://127.0.0.1:3000";
    URI uri;
    try {
      uri = URI.create(address);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(Check.message("address", address, expected), e);
    }
    var path = uri.getRawPath();
    Check.that(
        "http".equals(uri.getScheme())
            && uri.getHost() != null
            && uri.getPort() >= 1
            && uri.getPort() <= 65535
            && uri.getRawUserInfo() == null
            && uri.getRawQuery() == null
            && uri.getRawFragment() == null
            && (path == null || path.isEmpty() || path.equals("/")),
        "address",
        address,
        expected);
    return HTTP + uri.getHost() + ":" + uri.getPort();
  }
}
