package dev.holdfast.server;

import dev.holdfast.edge.Routing;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.HostName;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Route;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Where hosts lead, as the edge in this process knows it: the one place where routes to addresses
 * are kept, of which there may be a million. Thread-safe.
 */
final class Hosts {
  private static final Duration APPLY_WAIT = Duration.ofSeconds(5);

  private final Ledger ledger;
  private final Follower<Routing> routing;
  private final BooleanSupplier frozen;

  /**
   * What the follower knows.
   *
   * @param frozen whether it applies nothing now, so that waiting for it is vain
   */
  Hosts(Ledger ledger, Follower<Routing> routing, BooleanSupplier frozen) {
    this.ledger = ledger;
    this.routing = routing;
    this.frozen = frozen;
  }

  /** Waits, within a bound, until what is in the ledger now is known here and at the edge. */
  void settle() {
    try {
      if (!frozen.getAsBoolean()) {
        routing.awaitApplied(ledger.head(), APPLY_WAIT);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The route of that host, to an app or to an address, or null. */
  @Nullable Route route(String host) {
    return routing.view().value().route(HostName.of(host));
  }

  /**
   * The first routes to addresses in order of host, of those that come after {@code after}. Looks
   * at all routes and keeps no more than it gives: a list is read page by page, and to sort a
   * million for each would take a second.
   */
  List<Route> addresses(@Nullable String after, int limit) {
    var first = new PriorityQueue<Route>(Comparator.comparing(Route::host).reversed());
    routing
        .view()
        .value()
        .routes()
        .forEach((host, route) -> {
          if (route.address() != null
              && (after == null || host.compareTo(after) > 0)
              && (first.size() < limit || host.compareTo(first.element().host()) < 0)) {
            first.add(route);
            if (first.size() > limit) {
              first.remove();
            }
          }
        });
    var sorted = new ArrayList<>(first);
    sorted.sort(Comparator.comparing(Route::host));
    return sorted;
  }
}
