package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.holdfast.drills.Course.Span;
import dev.holdfast.drills.Poison.Dose;
import dev.holdfast.drills.Visitors.Rate;
import dev.holdfast.limits.Check;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.function.IntPredicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Heroku, 7 June 2012: one record that a hand wrote was read by every router, ended the part that
 * read it, was read again after each restart, and took the routers with it. Nine kinds of such
 * records are written past all gates into the ledger that edges in processes of their own follow,
 * while visitors come to every route. Oracles are the visitors, the edges' disks, and what each
 * edge answers for a route that was made meanwhile. Immutable.
 */
final class PoisonDrill implements Drill {
  private static final String HOST = "app-#.poison.test";
  private static final int LONG_EDGES = 4;
  private static final int SHORT_EDGES = 2;
  private static final int HOSTS = 200;
  private static final int LONG_PER_SECOND = 500; // over all edges
  private static final int SHORT_PER_SECOND = 100;
  private static final int LONG_SECONDS = 600;
  private static final int SHORT_SECONDS = 30;
  private static final int LONG_STEADY = 60;
  private static final int NAIVE_SECONDS = 12;
  private static final double ALARM_SECONDS = 5;
  private static final double OTHERS_SECONDS = 1;
  private static final double CANARY_SECONDS = 2; // of a new sort
  private static final double EQUAL_SECONDS = 5;
  private static final double TELLS_SECONDS = 8; // 5 without a beacon that agrees, and a report
  private static final double P99_RATIO = 1.1;
  private static final Duration WAIT = Duration.ofSeconds(20);
  private static final Duration BETWEEN = Duration.ofMillis(500);

  @Override
  public String name() {
    return "heroku-poison";
  }

  @Override
  public String harm() {
    return "nine kinds of records that nobody can read, or should, stand in the ledger";
  }

  /** What became of one poison, in seconds; not a number where it was not looked at. */
  private record Found(
      Poison poison, double alarm, boolean named, double others, double tells, double equal) {
    double othersOnceReleased() {
      return others - (poison.newSort() ? CANARY_SECONDS : 0);
    }
  }

  @Override
  public Verdict run(Run run) throws IOException, InterruptedException {
    boolean full = run.pace().isLong();
    int steady = full ? LONG_STEADY : run.pace().steady();
    boolean naive = run.profile() == Profile.NAIVE;
    int end = steady + (naive ? NAIVE_SECONDS : full ? LONG_SECONDS - LONG_STEADY : SHORT_SECONDS);
    var settings = run.profile().without("canary", "poison-quarantine");
    try (var app = new TestApp(run.time(), TestApp.Capacity.of(64, 5), 0);
        var cluster = new Cluster(run, settings);
        var load = new Load(run.time(), run.seed(), run.timeline())) {
      cluster.route(IntStream.range(0, HOSTS).mapToObj(PoisonDrill::host).toList(), app.address());
      var control = cluster.control().api();
      cluster.start(settings, Collections.nCopies(full ? LONG_EDGES : SHORT_EDGES, control));
      awaitReady(cluster);
      var tallies = new ArrayList<Tally>();
      double rate = (double) (full ? LONG_PER_SECOND : SHORT_PER_SECOND) / cluster.edges().size();
      cluster
          .edges()
          .forEach((name, edge) ->
              tallies.add(load.add(visitors(name, edge, 1 + tallies.size(), rate))));
      try (var _ = cluster.positions()) {
        load.start(end);
        load.until(steady);
        var found = naive ? suffer(run, cluster, app) : zoo(run, cluster, app, load, end);
        load.await();
        return verdict(run, cluster, load, new Seen(tallies, steady, end), found);
      }
    }
  }

  private record Seen(List<Tally> tallies, int steady, int end) {
    long lost() {
      return tallies.stream().mapToLong(tally -> tally.between(0, end).lost()).sum();
    }

    double goodAtTheEnd() {
      return tallies.stream().mapToDouble(tally -> tally.between(end - 2, end).goodShare()).sum()
          / tallies.size();
    }

    /**
     * The worst edge's p99 of the seconds in which a poison stood, against that of all others once
     * it had served for a while. They alternate, so that what else the machine does meets both.
     */
    double ratio(List<Span> spans) {
      IntPredicate harmed =
          second -> spans.stream().anyMatch(span -> span.from() < second + 1 && span.to() > second);
      return tallies.stream()
          .mapToDouble(tally ->
              tally.between(steady, end, harmed).admittedMillis(99)
                  / tally.between(steady / 2, end, harmed.negate()).millis(99))
          .max()
          .orElse(Double.POSITIVE_INFINITY);
    }
  }

