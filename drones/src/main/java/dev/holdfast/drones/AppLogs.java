package dev.holdfast.drones;

import dev.holdfast.drones.Stored.Mark;
import dev.holdfast.ledger.HostName;
import dev.holdfast.limits.BoundedQueue;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Supervised;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * The logs of all apps of a machine: what their processes print, what the router and the platform
 * have to say about them. One thread writes them all and reads the spools of all runs; each app has
 * a bounded room on disk and loses its oldest lines. Thread-safe.
 *
 * <p>Lines of processes are never lost or stored twice, also over a {@code kill -9} of this JVM, as
 * long as the run's own spool still has them. Lines that are {@link #append appended} are lost when
 * the queue is full, which is counted and said in the log, or when the JVM is killed.
 */
public final class AppLogs implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(AppLogs.class.getName());
  private static final int BATCH_MAX = 512;

  /** Bytes taken from one spool before the others have their turn. */
  private static final int SPOOL_BYTES_MAX = 512 * 1024;

  private static final Duration CLOSE_WAIT = Duration.ofSeconds(10);

  private final Path directory;
  private final LogLimits limits;
  private final Time time;
  private final BoundedQueue<Said> queue;
  private final Map<String, AppLog> apps = new ConcurrentHashMap<>();
  private final Map<String, LongAdder> dropped = new ConcurrentHashMap<>();
  private final Map<String, Tail> tails = new ConcurrentHashMap<>();
  private final Supervised writer;
  private volatile boolean closing;

  /** A line on its way to the file. */
  private record Said(String app, LogLine line) {}

  /** The following of one run's spool; apart from the flag confined to the writer. */
  private static final class Tail {
    final String app;
    final String process;
    final String runId;
    final Path directory;
    final CompletableFuture<Void> done = new CompletableFuture<>();
    volatile boolean last;
    @org.jspecify.annotations.Nullable Spool spool;
    long waitNanos;
    long dueNanos;

    Tail(String app, String process, String runId, Path directory, long now) {
      this.app = app;
      this.process = process;
      this.runId = runId;
      this.directory = directory;
      this.dueNanos = now;
    }
  }

  /** Logs in that directory, one subdirectory for each app, which are made when needed. */
  public AppLogs(Path directory, LogLimits limits, Time time) {
    this.directory = directory.toAbsolutePath();
    this.limits = limits;
    this.time = time;
    queue = new BoundedQueue<>("log lines", limits.queueMax());
    writer = Supervised.platform("app-logs", time, _ -> write());
    writer.start();
  }

  private AppLog log(String app) {
    return apps.computeIfAbsent(
        HostName.label("app", app), name -> new AppLog(directory.resolve(name), limits, time));
  }

  /**
   * Adds a line, or several when the text has line ends. Never blocks; when there is no room the
   * line is dropped and the log will say how many were.
   *
   * @param source {@link LogLine#APP} or {@link LogLine#HOLDFAST}
   * @param process who says it: {@code web.1}, {@code router}, {@code release}
   */
  public void append(String app, String source, String process, String text) {
    HostName.label("app", app);
    for (var line : text.stripTrailing().split("\r?\n", -1)) {
      var bytes = line.getBytes(StandardCharsets.UTF_8);
      var harmless = Stored.harmless(bytes, bytes.length, limits.lineBytesMax(), 0);
      if (!queue.offer(new Said(app, new LogLine(time.now(), source, process, harmless)))) {
        dropped.computeIfAbsent(app, name -> new LongAdder()).increment();
      }
    }
  }

  /**
   * Follows the output of a run from where it was left. Calling it again changes nothing.
   *
   * @return completes when the run's output has ended and all of it is stored; never when this is
   *     closed before
   */
  public CompletableFuture<Void> tail(String app, String process, Run run) {
    return tail(app, process, run.runId(), run.spool());
  }

  CompletableFuture<Void> tail(String app, String process, String runId, Path spool) {
    HostName.label("app", app);
    return tails
        .computeIfAbsent(runId, id -> new Tail(app, process, id, spool, time.nanos()))
        .done
        .copy();
  }

  /**
   * Stores what is there of the run's output and follows it no longer; to be called before the run
   * is removed.
   *
   * @return completes when that is done; at once when the run is not followed
   */
  public CompletableFuture<Void> untail(String runId) {
    var tail = tails.get(runId);
    if (tail == null) {
      return CompletableFuture.completedFuture(null);
    }
    tail.last = true;
    return tail.done.copy();
  }

  /**
   * The newest lines of an app, oldest first.
   *
   * @param count how many; more than the configured bound are not given
   * @throws UncheckedIOException when they cannot be read
   */
  public List<LogLine> last(String app, int count) {
    Check.that(count >= 0, "count", count, ">= 0");
    try {
      return log(app).last(count);
    } catch (IOException e) {
      throw new UncheckedIOException("log of " + app, e);
    }
  }

  /**
   * Hands the newest lines and then every new one to {@code reader}, on a thread of its own, until
   * the answer is closed, the app is forgotten, or the reader is too slow.
   *
   * @throws UncheckedIOException when the past cannot be read
   */
  public LogFollow follow(String app, int last, Consumer<LogLine> reader) {
    Check.that(last >= 0, "last", last, ">= 0");
    try {
      return log(app).follow(last, reader);
    } catch (IOException e) {
      throw new UncheckedIOException("log of " + app, e);
    }
  }

  /**
   * Deletes the log of an app, whose runs must not be followed any more.
   *
   * @throws UncheckedIOException when it cannot be deleted
   */
  public void forget(String app) {
    var log = log(app);
    try {
      log.forget();
    } catch (IOException e) {
      throw new UncheckedIOException("log of " + app, e);
    }
    apps.remove(app, log);
    dropped.remove(app);
  }

  /** Stores what was appended and stops. Idempotent. */
  @Override
  public void close() {
    closing = true;
    writer.end();
    queue.close();
    writer.join(CLOSE_WAIT);
  }

  /** The background part that writes. */
  public Supervised part() {
    return writer;
  }

  private void write() throws InterruptedException {
    try {
      while (true) {
        var lines = queue.take(BATCH_MAX, untilDue());
        storeSaid(lines);
        storeDropped();
        if (closing) {
          if (lines.isEmpty()) {
            return;
          }
          continue;
        }
        for (var tail : tails.values()) {
          if (tail.last || tail.dueNanos - time.nanos() <= 0) {
            step(tail);
          }
        }
      }
    } finally {
      tails
          .values()
          .forEach(tail -> {
            release(tail);
            tail.spool = null; // whoever writes next opens it where it was left
          });
    }
  }

  /** Never longer than the shortest wait of a spool: a new one may have come meanwhile. */
  private Duration untilDue() {
    long nanos = limits.pollMin().toNanos();
    long now = time.nanos();
    for (var tail : tails.values()) {
      nanos = Math.min(nanos, tail.dueNanos - now);
    }
    return Duration.ofNanos(Math.max(0, nanos));
  }

  private void storeSaid(List<Said> lines) {
    var byApp = new LinkedHashMap<String, List<Stored>>();
    for (var said : lines) {
      byApp
          .computeIfAbsent(said.app(), app -> new ArrayList<>())
          .add(new Stored(said.line(), null));
    }
    byApp.forEach((app, stored) -> {
      if (!store(app, stored)) {
        dropped.computeIfAbsent(app, name -> new LongAdder()).add(stored.size());
      }
    });
  }

  private void storeDropped() {
    dropped.forEach((app, count) -> {
      long lost = count.sum();
      if (lost > 0) {
        var text = "L10 (drain buffer overflow): " + lost + " messages dropped";
        var line = new LogLine(time.now(), LogLine.HOLDFAST, "logs", text);
        if (store(app, List.of(new Stored(line, null)))) {
          count.add(-lost);
        }
      }
    });
  }

  private boolean store(String app, List<Stored> lines) {
    try {
      log(app).append(lines);
      return true;
    } catch (IOException | RuntimeException e) {
      LOG.log(System.Logger.Level.WARNING, "log of " + app + " cannot be written", e);
      return false;
    }
  }

  private void step(Tail tail) {
    boolean last = tail.last;
    try {
      var spool = tail.spool;
      if (spool == null) {
        Mark from = log(tail.app).mark(tail.runId);
        spool =
            new Spool(tail.directory, tail.runId, tail.process, from, limits.lineBytesMax(), time);
        tail.spool = spool;
      }
      var lines = spool.read(SPOOL_BYTES_MAX, last);
      try {
        log(tail.app).append(lines);
      } catch (IOException e) {
        spool.rewind();
        throw e;
      }
      spool.stored(lines);
      if (spool.ended()) {
        release(tail);
        tails.remove(tail.runId);
        tail.done.complete(null);
        return;
      }
      long pollNanos = limits.pollMin().toNanos();
      if (spool.more()) {
        tail.waitNanos = 0;
      } else if (lines.isEmpty()) {
        tail.waitNanos = Math.clamp(tail.waitNanos * 2, pollNanos, limits.pollMax().toNanos());
      } else {
        tail.waitNanos = pollNanos / 2;
      }
    } catch (IOException | RuntimeException e) {
      LOG.log(System.Logger.Level.WARNING, "output of " + tail.runId + " cannot be stored", e);
      tail.waitNanos = limits.pollMax().toNanos();
      if (last) {
        release(tail);
        tails.remove(tail.runId);
        tail.done.complete(null);
      }
    }
    tail.dueNanos = time.nanos() + tail.waitNanos;
  }

  private void release(Tail tail) {
    if (tail.spool != null) {
      tail.spool.close();
    }
  }
}
