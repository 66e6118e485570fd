package dev.holdfast.edge;

import dev.holdfast.limits.Time;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToIntFunction;

/**
 * The gauge of every target that is in use. One that is neither in use nor in the routing any more
 * is swept away, so the map is as large as the routing plus what is under way. Thread-safe.
 */
final class Gauges {
  private final Time time;
  private final ConcurrentHashMap<Target, Gauge> gauges = new ConcurrentHashMap<>();

  Gauges(Time time) {
    this.time = time;
  }

  Gauge of(Target target) {
    var gauge = gauges.get(target);
    if (gauge != null) {
      return gauge;
    }
    var fresh = new Gauge(target, time.nanos());
    var other = gauges.putIfAbsent(target, fresh);
    return other == null ? fresh : other;
  }

  /** Drops what is neither in use nor routed to. */
  void sweep(Routing routing) {
    gauges
        .values()
        .removeIf(gauge -> {
          var target = gauge.target;
          boolean idle =
              gauge.inFlight() == 0
                  && !gauge.sick()
                  && routing.endpoint(target.service(), target.id()) == null;
          if (idle) {
            gauge.sweep();
          }
          return idle;
        });
  }

  int inFlight(String service, String id) {
    return sum(service, id, Gauge::inFlight);
  }

  int requests(String service, String id) {
    return sum(service, id, Gauge::requests);
  }

  private int sum(String service, String id, ToIntFunction<Gauge> count) {
    int sum = 0;
    for (var entry : gauges.entrySet()) {
      if (entry.getKey().service().equals(service) && entry.getKey().id().equals(id)) {
        sum += count.applyAsInt(entry.getValue());
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
