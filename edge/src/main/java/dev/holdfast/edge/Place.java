package dev.holdfast.edge;

import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Policy;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.Service;
import dev.holdfast.limits.Keys;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where one host leads, worked out of one {@link Routing} so that a request has nothing left to
 * look up. An event loop keeps it until the routing changes. Confined to its event loop.
 */
final class Place {
  private static final Gauge[] NO_GAUGES = {};
  private static final Endpoint[] NO_ENDPOINTS = {};

  final byte[] host;
  final int hash;
  final long key;
  private final String name;
  private final Gauges gauges;
  private Routing view;
  private Route route;
  private @Nullable Service service;
  private Policy policy = Policy.NONE;
  private @Nullable Extras extras;
  private String app = "";
  private String tenant = "";
  private List<Endpoint> endpoints = List.of();
  private Gauge[] up = NO_GAUGES;
  private Endpoint[] upEndpoints = NO_ENDPOINTS;

  private Place(byte[] host, int hash, String name, Gauges gauges, Routing view, Route route) {
    this.host = host;
    this.hash = hash;
    this.name = name;
    key = Keys.of(name);
    this.gauges = gauges;
    this.view = view;
    this.route = route;
    settle(view, route);
  }

  /** The place of that host, or null when the host leads nowhere. */
  static @Nullable Place of(Authority authority, Gauges gauges, Routing view) {
    var name = authority.text();
    var route = view.route(name);
    return route == null
        ? null
        : new Place(
            java.util.Arrays.copyOf(authority.host, authority.length()),
            authority.hash(),
            route.host(),
            gauges,
            view,
            route);
  }

  /** Follows the routing; false when the host leads nowhere any more. */
  @SuppressWarnings("ReferenceEquality") // a view is published by replacing it
  boolean current(Routing now) {
    if (view == now) {
      return true;
    }
    var next = now.route(name);
    if (next == null) {
      return false;
    }
    var target = next.service();
    var held = now.policy(name, target);
    boolean same =
        next == route
            && held == policy
            && (target == null
                || (now.service(target) == service && now.endpoints(target) == endpoints));
    view = now;
    if (!same) {
      settle(now, next);
    }
    return true;
  }

  private void settle(Routing now, Route next) {
    route = next;
    var target = next.service();
    var address = next.address();
    policy = now.policy(name, target);
    extras = Extras.of(policy);
    boolean http2 = policy.upstream() == Policy.Upstream.H2C;
    app = target != null ? target : address != null ? address : "";
    tenant = policy.account() == null ? app : policy.account();
    if (target == null) {
      service = null;
      endpoints = List.of();
      up = address == null ? NO_GAUGES : new Gauge[] {gauges.of(Target.of(address, http2))};
      upEndpoints = NO_ENDPOINTS;
      return;
    }
    service = now.service(target);
    endpoints = now.endpoints(target);
    var live = new ArrayList<Endpoint>(endpoints.size());
    for (var endpoint : endpoints) {
      if (endpoint.state() == Endpoint.State.UP) {
        live.add(endpoint);
      }
    }
    upEndpoints = live.toArray(NO_ENDPOINTS);
    up = new Gauge[upEndpoints.length];
    for (int i = 0; i < up.length; i++) {
      up[i] = gauges.of(Target.of(upEndpoints[i], http2));
    }
  }

  /** The host as text. */
  String name() {
    return name;
  }

  /** The service that the host leads to, or null when it leads to an address. */
  @Nullable String serviceName() {
    return route.service();
  }

  /** What people asked for this host. */
  Policy policy() {
    return policy;
  }

  /** What is added to the app's answers, or null when they pass as they come. */
  @Nullable Extras extras() {
    return extras;
  }

  /** What has a limit of its own: the service, or the address. */
  String app() {
    return app;
  }

  /** Whose budgets requests are counted under. */
  String tenant() {
    return tenant;
  }

  @Nullable Service service() {
    return service;
  }

  List<Endpoint> endpoints() {
    return endpoints;
  }

  /** How many endpoints take requests; 1 for an address. */
  int size() {
    return up.length;
  }

  /** The gauge of the endpoint with that index. */
  Gauge gauge(int i) {
    var gauge = up[i];
    if (gauge.swept()) {
      gauge = gauges.of(gauge.target);
      up[i] = gauge;
    }
    return gauge;
  }

  /** The index of the endpoint with that id, or -1. */
  int indexOf(String id) {
    for (int i = 0; i < upEndpoints.length; i++) {
      if (upEndpoints[i].id().equals(id)) {
        return i;
      }
    }
    return -1;
  }

  /** What people call that endpoint; empty for an address. */
  String dyno(int i) {
    return upEndpoints.length == 0 ? "" : upEndpoints[i].name();
  }
}
