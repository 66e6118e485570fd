package dev.holdfast.edge;

import dev.holdfast.limits.Supervised;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The access log of one edge. Each event loop has a lane that it writes to without waiting and
 * without making objects; one thread takes from all lanes, makes the lines and hands them to the
 * sinks. What finds its lane full is dropped and counted: traffic never waits for its log.
 * Thread-safe.
 *
 * <pre>
 * event loop -> AccessLane -+
 * event loop -> AccessLane -+-> thread -> file, stdout, syslog
 *                                     \-> RouterLog, so many lines a second of each service
 * </pre>
 */
final class AccessLog implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(AccessLog.class.getName());
  private static final Duration STOP_WAIT = Duration.ofSeconds(5);
  private static final int BATCH = 512;

  private final AccessLogConfig config;
  private final RouterLog router;
  private final Time time;
  private final List<AccessSink> sinks;
  private final LineBudget budget;
  private final CopyOnWriteArrayList<AccessLane> lanes = new CopyOnWriteArrayList<>();
  private final AtomicBoolean asleep = new AtomicBoolean();
  private final AtomicLong written = new AtomicLong();
  private final AccessRecord view = new AccessRecord();
  private final AccessLine line = new AccessLine();
  private final LineBuffer plain = new LineBuffer();
  private final LineBuffer full = new LineBuffer();
  private final Supervised part;
  private final AtomicBoolean finished = new AtomicBoolean();
  private volatile boolean closed;

  private AccessLog(AccessLogConfig config, RouterLog router, Time time, List<AccessSink> sinks) {
    this.config = config;
    this.router = router;
    this.time = time;
    this.sinks = sinks;
    budget = new LineBudget(config.routerLinesPerSecond(), this::toRouter, time.nanos());
    part = Supervised.platform("access-log", time, _ -> run());
  }

  /**
   * A log that runs already.
   *
   * @throws IOException when a sink cannot work at all, naming it
   */
  static AccessLog start(AccessLogConfig config, RouterLog router, Time time) throws IOException {
    var sinks = new ArrayList<AccessSink>();
    try {
      for (var sink : config.sinks()) {
        sinks.add(Sinks.open(sink, time));
      }
    } catch (IOException e) {
      sinks.forEach(AccessSink::close);
      throw e;
    }
    var log = new AccessLog(config, router, time, List.copyOf(sinks));
    log.part.start();
    return log;
  }

  /** A lane for one more event loop. */
  AccessLane lane() {
    var lane = new AccessLane(config.lanes(), config.sampleOneIn(), this::wake);
    lanes.add(lane);
    return lane;
  }

  /** Lines that were lost, in lanes or in sinks. */
  long dropped() {
    long dropped = 0;
    for (var lane : lanes) {
      dropped += lane.dropped();
    }
    for (var sink : sinks) {
      dropped += sink.dropped();
    }
    return dropped;
  }

  /** Requests that were handed over to the sinks. */
  long written() {
    return written.get();
  }

  private void wake() {
    if (asleep.get() && asleep.compareAndSet(true, false)) {
      LockSupport.unpark(part.thread());
    }
  }

  private void run() {
    while (!closed) {
      if (drain() < BATCH) {
        asleep.set(true);
        if (!closed) {
          LockSupport.parkNanos(this, config.flushEvery().toNanos());
        }
        asleep.set(false);
      }
    }
    while (drain() > 0) {
      // what was written before the end is logged
    }
    finish();
  }

  private void finish() {
    if (finished.compareAndSet(false, true)) {
      sinks.forEach(AccessSink::close);
    }
  }

  /** The background part that writes. What it dies of costs the lines since its lanes were full. */
  Supervised part() {
    return part;
  }

  /** One round over all lanes; answers how many requests it took. */
  private int drain() {
    int taken = 0;
    long now = time.nanos();
    for (var lane : lanes) {
      int some = 0;
      while (some < BATCH && lane.read(view)) {
        some++;
        emit(now);
        lane.taken();
      }
      taken += some;
    }
    written.lazySet(written.get() + taken);
    for (var sink : sinks) {
      sink.flush();
    }
    budget.say(now);
    return taken;
  }

  private void emit(long now) {
    boolean shown = budget.take(view.service, view.code != null, now);
    boolean logfmt = config.format() == AccessLogConfig.Format.LOGFMT;
    if (shown || (logfmt && !sinks.isEmpty())) {
      plain.clear();
      line.logfmt(plain, view);
    }
    if (!sinks.isEmpty()) {
      full.clear();
      int prefix = 0;
      if (logfmt) {
        line.time(full, view);
        full.text(" holdfast[router]: ");
        prefix = full.length;
        full.raw(plain.bytes, 0, plain.length);
      } else {
        line.json(full, view, config.sampleOneIn());
      }
      for (var sink : sinks) {
        sink.line(full, prefix, view);
      }
    }
    if (shown) {
      toRouter(view.service, new String(plain.bytes, 0, plain.length, StandardCharsets.ISO_8859_1));
    }
  }

  /** A log that fails costs a line, never the others. */
  private void toRouter(@Nullable String service, String text) {
    try {
      router.line(service, text);
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, "the router log threw", e);
    }
  }

  /** Logs what was written before, for at most some seconds. Idempotent. */
  @Override
  public void close() {
    closed = true;
    part.end();
    LockSupport.unpark(part.thread());
    part.join(STOP_WAIT);
    if (!part.thread().isAlive()) {
      finish(); // it died before it came to it
    }
  }
}
