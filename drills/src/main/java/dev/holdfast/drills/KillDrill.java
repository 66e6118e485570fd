package dev.holdfast.drills;

import dev.holdfast.limits.Check;
import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Kills the platform with SIGKILL at random moments of appends and deploys, and promises: nothing
 * that was acknowledged is lost, positions have no gap, the store is sound, and an app that ran
 * goes on running as the same process and answers within two seconds after the platform is back.
 *
 * <p>The oracle is the writers' own record of what was acknowledged, the app's own word for its
 * process id, and a backup, which is only given out when a full check of the copied store passes.
 * On the naive side apps are children of a supervisor, which end when it does.
 */
public final class KillDrill {
  /** How long an app may be silent after the platform is back. */
  static final Duration ANSWER_WAIT = Duration.ofSeconds(2);

  private static final Duration BOOT_WAIT = Duration.ofSeconds(60);
  private static final Duration LOOK_AGAIN = Duration.ofMillis(20);
  private static final int WRITERS = 3;
  private static final int MOMENT_MILLIS_MIN = 100;
  private static final int MOMENT_MILLIS_MAX = 1_500;

  private final Profile profile;
  private final Path directory;
  private final Time time;
  private final Random random;
  private final Map<String, String> acknowledgedRoutes = new ConcurrentHashMap<>();
  private final Map<String, Integer> acknowledgedReleases = new ConcurrentHashMap<>();
  private final ConcurrentLinkedQueue<String> surprises = new ConcurrentLinkedQueue<>();
  private final byte[] upload = Tarball.witness();
  private int routes;

  /**
   * What the drill found. Immutable.
   *
   * @param rounds how often the platform was killed
   * @param acknowledged how many appends were acknowledged in all
   * @param releases how many deploys were acknowledged in all
   * @param entries how many entries the ledger held at the end
   * @param slowestAnswer longest time from the platform's return to the app's answer
   * @param broken promises that did not hold, none when all is well
   */
  public record Report(
      int rounds,
      int acknowledged,
      int releases,
      long entries,
      Duration slowestAnswer,
      List<String> broken) {
    /** Copies what it is given. */
    public Report {
      broken = List.copyOf(broken);
    }
  }

  /** A drill in a directory of its own; the same seed kills at the same moments. */
  public KillDrill(Path directory, Time time, long seed, Profile profile) {
    this.profile = profile;
    this.directory = directory;
    this.time = time;
    random = new Random(seed);
  }

  /**
   * Runs it.
   *
   * @throws IOException when the platform does not start at all
   * @throws InterruptedException when the thread is asked to end
   */
  public Report run(int rounds) throws IOException, InterruptedException {
    var home = directory.resolve("home");
    Files.createDirectories(home);
    var slowest = Duration.ZERO;
    long entries = 0;
    try (var victim = new Victim(home, time)) {
      victim.start();
      String pid;
      try (var client = victim.client()) {
        client.deploy("steady", upload, "steady");
        pid = await(client, "steady", BOOT_WAIT);
      }
      for (int round = 1; round <= rounds; round++) {
        harm(victim, round);
        victim.start();
        try (var client = victim.client()) {
          long back = time.nanos();
          var now = await(client, "steady", ANSWER_WAIT);
          var took = Duration.ofNanos(time.nanos() - back);
          slowest = took.compareTo(slowest) > 0 ? took : slowest;
          expect(pid.equals(now), round, "steady is " + now + " (expected: " + pid + ")");
          entries = verify(client, round);
        }
      }
      try (var client = victim.client()) {
        var last = await(client, "moving", BOOT_WAIT);
        expect(!last.isEmpty(), rounds, "moving answers nobody at the end");
      }
    }
    return new Report(
        rounds,
        acknowledgedRoutes.size(),
        acknowledgedReleases.size(),
        entries,
        slowest,
        List.copyOf(surprises));
  }

