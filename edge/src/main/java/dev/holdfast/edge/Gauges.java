package dev.holdfast.edge;

import java.util.concurrent.ConcurrentHashMap;

/**
 * The gauge of every target that is in use. One that is neither in use nor in the routing any more
 * is swept away, so the map is as large as the routing plus what is under way. Thread-safe.
 */
final class Gauges {
  private final ConcurrentHashMap<Target, Gauge> gauges = new ConcurrentHashMap<>();

  Gauge of(Target target) {
    var gauge = gauges.get(target);
    if (gauge != null) {
      return gauge;
    }
    var fresh = new Gauge();
    var other = gauges.putIfAbsent(target, fresh);
    return other == null ? fresh : other;
  }

  /** Drops what is neither in use nor routed to. */
  void sweep(Routing routing) {
    gauges
        .entrySet()
        .removeIf(entry ->
            entry.getValue().inFlight() == 0
                && routing.endpoint(entry.getKey().service(), entry.getKey().id()) == null);
  }

  int inFlight(String service, String id) {
    int sum = 0;
    for (var entry : gauges.entrySet()) {
      if (entry.getKey().service().equals(service) && entry.getKey().id().equals(id)) {
        sum += entry.getValue().inFlight();
      }
    }
    return sum;
  }

  void forget(String service, String id) {
    gauges.forEach((target, gauge) -> {
      if (target.service().equals(service) && target.id().equals(id)) {
        gauge.forget();
      }
    });
  }
}
