package dev.holdfast.edge;

import io.netty.channel.ConnectTimeoutException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.NoRouteToHostException;
import java.net.PortUnreachableException;
import java.net.UnknownHostException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The attempt to reach one target: its addresses are resolved, then tried one after the other.
 * Confined to its event loop.
 */
final class Connecting {
  private final Loop loop;
  private final Gauge gauge;
  private final int triesMax;
  private final int connectionsMax;
  private final Reach reach;
  private final Deque<InetAddress> addresses = new ArrayDeque<>(2);
  private final long startNanos;
  private int tries;

  Connecting(Loop loop, Gauge gauge, int triesMax, int connectionsMax, Reach reach) {
    this.loop = loop;
    this.gauge = gauge;
    this.triesMax = triesMax;
    this.connectionsMax = connectionsMax;
    this.reach = reach;
    startNanos = loop.shared().time.nanos();
  }

  Target target() {
    return gauge.target;
  }

  int tries() {
    return tries;
  }

  long nanos() {
    return loop.shared().time.nanos() - startNanos;
  }

  void start() {
    loop.resolve(gauge.target, this::resolved);
  }

  private void resolved(List<InetAddress> found, @Nullable Throwable cause) {
    if (found.isEmpty()) {
      reach.unreachable(this, Code.H21, cause == null ? "no address" : "name not resolved");
      return;
    }
    addresses.addAll(found);
    next();
  }

  private void next() {
    tries++;
    var address = addresses.remove();
    loop.connect(gauge, address, connectionsMax, this::connected);
  }

  private void connected(@Nullable UpstreamConnection connection, @Nullable Throwable cause) {
    if (connection != null) {
      if (!gauge.target.http2()) {
        count(connection);
      }
      reach.connected(this, connection);
    } else if (!addresses.isEmpty() && tries < triesMax) {
      next();
    } else {
      reach.unreachable(this, code(cause), null);
    }
  }

  private void count(UpstreamConnection connection) {
    var service = gauge.target.service();
    var meter = loop.meters().meter(service.isEmpty() ? null : service);
    meter.connection(1);
    gauge.connection(1);
    var _ =
        connection
            .channel()
            .closeFuture()
            .addListener(_ -> {
              meter.connection(-1);
              gauge.connection(-1);
            });
  }

  /** Only what the network said is the app's; a lack of descriptors, say, is ours. */
  private static Code code(@Nullable Throwable cause) {
    return switch (cause) {
      case ConnectTimeoutException _ -> Code.H19;
      case Http2Upstream.FullException _ -> Code.H11;
      case ConnectException _, NoRouteToHostException _ -> Code.H21;
      case PortUnreachableException _, UnknownHostException _ -> Code.H21;
      case null, default -> Code.H99;
    };
  }
}
