package dev.holdfast.drills;

import dev.holdfast.drills.Visitors.Rate;
import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.BindException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Nodejitsu 2013: two apps on one address. While an app boots, a stranger listens on the port that
 * it was given and answers whoever comes. A platform that takes any answer for the app's calls the
 * release a success and shows the stranger's pages under the app's name. The oracle is the stranger
 * itself, who counts the visitors that reach it. Immutable.
 */
final class CollisionDrill implements Drill {
  private static final String STEADY = "steady";
  private static final int SHORT_COLLISIONS = 2;
  private static final int LONG_COLLISIONS = 10;
  private static final int SHORT_SECONDS = 3;
  private static final int LONG_SECONDS = 6;
  private static final int PER_SECOND = 20;
  private static final int TAKE_OVER_PER_SECOND = 300;
  private static final double VERDICT_SECONDS = 3;
  private static final int STRANGER_WORKERS = 32;
  private static final Duration WAIT = Duration.ofSeconds(60);
  private static final Duration PORT_WAIT = Duration.ofSeconds(10);
  private static final Duration LOOK_AGAIN = Duration.ofMillis(20);

  @Override
  public String name() {
    return "nodejitsu-collision";
  }

  @Override
  public String harm() {
    return "a stranger answers on the ports that booting apps were given";
  }

  /** What one collision came to. */
  private record Collision(long foreign, String status, double seconds, boolean named) {}

  @Override
  public Verdict run(Run run) throws IOException, InterruptedException {
    var time = run.time();
    boolean full = run.pace().isLong();
    int count = full ? LONG_COLLISIONS : SHORT_COLLISIONS;
    int each = full ? LONG_SECONDS : SHORT_SECONDS;
    var home = Files.createDirectories(run.directory().resolve("home"));
    var settings = run.profile().without("port-owner");
    try (var victim = new Victim(home, time, settings, List.of("-Xmx256m"))) {
      victim.start();
      try (var client = victim.client();
          var load = new Load(time, run.seed(), run.timeline())) {
        client.begin(STEADY, Tarball.witness());
        awaitPage(time, client);
        var to = victim.front().visitors();
        int first = run.pace().steady();
        int end = first + count * each;
        var steady =
            load.add(
                Visitors.of(STEADY, to, STEADY + ".localhost", 1, 10)
                    .withRates(new Rate(0, PER_SECOND), new Rate(end, TAKE_OVER_PER_SECOND)));
        for (int i = 1; i <= count; i++) {
          load.add(
              Visitors.of(app(i), to, app(i) + ".localhost", 1 + i, 10)
                  .withRates(new Rate(first + (i - 1) * each, PER_SECOND)));
        }
        load.start(end + each);
        var found = new ArrayList<Collision>();
        for (int i = 1; i <= count; i++) {
          load.until(first + (i - 1) * each);
          found.add(collide(run, client, load, app(i), first + i * each));
        }
        load.until(end);
        long taken = takeOver(run, client, end + each);
        load.await();
        return verdict(run, load, steady.between(0, end), found, taken);
      }
    }
  }

  private static String app(int number) {
    return "late-" + number;
  }

  /** The app boots and never listens; who answers on its port is somebody else. */
  private static Collision collide(Run run, Client client, Load load, String app, int until)
      throws IOException, InterruptedException {
    var time = run.time();
    double from = run.timeline().now();
    client.begin(app, Tarball.of("web: exec sleep 600"));
    int port = awaitPort(time, client, app);
    try (var stranger = stranger(time, port);
        var _ = run.timeline().harm(app + " collides")) {
      var status = "pending";
      double seconds = Double.POSITIVE_INFINITY;
      boolean named = false;
      while (run.timeline().now() < until) {
        if (Double.isInfinite(seconds)) {
          var release = client.get("/v1/apps/" + app + "/releases/1").json();
          status = release.get("status").asString();
          if (status.equals("failed") || status.equals("succeeded")) {
            seconds = run.timeline().now() - from;
            named = release.path("failure").asString("").contains(Integer.toString(port));
          }
        }
        run.timeline().count("Foreign pages", app, stranger.arrived("/" + app));
        time.sleep(LOOK_AGAIN.multipliedBy(5));
      }
      load.until(until);
      return new Collision(stranger.arrived("/" + app), status, seconds, named);
    }
  }

  /** A process of the app is killed, and a stranger listens on its port before anybody looked. */
  private static long takeOver(Run run, Client client, int until)
      throws IOException, InterruptedException {
    var process = client.get("/v1/apps/" + STEADY + "/processes").json().get("items").get(0);
    ProcessHandle.of(process.get("pid").asLong()).ifPresent(ProcessHandle::destroyForcibly);
    try (var stranger = stranger(run.time(), process.get("port").asInt());
        var _ = run.timeline().harm(STEADY + " is taken over")) {
      while (run.timeline().now() < until) {
        run.timeline().count("Foreign pages", STEADY, stranger.arrived("/" + STEADY));
        run.time().sleep(LOOK_AGAIN);
      }
      return stranger.arrived("/" + STEADY);
    }
  }

  private static TestApp stranger(Time time, int port) throws IOException, InterruptedException {
    var deadline = Deadline.after(time, PORT_WAIT);
    while (true) {
      try {
        return new TestApp(time, TestApp.Capacity.of(STRANGER_WORKERS, 1), port);
      } catch (BindException e) {
        if (deadline.passed()) {
          throw e;
        }
        time.sleep(LOOK_AGAIN);
      }
    }
  }

  private static int awaitPort(Time time, Client client, String app)
      throws IOException, InterruptedException {
    var deadline = Deadline.after(time, PORT_WAIT);
    while (true) {
      for (var process : client.get("/v1/apps/" + app + "/processes").json().get("items")) {
        if (process.hasNonNull("port")) {
          return process.get("port").asInt();
        }
      }
      if (deadline.passed()) {
        throw new IOException(app + " was given no port in " + PORT_WAIT);
      }
      time.sleep(LOOK_AGAIN);
    }
  }

  private static void awaitPage(Time time, Client client) throws IOException, InterruptedException {
    var deadline = Deadline.after(time, WAIT);
    while (client.visit(STEADY) == null) {
      if (deadline.passed()) {
        throw new IOException(STEADY + " does not answer after " + WAIT);
      }
      time.sleep(LOOK_AGAIN);
    }
  }

  private Verdict verdict(Run run, Load load, Tally.Sum steady, List<Collision> found, long taken) {
    long foreign = found.stream().mapToLong(Collision::foreign).sum();
    long succeeded = found.stream().filter(one -> one.status().equals("succeeded")).count();
    long unnamed = found.stream().filter(one -> !one.named()).count();
    double slowest = found.stream().mapToDouble(Collision::seconds).max().orElse(0);
    return run.verdict(
        this,
        load.lateMillis(),
        List.of(
            Promise.none("foreign pages", foreign, "pages"),
            Promise.none("releases that succeeded and never listened", succeeded, "releases"),
            Promise.none("failures that do not name the port", unnamed, "releases"),
            Promise.atMost("until a release was told so", slowest, VERDICT_SECONDS, "s")
                .judgedIf(run.pace().isLong()),
            Promise.none("lost of another app's visitors", steady.lost(), "requests")),
        Map.of(
            "collisions",
            found.stream().map(one -> one.status() + ", " + one.foreign() + " pages").toList() + "",
            "taken over",
            taken + " pages",
            "another app",
            steady.toString(),
            "generator was late by",
            load.scheduleError()));
  }
}
