package dev.holdfast.edge;

import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Fold;
import dev.holdfast.ledger.PersistentMap;
import dev.holdfast.ledger.Policy;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.Service;
import dev.holdfast.limits.Check;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/**
 * Makes the {@link Routing} out of routes, services, endpoints and policies in the ledger.
 * Immutable.
 */
public final class RoutingFold implements Fold<Routing> {
  private static final String ROUTE = "route/";
  private static final String SERVICE = "service/";
  private static final String ENDPOINT = "endpoint/";

  private static final Set<String> KINDS =
      Set.of(Route.KIND.name(), Service.KIND.name(), Endpoint.KIND.name(), Policy.KIND.name());

  /** The one way to fold; it has no settings. */
  public RoutingFold() {}

  @Override
  public Routing start() {
    return Routing.empty();
  }

  /** Routes are the one thing of which there may be a million. */
  @Override
  public Routing open() {
    return new Routing(
        PersistentMap.open(), PersistentMap.empty(), PersistentMap.empty(), Policies.empty());
  }

  @Override
  public Routing settle(Routing open) {
    return new Routing(open.routes().settled(), open.services(), open.endpoints(), open.policies());
  }

  @Override
  public void readAhead(Entry entry) {
    Route.KIND.readAhead(entry);
  }

  @Override
  public Routing apply(Routing view, Entry entry) {
    if (entry.kind().equals(Route.KIND.name())) {
      return routed(view, entry);
    }
    if (entry.kind().equals(Service.KIND.name())) {
      return new Routing(
          view.routes(), services(view.services(), entry), view.endpoints(), view.policies());
    }
    if (entry.kind().equals(Endpoint.KIND.name())) {
      return new Routing(
          view.routes(), view.services(), endpoints(view.endpoints(), entry), view.policies());
    }
    if (entry.kind().equals(Policy.KIND.name())) {
      return new Routing(
          view.routes(),
          view.services(),
          view.endpoints(),
          view.policies().with(entry, view.routes()));
    }
    return view;
  }

  @Override
  public boolean reads(String kind) {
    return KINDS.contains(kind);
  }

  @Override
  public boolean shows(Routing view, Entry entry) {
    boolean deleted = entry.deleted();
    if (entry.kind().equals(Route.KIND.name())) {
      if (deleted) {
        return view.route(rest(entry, ROUTE)) == null;
      }
      var route = Route.KIND.decode(entry);
      return isKey(entry, route) && route.equals(view.route(route.host()));
    }
    if (entry.kind().equals(Service.KIND.name())) {
      var shown = view.service(rest(entry, SERVICE));
      return deleted ? shown == null : Service.KIND.decode(entry).equals(shown);
    }
    if (entry.kind().equals(Endpoint.KIND.name())) {
      var rest = rest(entry, ENDPOINT);
      int slash = rest.indexOf('/');
      var shown = view.endpoint(rest.substring(0, slash), rest.substring(slash + 1));
      return deleted ? shown == null : Endpoint.KIND.decode(entry).equals(shown);
    }
    return true;
  }

  /** A host that leads elsewhere now inherits from there. */
  private static Routing routed(Routing view, Entry entry) {
    PersistentMap<String, Route> routes;
    Policies policies;
    if (entry.deleted()) {
      var host = rest(entry, ROUTE);
      routes = view.routes().without(host);
      policies = view.policies().routed(host, null);
    } else {
      var route = Route.KIND.decode(entry);
      if (!isKey(entry, route)) {
        checkKey(entry, Route.key(route.host()));
      }
      policies = view.policies().routed(route.host(), route.service());
      routes = view.routes().with(route.host(), route);
    }
    return routes == view.routes() && policies == view.policies()
        ? view
        : new Routing(routes, view.services(), view.endpoints(), policies);
  }

  /** As {@link #checkKey} of the route's key, which is not made for it. */
  private static boolean isKey(Entry entry, Route route) {
    var key = entry.key();
    return key.length() == ROUTE.length() + route.host().length()
        && key.startsWith(ROUTE)
        && key.endsWith(route.host());
  }

  private static PersistentMap<String, Service> services(
      PersistentMap<String, Service> services, Entry entry) {
    if (entry.deleted()) {
      return services.without(rest(entry, SERVICE));
    }
    var service = Service.KIND.decode(entry);
    checkKey(entry, Service.key(service.name()));
    return services.with(service.name(), service);
  }

  private static PersistentMap<String, List<Endpoint>> endpoints(
      PersistentMap<String, List<Endpoint>> endpoints, Entry entry) {
    if (entry.deleted()) {
      var rest = rest(entry, ENDPOINT);
      int slash = rest.indexOf('/');
      Check.that(slash > 0, "key", entry.key(), ENDPOINT + "SERVICE/ID");
      var service = rest.substring(0, slash);
      var left = others(endpoints, service, rest.substring(slash + 1));
      return left.isEmpty()
          ? endpoints.without(service)
          : endpoints.with(service, List.copyOf(left));
    }
    var endpoint = Endpoint.KIND.decode(entry);
    checkKey(entry, endpoint.key());
    var list = others(endpoints, endpoint.service(), endpoint.id());
    list.add(endpoint);
    list.sort(Comparator.comparing(Endpoint::id));
    return endpoints.with(endpoint.service(), List.copyOf(list));
  }

  private static List<Endpoint> others(
      PersistentMap<String, List<Endpoint>> endpoints, String service, String id) {
    var now = endpoints.get(service);
    var others = new ArrayList<Endpoint>(now == null ? List.of() : now);
    others.removeIf(endpoint -> endpoint.id().equals(id));
    return others;
  }

  private static String rest(Entry entry, String prefix) {
    Check.that(entry.key().startsWith(prefix), "key", entry.key(), prefix + "...");
    return entry.key().substring(prefix.length());
  }

  /** A payload under a foreign key could never be deleted again. */
  private static void checkKey(Entry entry, String expected) {
    Check.that(entry.key().equals(expected), "key", entry.key(), expected);
  }
}
