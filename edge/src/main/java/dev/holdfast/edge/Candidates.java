package dev.holdfast.edge;

import dev.holdfast.limits.SlowStart;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The endpoints of one place as the choice for one request sees them. An event loop has one and
 * points it at the next place. Confined to its event loop.
 */
final class Candidates implements Balance.Endpoints {
  private final SlowStart slowStart;
  private @Nullable Place place;
  private @Nullable Set<String> tried;
  private int max;
  private int connectionsMax;
  private long now;

  Candidates(SlowStart slowStart) {
    this.slowStart = slowStart;
  }

  Candidates of(
      Place next, @Nullable Set<String> excluded, int perEndpointMax, int connections, long nanos) {
    place = next;
    tried = excluded;
    max = perEndpointMax;
    connectionsMax = connections;
    now = nanos;
    return this;
  }

  /** Whether one is left. */
  boolean any() {
    for (int i = 0; i < size(); i++) {
      if (usable(i)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public int size() {
    return place == null ? 0 : place.size();
  }

  @Override
  public boolean usable(int index) {
    return tried == null || !tried.contains(gauge(index).target.id());
  }

  @Override
  public boolean out(int index) {
    var gauge = gauge(index);
    return gauge.sick() || gauge.avoided(now) || gauge.quarantine.out(now);
  }

  @Override
  public int outstanding(int index) {
    return gauge(index).requests();
  }

  @Override
  public double weight(int index) {
    return slowStart.weight(now - gauge(index).bornNanos);
  }

  @Override
  public int cap(int index) {
    return connectionsMax == Integer.MAX_VALUE
        ? max
        : Math.min(max, connectionsMax - gauge(index).tunnels());
  }

  private Gauge gauge(int index) {
    if (place == null) {
      throw new IllegalStateException("candidates of no place");
    }
    return place.gauge(index);
  }
}