  private static String host(int number) {
    return HOST.replace("#", Integer.toString(number));
  }

  private static Visitors visitors(String name, Victim edge, int network, double rate) {
    var to = new InetSocketAddress(InetAddress.getLoopbackAddress(), edge.httpPort());
    return Visitors.of(name, to, HOST, network, 10)
        .withHosts(HOSTS)
        .withPath("/" + name.replace(' ', '-'))
        .withRates(new Rate(0, rate));
  }

  private static void awaitReady(Cluster cluster) throws IOException, InterruptedException {
    double seconds =
        cluster.until(
            () -> cluster.inStep() && cluster.served(host(0)) && cluster.served(host(HOSTS - 1)),
            WAIT);
    Check.that(
        Double.isFinite(seconds),
        "cluster",
        cluster.serving(),
        "all in step and serving in " + WAIT);
  }

  // ---- naive: the first one is enough

  private static List<Found> suffer(Run run, Cluster cluster, TestApp app)
      throws IOException, InterruptedException {
    try (var writer = new PoisonWriter(cluster.control().home(), run.time());
        var _ = run.timeline().harm(Poison.BROKEN_PAYLOAD.word())) {
      var dose = Poison.BROKEN_PAYLOAD.write(writer, HOST, HOSTS, 0);
      cluster.route("commit.poison.test", app.address());
      double alarm = alarm(cluster, dose);
      boolean named = named(cluster, dose);
      cluster.until(() -> cluster.dead() == cluster.edges().size(), WAIT);
      double never = Double.POSITIVE_INFINITY;
      return List.of(new Found(dose.poison(), alarm, named, never, Double.NaN, never));
    }
  }

  // ---- protected: all of them

  private static List<Found> zoo(Run run, Cluster cluster, TestApp app, Load load, int end)
      throws IOException, InterruptedException {
    var found = new ArrayList<Found>();
    double from = run.timeline().now();
    double gap = run.pace().isLong() ? (end - from) / Poison.values().length : 0;
    try (var writer = new PoisonWriter(cluster.control().home(), run.time())) {
      int i = 0;
      for (var poison : Poison.values()) {
        load.until(from + gap * i);
        try (var _ = run.timeline().harm(poison.word())) {
          found.add(one(run, cluster, app, poison.write(writer, HOST, HOSTS, i)));
        }
        run.time().sleep(BETWEEN);
        i++;
      }
    }
    return found;
  }

  private static Found one(Run run, Cluster cluster, TestApp app, Dose dose)
      throws IOException, InterruptedException {
    var poison = dose.poison();
    var probe = "probe-" + dose.from() + ".poison.test";
    // The next commit, behind the poison. Who asks is answered when what was asked for is there.
    var commit = new FutureTask<>(() -> cluster.route(probe, app.address()).status());
    Thread.ofVirtual().name("commit").start(commit);
    double from = run.timeline().now();
    double alarm = alarm(cluster, dose);
    double others = Double.NaN;
    if (poison.keyed()) {
      double more = cluster.until(() -> cluster.served(probe), WAIT);
      others = run.timeline().now() - from + (Double.isFinite(more) ? 0 : more);
    }
    boolean named = named(cluster, dose);
    // All of them stand still in the same way: once is enough where time is short.
    boolean waits = !poison.keyed() && (run.pace().isLong() || poison == Poison.BAD_CRC);
    double tells = waits ? cluster.until(() -> nobodyFollows(cluster), WAIT) : Double.NaN;
    var cured = cluster.client().post("/v1/ledger/" + dose.verb(), dose.cure());
    Check.that(cured.status() == 200, dose.verb(), cured.status() + " " + cured.body(), "200");
    double equal = cluster.until(() -> cluster.inStep() && cluster.served(probe), WAIT);
    Check.that(commit.state() != FutureTask.State.FAILED, "route", commit, "an answer");
    return new Found(poison, alarm, named, others, tells, equal);
  }

  /** Seconds until an operator is told of it. */
  private static double alarm(Cluster cluster, Dose dose) throws IOException, InterruptedException {
    return cluster.until(
        () -> {
          for (var alarm : cluster.status().get("alarms")) {
            if (alarm.get("position").asLong() == dose.from()) {
              return true;
            }
          }
          return false;
        },
        WAIT);
  }

  /** Whether the alarm says where, what, who and which bytes. Of what is missing only where. */
  private static boolean named(Cluster cluster, Dose dose)
      throws IOException, InterruptedException {
    for (var alarm : cluster.status().get("alarms")) {
      if (alarm.get("position").asLong() == dose.from()) {
        return alarm.get("through").asLong() == dose.through()
            && alarm.get("key").asString().equals(dose.key())
            && alarm.get("hex").asString().equals(dose.hex())
            && alarm
                .get("writer")
                .asString()
                .equals(dose.key().isEmpty() ? "" : PoisonWriter.ACTOR);
      }
    }
    return false;
  }

