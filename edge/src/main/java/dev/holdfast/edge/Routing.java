package dev.holdfast.edge;

import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.PersistentMap;
import dev.holdfast.ledger.Policy;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.Service;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where every host leads to, at one position of the ledger. Immutable.
 *
 * @param routes by host, lower case
 * @param services by name
 * @param endpoints by name of their service, in order of their ids
 * @param policies by host and by service
 */
public record Routing(
    PersistentMap<String, Route> routes,
    PersistentMap<String, Service> services,
    PersistentMap<String, List<Endpoint>> endpoints,
    Policies policies) {

  /** A routing in which nobody asked for anything. */
  public Routing(
      PersistentMap<String, Route> routes,
      PersistentMap<String, Service> services,
      PersistentMap<String, List<Endpoint>> endpoints) {
    this(routes, services, endpoints, Policies.empty());
  }

  /** No host leads anywhere. */
  public static Routing empty() {
    return new Routing(
        PersistentMap.empty(), PersistentMap.empty(), PersistentMap.empty(), Policies.empty());
  }

  /** The route of that host, or null. */
  public @Nullable Route route(String host) {
    return routes.get(host);
  }

  /** The service of that name, or null. */
  public @Nullable Service service(String name) {
    return services.get(name);
  }

  /** What holds for that host, whose route leads to that service or, when it is null, elsewhere. */
  public Policy policy(String host, @Nullable String service) {
    return policies.of(host, service);
  }

  /** The endpoints of that service, in whatever state they are. */
  public List<Endpoint> endpoints(String service) {
    var list = endpoints.get(service);
    return list == null ? List.of() : list;
  }

  /** The endpoint of that service and id, or null. */
  public @Nullable Endpoint endpoint(String service, String id) {
    for (var endpoint : endpoints(service)) {
      if (endpoint.id().equals(id)) {
        return endpoint;
      }
    }
    return null;
  }
}
