package dev.holdfast.edge;

import dev.holdfast.limits.Time;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What all event loops of one edge have in common. Thread-safe. */
final class Shared {
  private static final System.Logger LOG = System.getLogger(Edge.class.getName());

  final EdgeConfig config;
  final FrontConfig front;
  final Supplier<Routing> view;
  final Time time;
  final Transport transport;
  final Gauges gauges = new Gauges();
  final AtomicInteger connections = new AtomicInteger();
  final AtomicInteger waiting = new AtomicInteger();
  private final RouterLog log;
  private volatile boolean draining;

  /** Which apps are spoken to in HTTP/2. */
  volatile Predicate<Target> http2Apps = _ -> false;

  Shared(
      EdgeConfig config,
      FrontConfig front,
      Supplier<Routing> view,
      Time time,
      RouterLog log,
      Transport transport) {
    this.config = config;
    this.front = front;
    this.view = view;
    this.time = time;
    this.log = log;
    this.transport = transport;
  }

  boolean draining() {
    return draining;
  }

  void drain() {
    draining = true;
  }

  /** Hands a line over; a log that fails costs a line, never a request. */
  void log(@Nullable String service, String line) {
    try {
      log.line(service, line);
    } catch (RuntimeException e) {
      bug("the router log threw", e);
    }
  }

  /** A defect of ours: visitors see H99, this is for whoever repairs it. */
  static void bug(String what, Throwable cause) {
    LOG.log(Level.ERROR, what, cause);
  }
}
