package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.holdfast.drills.Visitors.Rate;
import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Nodejitsu 2013: staging's traffic was unlike production's. Here the edge writes down live traffic
 * (kept and new connections, visitors who go away, slow readers), and the same comes once more at
 * the same speed and at five times of it, which is more than the app can serve. Immutable.
 */
final class ReplayDrill implements Drill {
  private static final int SHORT_SECONDS = 5;
  private static final int LONG_SECONDS = 30;
  private static final int SPEED = 5;
  private static final String HASTY = "hasty";
  private static final int HASTY_PER_SECOND = 4;
  private static final int SLOW_PER_SECOND = 2;
  private static final long SLOW_BYTES_PER_SECOND = 400_000;
  private static final int SETTLE_SECONDS = 1;
  private static final double LATE_MILLIS = 2;
  private static final double DIFFERENCE = 0.02;
  private static final double GOODPUT_SHARE = 0.9;
  private static final Duration PATIENCE = Duration.ofMillis(500);
  private static final Duration HASTE = Duration.ofMillis(25);
  private static final Duration LOG_WAIT = Duration.ofSeconds(10);
  private static final Duration LOOK_AGAIN = Duration.ofMillis(50);
  private static final String ONCE = "replay-1x";
  private static final String FAST = "replay-5x";
  private static final String LARGE = "/bytes/300000";
  private static final List<String> LIVE = List.of("kept", "fresh", HASTY);

  @Override
  public String name() {
    return "nodejitsu-replay";
  }

  @Override
  public String harm() {
    return "recorded traffic comes again, as it was and five times as fast";
  }

  @Override
  public Verdict run(Run run) throws IOException, InterruptedException {
    var time = run.time();
    int length = run.pace().isLong() ? LONG_SECONDS : SHORT_SECONDS;
    int once = length + 2 * SETTLE_SECONDS;
    int fast = once + length + SETTLE_SECONDS;
    int end = fast + length;
    var log = run.directory().resolve("trace.json");
    var settings = new HashMap<>(run.profile().environment());
    settings.put("HOLDFAST_EDGE_ACCESS_LOG", "file:" + log);
    settings.put("HOLDFAST_EDGE_ACCESS_LOG_FORMAT", "json");
    try (var app = new TestApp(time, TestApp.Capacity.of(12, 40), 0);
        var scene = new Scene(run.directory(), time, settings, app.address());
        var load = new Load(time, run.seed(), run.timeline())) {
      var to = scene.front().visitors();
      live(load, to, length);
      run.timeline().span("recording", 0, length);
      run.timeline().span("as it was", once, once + length);
      run.timeline().span(SPEED + "x as fast", fast, end);
      long before = lines(log); // what was asked while the scene was made
      load.start(end);
      load.until(length + SETTLE_SECONDS / 2.0);
      var recorded = Seen.of(app);
      awaitLines(time, log, before + recorded.all());
      var trace = Trace.read(log).without(before);
      var same = load.join(visitors(ONCE, to, 4), trace.plan(once));
      var faster = load.join(visitors(FAST, to, 5), trace.plan(fast, SPEED, length, PATIENCE));
      load.until(once);
      var start = Seen.of(app);
      load.until(fast - SETTLE_SECONDS / 2.0);
      var replayed = Seen.of(app).minus(start);
      long served = served(app);
      load.until(end);
      served = served(app) - served;
      load.await();
      return verdict(run, load, trace, recorded, replayed, same, faster, served, end - fast, app);
    }
  }

  private static void live(Load load, InetSocketAddress to, int seconds) {
    var off = new Rate(seconds, 0);
    load.add(visitors("kept", to, 1).withRates(new Rate(0, 70), off));
    load.add(visitors("fresh", to, 2).withFreshConnections().withRates(new Rate(0, 20), off));
    load.join(
        visitors("slow", to, 6),
        plan(LARGE, seconds, SLOW_PER_SECOND, Duration.ofSeconds(30), SLOW_BYTES_PER_SECOND));
    load.join(visitors(HASTY, to, 3), plan("/" + HASTY, seconds, HASTY_PER_SECOND, HASTE, 0));
  }

  /** Visits at even distances, each on a connection of its own. */
  private static Plan plan(
      String path, int seconds, int perSecond, Duration patience, long bytesPerSecond) {
    var visits = new ArrayList<Plan.Visit>();
    var request =
        ("GET " + path + " HTTP/1.1\r\nHost: " + Front.HOST + "\r\n\r\n").getBytes(ISO_8859_1);
    for (int i = 0; i < perSecond * seconds; i++) {
      long due = i * Duration.ofSeconds(1).toNanos() / perSecond;
      visits.add(new Plan.Visit(due, i, request, patience, bytesPerSecond, true, true));
    }
    return new Plan(visits.size(), visits);
  }

