package dev.holdfast.edge;

import dev.holdfast.limits.HeavyHitters;

/** What the requests of one event loop cost, by who they were, since the last look. */
final class Book {
  final HeavyHitters clients;
  final HeavyHitters apps;
  final HeavyHitters routes;
  final HeavyHitters agents;

  Book(int keysMax) {
    clients = new HeavyHitters(keysMax);
    apps = new HeavyHitters(keysMax);
    routes = new HeavyHitters(keysMax);
    agents = new HeavyHitters(keysMax);
  }

  /** A key of 0 is nobody. */
  void add(long client, long app, long route, long agent, long cost) {
    if (client != 0) {
      clients.add(client, cost);
    }
    if (app != 0) {
      apps.add(app, cost);
    }
    if (route != 0) {
      routes.add(route, cost);
    }
    if (agent != 0) {
      agents.add(agent, cost);
    }
  }

  void addAll(Book other) {
    clients.addAll(other.clients);
    apps.addAll(other.apps);
    routes.addAll(other.routes);
    agents.addAll(other.agents);
  }

  void clear() {
    clients.clear();
    apps.clear();
    routes.clear();
    agents.clear();
  }
}
