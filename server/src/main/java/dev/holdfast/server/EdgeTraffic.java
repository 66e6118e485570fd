package dev.holdfast.server;

import dev.holdfast.drones.Traffic;
import dev.holdfast.edge.Edge;
import dev.holdfast.edge.Routing;
import dev.holdfast.ledger.Follower;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What the drones ask of the edges: of the one in this process, which opens only after them, and of
 * those in other processes by what they report. Thread-safe.
 */
final class EdgeTraffic implements Traffic {
  private final Follower<Routing> routing;
  private final EdgeReports others;
  private volatile @Nullable Edge edge;

  EdgeTraffic(Follower<Routing> routing, EdgeReports others) {
    this.routing = routing;
    this.others = others;
  }

  void open(Edge opened) {
    edge = opened;
  }

  @Override
  public boolean applied(long position) {
    return applied(position, EdgeReports.LIVE);
  }

  @Override
  public boolean forgotten(long position) {
    return applied(position, EdgeReports.KNOWN);
  }

  private boolean applied(long position, Duration within) {
    return routing.view().position() >= position && others.applied(position, within);
  }

  @Override
  public int inFlight(String service, String endpointId) {
    var opened = edge;
    int here = opened == null ? 0 : opened.requests(service, endpointId);
    return here + others.inFlight(service, endpointId);
  }

  @Override
  public void forget(String service, String endpointId) {
    var opened = edge;
    if (opened != null) {
      opened.forget(service, endpointId);
    }
  }
}
