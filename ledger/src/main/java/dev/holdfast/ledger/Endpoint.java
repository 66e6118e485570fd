package dev.holdfast.ledger;

import dev.holdfast.limits.Check;
import java.util.Objects;

/**
 * One process that answers for a service, at an address, under a lease. Immutable.
 *
 * @param service name of the service
 * @param id unique within the service and never used again
 * @param name what people call it, such as {@code web.1}
 * @param host address to connect to, such as {@code 127.0.0.1}
 * @param port port to connect to
 * @param lease key of the lease under which it may answer
 * @param epoch epoch of that lease
 * @param state whether requests may be sent to it
 */
public record Endpoint(
    String service,
    String id,
    String name,
    String host,
    int port,
    String lease,
    long epoch,
    State state) {
  /** Endpoints in the ledger. */
  public static final Kind<Endpoint> KIND = Kind.open("endpoint", 1, Endpoint.class);

  /** Whether requests may be sent to an endpoint. */
  public enum State {
    /** Booting: a request may wait for it. */
    STARTING,
    /** It proved to answer: requests go to it. */
    UP,
    /** Nothing new goes to it; what is under way may end. */
    DRAINING,
    /** It ended by itself and will be tried again later. */
    CRASHED
  }

  /** Refuses an endpoint that cannot be connected to. */
  public Endpoint {
    Objects.requireNonNull(service, "service");
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(host, "host");
    Objects.requireNonNull(lease, "lease");
    Objects.requireNonNull(state, "state");
    Check.that(port >= 1 && port <= 65535, "port of " + service + " " + id, port, "1 to 65535");
  }

  /** The same endpoint in another state. */
  public Endpoint in(State next) {
    return new Endpoint(service, id, name, host, port, lease, epoch, next);
  }

  /** Where the endpoint stands in the ledger. */
  public String key() {
    return key(service, id);
  }

  /** Where the endpoint of that service and id stands in the ledger. */
  public static String key(String service, String id) {
    return "endpoint/" + service + "/" + id;
  }
}