  /** Writes from several sides and kills in the middle of it. */
  private void harm(Victim victim, int round) throws IOException, InterruptedException {
    var stop = new AtomicBoolean();
    var threads = new ArrayList<Thread>();
    try (var client = victim.client()) {
      for (int writer = 0; writer < WRITERS; writer++) {
        int from = routes;
        routes += 100_000;
        threads.add(Thread.ofVirtual().start(() -> writeRoutes(client, from, stop)));
      }
      threads.add(Thread.ofVirtual().start(() -> deploy(client, round, stop)));
      time.sleep(
          Duration.ofMillis(
              MOMENT_MILLIS_MIN + random.nextInt(MOMENT_MILLIS_MAX - MOMENT_MILLIS_MIN)));
      switch (profile) {
        case NAIVE -> victim.killWithChildren();
        case PROTECTED -> victim.kill();
      }
      stop.set(true);
      for (var thread : threads) {
        thread.join();
      }
    }
  }

  private void writeRoutes(Client client, int from, AtomicBoolean stop) {
    for (int i = from; !stop.get(); i++) {
      var host = "r" + i + ".example.org";
      var to = "http://127.0.0.1:" + (1 + i % 60_000);
      try {
        if (client.put("/v1/routes/" + host, "{\"to\":\"" + to + "\"}").status() == 200) {
          acknowledgedRoutes.put("route/" + host, to);
        }
      } catch (IOException e) {
        return; // killed: whatever was not acknowledged may be there or not
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void deploy(Client client, int round, AtomicBoolean stop) {
    for (int i = 0; !stop.get(); i++) {
      try {
        var answer = client.deploy("moving", upload, "round-" + round + "-" + i);
        if (answer.status() == 202) {
          acknowledgedReleases.put(
              "round-" + round + "-" + i, answer.json().get("version").asInt());
        }
        time.sleep(Duration.ofMillis(200));
      } catch (IOException e) {
        return;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Compares the ledger with the record of what was acknowledged. */
  private long verify(Client client, int round) throws IOException, InterruptedException {
    long position = 0;
    var routesThere = new ConcurrentHashMap<String, String>();
    var releasesThere = new ConcurrentHashMap<String, Integer>();
    for (var entry : client.ledger()) {
      position++;
      expect(
          entry.get("position").asLong() == position,
          round,
          "position " + entry.get("position") + " (expected: " + position + ")");
      var payload = entry.get("payload");
      if (entry.get("kind").asString().equals("route") && payload.hasNonNull("address")) {
        routesThere.put(entry.get("key").asString(), payload.get("address").asString());
      } else if (entry.get("kind").asString().equals("release") && payload.hasNonNull("request")) {
        releasesThere.put(payload.get("request").asString(), payload.get("version").asInt());
      }
    }
    acknowledgedRoutes.forEach((key, to) ->
        expect(to.equals(routesThere.get(key)), round, key + " was acknowledged and is lost"));
    acknowledgedReleases.forEach((key, version) ->
        expect(
            version.equals(releasesThere.get(key)),
            round,
            "release " + key + " v" + version + " was acknowledged and is lost"));
    int backup = client.post("/v1/backup", "").status();
    expect(backup == 200, round, "a checked backup answers " + backup + " (expected: 200)");
    return position;
  }

  private void expect(boolean holds, int round, String broken) {
    if (!holds) {
      surprises.add("round " + round + ": " + broken);
    }
  }

  /** The process id that the app says it has; empty when it does not answer in time. */
  private String await(Client client, String app, Duration wait) throws InterruptedException {
    var deadline = Deadline.after(time, wait);
    while (true) {
      var says = client.visit(app);
      if (says != null) {
        var words = says.split(" ", 3);
        Check.that(words.length == 3 && words[0].equals(app), "page of " + app, says, "its own");
        return words[1];
      }
      if (deadline.passed()) {
        return "";
      }
      time.sleep(LOOK_AGAIN);
    }
  }
}