  /** Frozen where it was read; not known to be right where it never came. */
  private static boolean nobodyFollows(Cluster cluster) throws IOException, InterruptedException {
    for (var follower : cluster.serving()) {
      var standing = follower.get("standing").asString();
      var wanted = follower.get("name").asString().equals("routing") ? "frozen" : "stale";
      if (!standing.equals(wanted) && !standing.equals("frozen")) {
        return false;
      }
    }
    return true;
  }

  /** Edges that have the bytes of a poison on their disks. */
  private static List<String> infected(Cluster cluster) throws IOException {
    var all = new ArrayList<String>();
    for (var edge : cluster.edges().entrySet()) {
      for (var poison : Poison.values()) {
        if (holds(edge.getValue().home(), poison.marker())) {
          all.add(edge.getKey() + ": " + poison.word());
        }
      }
      boolean any = holds(edge.getValue().home(), host(HOSTS - 1)); // or it says nothing
      Check.that(any, "disk of " + edge.getKey(), "without a route", "a copy of all routes");
    }
    return all;
  }

  private static boolean holds(Path folder, String text) throws IOException {
    try (var files = Files.walk(folder)) {
      return files
          .filter(Files::isRegularFile)
          .anyMatch(file -> {
            try {
              return Files.readString(file, ISO_8859_1).contains(text);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private Verdict verdict(Run run, Cluster cluster, Load load, Seen seen, List<Found> found)
      throws IOException, InterruptedException {
    boolean full = run.pace().isLong();
    var infected = infected(cluster);
    var promises = new ArrayList<Promise>();
    promises.add(Promise.none("failed requests", seen.lost(), "requests"));
    promises.add(
        Promise.atMost(
                "p99 while a poison stands, of otherwise",
                seen.ratio(run.timeline().course().spans()),
                P99_RATIO,
                "x")
            .judgedIf(full));
    promises.add(Promise.none("edges that ended", cluster.dead(), "processes"));
    promises.add(Promise.atMost("until the alarm", most(found, Found::alarm), ALARM_SECONDS, "s"));
    promises.add(
        Promise.none(
            "alarms that do not name position, key, writer and bytes",
            found.stream().filter(one -> !one.named()).count(),
            "alarms"));
    promises.add(
        Promise.atMost(
                "until other keys follow, once they are let through",
                most(found, Found::othersOnceReleased),
                OTHERS_SECONDS,
                "s")
            .judgedIf(full || run.profile() == Profile.NAIVE));
    if (run.profile() == Profile.PROTECTED) {
      promises.add(
          Promise.atMost(
              "until every part says that it stands still",
              most(found, Found::tells),
              TELLS_SECONDS,
              "s"));
    }
    promises.add(
        Promise.atMost(
            "until all are equal after the operator",
            most(found, Found::equal),
            EQUAL_SECONDS,
            "s"));
    promises.add(
        Promise.atMost("edges that ever had a poison", (double) infected.size(), 0, "edges"));
    var numbers = new LinkedHashMap<String, String>();
    found.forEach(one -> numbers.put(one.poison().word(), said(one)));
    int edge = 0;
    for (var name : cluster.edges().keySet()) {
      var tally = seen.tallies().get(edge++);
      numbers.put(name + " before", tally.between(0, seen.steady()).toString());
      numbers.put(name + " since", tally.between(seen.steady(), seen.end()).toString());
    }
    numbers.put("good at the end", "%.0f %%".formatted(100 * seen.goodAtTheEnd()));
    numbers.put("poison found at", infected.isEmpty() ? "no edge" : String.join(", ", infected));
    numbers.put("generator was late by", load.scheduleError());
    return run.verdict(this, load.lateMillis(), promises, Map.copyOf(numbers));
  }

  private static double most(List<Found> found, ToDoubleFunction<Found> seconds) {
    return found.stream().mapToDouble(seconds).filter(one -> !Double.isNaN(one)).max().orElse(0);
  }

  private static String said(Found one) {
    return "alarm after %.2f s%s, %sequal %.2f s after the operator"
        .formatted(
            one.alarm(),
            one.named() ? ", named" : ", NOT named",
            (Double.isNaN(one.others()) ? "" : "others after %.2f s, ".formatted(one.others()))
                + (Double.isNaN(one.tells())
                    ? ""
                    : "all say so %.2f s later, ".formatted(one.tells())),
            one.equal());
  }
}
