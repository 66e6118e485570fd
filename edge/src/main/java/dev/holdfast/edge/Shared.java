package dev.holdfast.edge;

import dev.holdfast.limits.InFlight;
import dev.holdfast.limits.RodView;
import dev.holdfast.limits.Time;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/** What all event loops of one edge have in common. Thread-safe. */
final class Shared {
  private static final System.Logger LOG = System.getLogger(Edge.class.getName());
  private static final int CLIENTS_WIDTH = 1 << 15;

  final EdgeConfig config;
  final FrontConfig front;
  final Supplier<Routing> view;
  final Supplier<RodView> rods;
  final Time time;
  final Transport transport;
  final Gauges gauges;
  final Admission admission;
  final Minder minder = new Minder(this);
  final Proofs proofs;
  final Checkups checkups;
  final Meters meters = new Meters(MetersConfig.defaults());
  final AtomicInteger connections = new AtomicInteger();
  final AtomicInteger waiting = new AtomicInteger();
  final AtomicInteger paused = new AtomicInteger();

  /** Connections that ever came in. */
  final AtomicLong accepted = new AtomicLong();

  /** Tunnels and streams that end only when somebody wants. */
  final AtomicInteger longLived = new AtomicInteger();

  /** Connections of each client. */
  final InFlight connectionsOf = new InFlight(CLIENTS_WIDTH);

  final long idleNanos;
  final long clientIdleNanos;
  final long firstByteNanos;
  final long bootWaitNanos;
  final long upstreamIdleNanos;
  final Head.Limits requestLimits;
  final Head.Limits responseLimits;
  final AccessLog log;
  final TlsKeys keys;
  final List<byte[]> stickyKeys;
  final Visitors visitors;

  /** Filled before the first of them does anything. */
  final List<Loop> loops = new CopyOnWriteArrayList<>();

  private final LongAdder evicted = new LongAdder();
  private volatile boolean draining;
  private volatile long departNanos;

  Shared(
      EdgeConfig config,
      FrontConfig front,
      TlsKeys keys,
      Supplier<Routing> view,
      Supplier<RodView> rods,
      Time time,
      AccessLog log,
      Proofs proofs,
      Transport transport) {
    this.config = config;
    this.front = front;
    this.view = view;
    this.rods = rods;
    this.time = time;
    gauges = new Gauges(time);
    this.proofs = proofs;
    checkups = Checkups.real(view, gauges, proofs, time);
    admission = new Admission(config.admission(), time.random(), time.nanos());
    this.log = log;
    this.keys = keys;
    visitors = new Visitors(front.proxies());
    stickyKeys = Returning.ownKeys(time);
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
    meters.add(out -> {
      var refused =
          out.counter("holdfast_edge_admission_refused", "Requests that a limiter refused.");
      for (var limiter : Limiter.values()) {
        refused.sample(admission.refused(limiter), "limiter", label(limiter));
      }
      var observed =
          out.counter(
              "holdfast_edge_admission_observed",
              "Requests that a limiter would have refused, had it not only observed.");
      for (var limiter : Limiter.values()) {
        observed.sample(admission.observed(limiter), "limiter", label(limiter));
      }
    });
    meters.gauge("holdfast_edge_client_connections", "Clients connected.", connections::get);
    meters.counter(
        "holdfast_edge_client_connections_evicted",
        "Quiet connections that were closed to make room.",
        evicted::sum);
    meters.counter("holdfast_edge_log_lines_dropped", "Log lines lost.", log::dropped);
    meters.counter(
        "holdfast_edge_strangers",
        "Connections given up because another process held the endpoint's port.",
        proofs::strangers);
    meters.gauge(
        "holdfast_edge_endpoints_sick", "Endpoints that fail their checks.", checkups::sick);
    meters.gauge("holdfast_edge_requests_held", "Requests held for apps that start.", waiting::get);
    meters.gauge(
        "holdfast_edge_requests_paused", "Requests held by the control rod pause.", paused::get);
  }

  private static String label(Limiter limiter) {
    return limiter.name().toLowerCase(Locale.ROOT);
  }

  boolean draining() {
    return draining;
  }

  void drain() {
    draining = true;
    departNanos = config.drain().nanos(longLived.get());
  }

  /** How long it takes until all that would not end by itself was asked to. */
  long departNanos() {
    return departNanos;
  }

  /** A quiet connection was closed to make room. */
  void evicted() {
    evicted.increment();
  }

  /** A defect of ours: visitors see H99, this is for whoever repairs it. */
  static void bug(String what, Throwable cause) {
    LOG.log(Level.ERROR, what, cause);
  }
}
