package dev.holdfast.server;

import static dev.holdfast.server.AppOperations.take;

import dev.holdfast.drones.Apps;
import dev.holdfast.ledger.HostName;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Policy;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Refusal;
import dev.holdfast.server.Operation.Query;
import dev.holdfast.server.Shapes.RouteImport;
import dev.holdfast.server.Shapes.RouteImported;
import dev.holdfast.server.Shapes.RouteList;
import dev.holdfast.server.Shapes.RouteShape;
import dev.holdfast.server.Shapes.RouteTarget;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What the API can do with routes to addresses that the platform does not run. Thread-safe. */
final class RouteOperations {
  /** Most routes in one import. */
  static final int IMPORT_MAX = 1_000;

  private final Ledger ledger;
  private final Apps apps;
  private final Hosts hosts;

  RouteOperations(Ledger ledger, Apps apps, Hosts hosts) {
    this.ledger = ledger;
    this.apps = apps;
    this.hosts = hosts;
  }

  List<Operation> all() {
    return List.of(
        Operation.get("/v1/routes", "Lists the routes to addresses.", RouteList.class, this::list)
            .with(
                new Query("limit", "At most so many, 1 to 1000"),
                new Query("cursor", "The `next` of the page before")),
        Operation.of(
            HandlerType.PUT,
            "/v1/routes/{host}",
            "Routes a host to an address.",
            RouteTarget.class,
            RouteShape.class,
            200,
            this::put),
        Operation.delete("/v1/routes/{host}", "Removes a route to an address.", this::remove),
        Operation.of(
            HandlerType.POST,
            "/v1/routes/import",
            "Adds or changes up to " + IMPORT_MAX + " routes, all or none.",
            RouteImport.class,
            RouteImported.class,
            200,
            this::importAll));
  }

  private Object list(Context context) {
    hosts.settle();
    int limit = Api.limit(context);
    var found = hosts.addresses(context.queryParam("cursor"), limit + 1);
    var page = found.size() > limit ? found.subList(0, limit) : found;
    return new RouteList(
        page.stream()
            .map(route -> new RouteShape(route.host(), Objects.toString(route.address())))
            .toList(),
        found.size() > limit ? page.getLast().host() : null);
  }

  private Object put(Context context) throws IOException {
    var body = Json.body(context, RouteTarget.class);
    var route = Route.toAddress(context.pathParam("host"), body.to());
    hosts.settle();
    var transaction = Transaction.by(Api.actor(context));
    if (add(transaction, route) != Change.UNCHANGED) {
      append(transaction);
    }
    return new RouteShape(route.host(), Objects.toString(route.address()));
  }

  private @Nullable Object remove(Context context) {
    var host = HostName.of(context.pathParam("host"));
    hosts.settle();
    var route = hosts.route(host);
    if (route == null || route.address() == null) {
      throw Problem.of(
          new Refusal.NotFound(
              "route "
                  + host
                  + (route == null ? ": none" : ": it is a domain of app " + route.service())
                  + " (expected: a host that `holdfast routes` lists)"));
    }
    append(Transaction.by(Api.actor(context)).delete(Route.key(host), Transaction.PRESENT));
    return null;
  }

  private Object importAll(Context context) throws IOException {
    var routes = Json.body(context, RouteImport.class).routes();
    Check.that(
        !routes.isEmpty() && routes.size() <= IMPORT_MAX,
        "routes",
        routes.size(),
        "1 to " + IMPORT_MAX);
    hosts.settle();
    var transaction = Transaction.by(Api.actor(context));
    var named = new HashSet<String>();
    int added = 0;
    int changed = 0;
    for (var shape : routes) {
      var route = Route.toAddress(shape.host(), shape.to());
      Check.that(named.add(route.host()), "host", route.host(), "each host once");
      switch (add(transaction, route)) {
        case ADDED -> added++;
        case CHANGED -> changed++;
        case UNCHANGED -> {}
      }
    }
    if (!transaction.isEmpty()) {
      append(transaction);
    }
    return new RouteImported(added, changed, routes.size() - added - changed);
  }

  private enum Change {
    ADDED,
    CHANGED,
    UNCHANGED
  }

  private Change add(Transaction transaction, Route route) {
    var before = hosts.route(route.host());
    if (before != null && before.service() != null) {
      throw Problem.of(
          new Refusal.Conflict(
              "host " + route.host() + ": routed already, to app " + before.service()));
    }
    if (route.equals(before)) {
      return Change.UNCHANGED;
    }
    transaction.put(
        Route.KIND,
        Route.key(route.host()),
        route,
        before == null ? Transaction.ABSENT : Transaction.PRESENT);
    if (before == null) { // what an earlier owner of the host asked for is not for this one
      transaction.delete(Policy.hostKey(route.host()), Transaction.ANY);
    }
    return before == null ? Change.ADDED : Change.CHANGED;
  }

  private void append(Transaction transaction) {
    take(ledger.append(transaction));
    apps.settle();
    hosts.settle();
  }
}
