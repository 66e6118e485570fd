package dev.holdfast.edge;

import dev.holdfast.limits.Time;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** What all event loops of one edge have in common. Thread-safe. */
final class Shared {
  private static final System.Logger LOG = System.getLogger(Edge.class.getName());

  final EdgeConfig config;
  final Supplier<Routing> view;
  final Time time;
  final Transport transport;
  final Gauges gauges = new Gauges();
  final Meters meters = new Meters(MetersConfig.defaults());
  final AtomicInteger connections = new AtomicInteger();
  final AtomicInteger waiting = new AtomicInteger();
  final long idleNanos;
  final long clientIdleNanos;
  final long firstByteNanos;
  final long bootWaitNanos;
  final long upstreamIdleNanos;
  final Head.Limits requestLimits;
  final Head.Limits responseLimits;
  final AccessLog log;
  private volatile boolean draining;

  Shared(EdgeConfig config, Supplier<Routing> view, Time time, AccessLog log, Transport transport) {
    this.config = config;
    this.view = view;
    this.time = time;
    this.log = log;
    this.transport = transport;
    idleNanos = config.idleTimeout().toNanos();
    clientIdleNanos = config.clientIdleTimeout().toNanos();
    firstByteNanos = config.firstByteTimeout().toNanos();
    bootWaitNanos = config.bootWait().toNanos();
    upstreamIdleNanos = config.upstreamIdleTimeout().toNanos();
    requestLimits =
        new Head.Limits(
            config.requestLineBytesMax(),
            config.headerLineBytesMax(),
            EdgeConfig.HEADER_NAME_BYTES_MAX,
            config.headersMax(),
            config.headBytesMax());
    responseLimits = Response.limits(config);
    meters.info("holdfast_edge_info", "How it talks to the kernel.", "transport", transport.name());
    meters.gauge("holdfast_edge_client_connections", "Clients connected.", connections::get);
    meters.counter("holdfast_edge_log_lines_dropped", "Log lines lost.", log::dropped);
    meters.gauge("holdfast_edge_requests_held", "Requests held for apps that start.", waiting::get);
  }

  boolean draining() {
    return draining;
  }

  void drain() {
    draining = true;
  }

  /** A defect of ours: visitors see H99, this is for whoever repairs it. */
  static void bug(String what, Throwable cause) {
    LOG.log(Level.ERROR, what, cause);
  }
}
