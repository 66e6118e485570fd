package dev.holdfast.server;

import dev.holdfast.drones.Traffic;
import dev.holdfast.edge.Edge;
import dev.holdfast.edge.Routing;
import dev.holdfast.ledger.Follower;
import org.jspecify.annotations.Nullable;

/**
 * What the drones ask of the one edge in this process, which opens only after them. Thread-safe.
 */
final class EdgeTraffic implements Traffic {
  private final Follower<Routing> routing;
  private volatile @Nullable Edge edge;

  EdgeTraffic(Follower<Routing> routing) {
    this.routing = routing;
  }

  void open(Edge opened) {
    edge = opened;
  }

  @Override
  public boolean applied(long position) {
    return routing.view().position() >= position;
  }

  @Override
  public int inFlight(String service, String endpointId) {
    var opened = edge;
    return opened == null ? 0 : opened.requests(service, endpointId);
  }

  @Override
  public void forget(String service, String endpointId) {
    var opened = edge;
    if (opened != null) {
      opened.forget(service, endpointId);
    }
  }
}
