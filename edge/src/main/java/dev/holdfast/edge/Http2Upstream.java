package dev.holdfast.edge;

import io.netty.bootstrap.Bootstrap;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One event loop's HTTP/2 connections to apps that speak it without TLS by prior knowledge (RFC
 * 9113 section 3.3), as gRPC servers do. Each request gets a stream; a further connection is opened
 * only when all streams of the others are taken. Confined to its event loop.
 */
final class Http2Upstream {
  /** Connections of different generations or addresses of one endpoint are never mixed. */
  private record Key(Target target, int generation, InetSocketAddress address) {}

  private final Loop loop;
  private final Bootstrap bootstrap;
  private final Map<Key, List<Http2Link>> links = new HashMap<>();
  private final AtomicInteger size = new AtomicInteger(); // for whoever looks from outside

  Http2Upstream(Loop loop, Bootstrap bootstrap) {
    this.loop = loop;
    this.bootstrap = bootstrap;
  }

  /** As many connections as there may be, and no stream is free. */
  static final class FullException extends ConnectException {
    private static final long serialVersionUID = 1;

    FullException(String message) {
      super(message);
    }
  }

  /** Hands a stream over, or the cause why there is none. */
  void connect(Gauge gauge, InetAddress address, int max, Loop.Connected then) {
    var target = gauge.target;
    var at = new InetSocketAddress(address, target.port());
    var key = new Key(target, gauge.generation(), at);
    var known = links.computeIfAbsent(key, _ -> new ArrayList<>(2));
    for (int i = 0; i < known.size(); i++) {
      if (known.get(i).room()) {
        known.get(i).take(then);
        return;
      }
    }
    if (known.size() >= Math.min(max, loop.shared().front.upstreamLinksMax())) {
      then.connected(
          null,
          new FullException(
              "HTTP/2 connections to %s: %d (expected: fewer)".formatted(target, known.size())));
      return;
    }
    var link = new Http2Link(loop, gauge, gone -> remove(key, gone));
    known.add(link);
    size.incrementAndGet();
    link.take(then);
    link.connect(bootstrap, key.address());
  }

  private void remove(Key key, Http2Link link) {
    var known = links.get(key);
    if (known == null || !known.remove(link)) {
      return;
    }
    size.decrementAndGet();
    if (known.isEmpty()) {
      links.remove(key);
    }
  }

  /** Lets no more streams begin on connections to that endpoint. */
  void forget(String service, String id) {
    for (var link : all()) {
      if (link.target().service().equals(service) && link.target().id().equals(id)) {
        link.retire();
      }
    }
  }

  /** Ends what waits for nothing. */
  void drain() {
    all().forEach(Http2Link::retire);
  }

  /** Ends everything. */
  void cut() {
    all().forEach(Http2Link::cut);
  }

  /** How many connections take requests; any thread may ask. */
  int size() {
    return size.get();
  }

  private List<Http2Link> all() {
    var all = new ArrayList<Http2Link>();
    links.values().forEach(all::addAll);
    return all;
  }
}