  private static Visitors visitors(String name, InetSocketAddress to, int network) {
    return Visitors.of(name, to, Front.HOST, network, 40);
  }

  /** What reached the app, by path: the oracle of what the trace has to hold. */
  private record Seen(Map<String, Long> paths) {
    static Seen of(TestApp app) {
      var paths = new HashMap<String, Long>();
      LIVE.forEach(name -> paths.put("/" + name, app.arrived("/" + name)));
      paths.put(LARGE, app.arrived(LARGE));
      return new Seen(paths);
    }

    Seen minus(Seen before) {
      var paths = new HashMap<String, Long>();
      this.paths.forEach((path, count) -> paths.put(path, count - before.of(path)));
      return new Seen(paths);
    }

    private long of(String path) {
      return paths.getOrDefault(path, 0L);
    }

    long all() {
      return paths.values().stream().mapToLong(Long::longValue).sum();
    }

    /** The largest difference of any path, as a share of all. */
    double differs(Seen other) {
      long most = 0;
      for (var path : paths.keySet()) {
        most = Math.max(most, Math.abs(of(path) - other.of(path)));
      }
      return (double) most / Math.max(1, all());
    }
  }

  private static long served(TestApp app) {
    return LIVE.stream().mapToLong(name -> app.served("/" + name)).sum();
  }

  private static long lines(Path log) throws IOException {
    return Files.exists(log) ? Files.readString(log).lines().count() : 0;
  }

  private static void awaitLines(Time time, Path log, long count)
      throws IOException, InterruptedException {
    var deadline = Deadline.after(time, LOG_WAIT);
    while (lines(log) < count && !deadline.passed()) {
      time.sleep(LOOK_AGAIN);
    }
  }

  private Verdict verdict(
      Run run,
      Load load,
      Trace trace,
      Seen recorded,
      Seen replayed,
      Tally same,
      Tally faster,
      long served,
      int seconds,
      TestApp app) {
    int start = seconds + 2 * SETTLE_SECONDS;
    var once = same.between(start, start + seconds);
    var fast = faster.between(start + seconds + SETTLE_SECONDS, 3 * seconds + 3 * SETTLE_SECONDS);
    double peak = app.capacity().perSecond();
    int live = trace.requests().size();
    double connections = (double) load.connects(ONCE) / trace.connections();
    return run.verdict(
        this,
        load.lateMillis(),
        List.of(
            Promise.atMost("the generator was late, p99", load.lateMillis(), LATE_MILLIS, "ms")
                .judgedIf(run.pace().isLong()),
            Promise.atMost(
                "requests missing in the trace, or too many",
                Math.abs((double) live - recorded.all()) / recorded.all(),
                DIFFERENCE,
                "of all"),
            Promise.atMost(
                "difference of what the app saw, as it was",
                replayed.differs(recorded),
                DIFFERENCE,
                "of all"),
            Promise.atMost(
                "difference in connections, as it was", Math.abs(connections - 1), 0.1, "of all"),
            Promise.atLeast(
                "goodput of the peak, " + SPEED + "x as fast",
                fast.good() / (double) seconds / peak,
                GOODPUT_SHARE,
                "x")),
        Map.of(
            "trace",
            "%d requests on %d connections in %.1f s, %d given up"
                .formatted(
                    live,
                    trace.connections(),
                    trace.seconds(),
                    trace.requests().stream().filter(Trace.Request::aborted).count()),
            "as it was",
            once.toString(),
            "as it was, from when due",
            latency(once.millis(50), once.millis(99)),
            "as it was, from when sent",
            latency(same.uncorrectedMillis(50), same.uncorrectedMillis(99)),
            SPEED + "x",
            fast.toString(),
            SPEED + "x, from when due",
            latency(fast.millis(50), fast.millis(99)),
            SPEED + "x, from when sent",
            latency(faster.uncorrectedMillis(50), faster.uncorrectedMillis(99)),
            SPEED + "x, app",
            "served %.0f a second, peak %.0f".formatted(served / (double) seconds, peak),
            "generator was late by",
            load.scheduleError()));
  }

  private static String latency(double p50, double p99) {
    return "p50 %.1f ms, p99 %.1f ms".formatted(p50, p99);
  }
}
