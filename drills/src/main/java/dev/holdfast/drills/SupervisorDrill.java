package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.drills.Visitors.Rate;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Deadline;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Heroku 2012: a child that dies as soon as it is born, again and again. Who starts it at once each
 * time burns the machine that the others need, and who gives up after so many takes its siblings
 * with it. The oracle is the child, which writes down each of its births. Immutable.
 */
final class SupervisorDrill implements Drill {
  private static final String SIBLING = "sibling";
  private static final String CHILD = "child";
  private static final int SHORT_SECONDS = 12;
  private static final int LONG_SECONDS = 60;
  private static final int PER_SECOND = 50;
  private static final double LATENCY_RATIO = 1.05;
  private static final double SAID_SECONDS = 5;
  private static final Duration WAIT = Duration.ofSeconds(60);
  private static final Duration LOOK_AGAIN = Duration.ofMillis(100);

  @Override
  public String name() {
    return "heroku-supervisor";
  }

  @Override
  public String harm() {
    return "a process that dies as soon as it is started, for a minute";
  }

  @Override
  public Verdict run(Run run) throws IOException, InterruptedException {
    var time = run.time();
    int fault = 2 * run.pace().steady();
    int cure = fault + (run.pace().isLong() ? LONG_SECONDS : SHORT_SECONDS);
    var home = Files.createDirectories(run.directory().resolve("home"));
    var births = births(run.directory());
    var settings = run.profile().without("crash-pacing");
    try (var victim = new Victim(home, time, settings, List.of("-Xmx256m"))) {
      victim.start();
      try (var client = victim.client();
          var load = new Load(time, run.seed(), run.timeline())) {
        client.begin(SIBLING, Tarball.witness());
        awaitPage(run, client);
        client.begin(CHILD, Tarball.of("worker: echo born >> " + births + "; exit 1"));
        var sibling =
            load.add(
                Visitors.of(SIBLING, victim.front().visitors(), SIBLING + ".localhost", 1, 10)
                    .withRates(new Rate(0, PER_SECOND)));
        load.start(cure + run.pace().recovery());
        load.until(fault);
        int scaled = client.patch("/v1/apps/" + CHILD + "/formation", "{\"worker\":1}").status();
        Check.that(scaled == 200, "scale", scaled, "200");
        double said = watch(run, client, births, cure);
        long born = count(births);
        boolean alive = victim.isAlive() && client.get(Front.HEALTH).status() == 200;
        client.patch("/v1/apps/" + CHILD + "/formation", "{\"worker\":0}");
        load.await();
        var before = sibling.between(1, fault);
        var during = sibling.between(fault, cure);
        return run.verdict(
            this,
            load.lateMillis(),
            List.of(
                Promise.atMost("starts", (double) born, starts(cure - fault), "starts"),
                Promise.atLeast("starts, since it never gives up", (double) born, 2, "starts"),
                Promise.atMost("until it is said to be crashed", said - fault, SAID_SECONDS, "s"),
                Promise.none("platforms that died of it", alive ? 0 : 1, "platforms"),
                Promise.none("lost of the sibling's visitors", during.lost(), "requests"),
                Promise.atMost(
                        "p99 of the sibling, of before",
                        during.admittedMillis(99) / before.millis(99),
                        LATENCY_RATIO,
                        "x")
                    .judgedIf(run.pace().isLong())),
            Map.of(
                "sibling before", before.toString(),
                "sibling during", during.toString(),
                "sibling after", sibling.between(cure, cure + run.pace().recovery()).toString(),
                "generator was late by", load.scheduleError()));
      }
    }
  }

  /** Starts after 0, 1, 3, 7, 15, 31 s and so on. */
  static int starts(int seconds) {
    return Integer.SIZE - Integer.numberOfLeadingZeros(seconds + 1) + 1;
  }

  private static Path births(Path directory) throws IOException {
    var folder = Files.createDirectories(directory.resolve("births"));
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
    return folder.resolve("all");
  }

  private static long count(Path births) throws IOException {
    return Files.exists(births) ? Files.readString(births, UTF_8).lines().count() : 0;
  }

  /** Looks on until the end; answers in which second the platform first said what happens. */
  private static double watch(Run run, Client client, Path births, int until)
      throws IOException, InterruptedException {
    double said = Double.POSITIVE_INFINITY;
    try (var _ = run.timeline().harm("dies at once")) {
      while (run.timeline().now() < until) {
        run.timeline().count("Starts so far", CHILD, count(births));
        if (Double.isInfinite(said)) {
          for (var process : client.get("/v1/apps/" + CHILD + "/processes").json().get("items")) {
            if (process.get("crashes").asInt() > 0) {
              said = run.timeline().now();
            }
          }
        }
        run.time().sleep(LOOK_AGAIN);
      }
    }
    return said;
  }

  private static void awaitPage(Run run, Client client) throws IOException, InterruptedException {
    var deadline = Deadline.after(run.time(), WAIT);
    while (client.visit(SIBLING) == null) {
      if (deadline.passed()) {
        throw new IOException(SIBLING + " does not answer after " + WAIT);
      }
      run.time().sleep(LOOK_AGAIN);
    }
  }
}
