package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.drills.Swallower.Swallowed;
import dev.holdfast.drills.Visitors.Rate;
import dev.holdfast.limits.Check;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;

/**
 * Nodejitsu, March 2013: a new follower lost changes now and then, and for two days nobody knew
 * that balancers differed. Every route is led from one app to another while one of two edges loses
 * a change of a thousand. The oracle is what each edge answers for each route. Immutable.
 */
final class DriftDrill implements Drill {
  private static final String HOST = "app-#.drift.test";
  private static final String DRIFTING = "edge one";
  private static final String SOUND = "edge two";
  private static final String BEFORE = "before";
  private static final String AFTER = "after";
  private static final String OPEN = "Changes that " + DRIFTING + " lost and serves without";
  private static final int EVERY = 1_000;
  private static final int BULK = 5;
  private static final int SHORT_CHANGES = 1_300;
  private static final int SHORT_PER_SECOND = 100;
  private static final int LONG_CHANGES = 5_200;
  private static final int LONG_PER_SECOND = 20;
  private static final int VISITS_PER_SECOND = 50; // at each edge
  private static final double DETECTED_SECONDS = 5;
  private static final double HEALED_SECONDS = 30;
  private static final int SLACK_SECONDS = 5; // over what is promised, before it is given up
  private static final Duration WAIT = Duration.ofSeconds(30);
  private static final Duration LOOK_AGAIN = Duration.ofMillis(100);
  private static final int BACKLOG = 4_096;

  @Override
  public String name() {
    return "nodejitsu-drift";
  }

  @Override
  public String harm() {
    return "the follower of one of two edges loses a change of a thousand";
  }

  /** What became of a lost change, in seconds of the timeline; infinite: it did not. */
  private static final class Loss {
    final Swallowed swallowed;
    final long divergencesBefore;
    double detected = Double.POSITIVE_INFINITY;
    double healed = Double.POSITIVE_INFINITY;

    Loss(Swallowed swallowed, long divergencesBefore) {
      this.swallowed = swallowed;
      this.divergencesBefore = divergencesBefore;
    }

    boolean isOver() {
      return Double.isFinite(detected) && Double.isFinite(healed);
    }

    double detectedAfter() {
      return detected - swallowed.at();
    }

    double healedAfter() {
      return healed - swallowed.at();
    }
  }

  @Override
  public Verdict run(Run run) throws IOException, InterruptedException {
    boolean full = run.pace().isLong();
    int changes = full ? LONG_CHANGES : SHORT_CHANGES;
    int perSecond = full ? LONG_PER_SECOND : SHORT_PER_SECOND;
    int fault = run.pace().steady();
    int end = fault + changes / perSecond + run.pace().recovery();
    var hosts = IntStream.range(0, changes).mapToObj(DriftDrill::host).toList();
    var before = app(BEFORE);
    var after = app(AFTER);
    try (var cluster = new Cluster(run, Map.of());
        var swallower = new Swallower(cluster.control().api(), EVERY, run.timeline());
        var load = new Load(run.time(), run.seed(), run.timeline())) {
      cluster.route(hosts, before.getAddress());
      cluster.start(
          run.profile().without("digests"), List.of(swallower.url(), cluster.control().api()));
      awaitReady(cluster, hosts.getLast());
      var tallies = new ArrayList<Tally>();
      cluster
          .edges()
          .forEach((name, edge) ->
              tallies.add(load.add(visitors(name, edge, tallies.size() + 1, changes))));
      try (var _ = cluster.positions()) {
        load.start(end);
        load.until(fault);
        swallower.begin(cluster.status().get("head").asLong());
        var writing =
            new FutureTask<>(() -> {
              change(run, cluster, hosts, after.getAddress(), fault, perSecond);
              return hosts.size();
            });
        Thread.ofVirtual().name("changes").start(writing);
        var losses = watch(run, cluster, swallower, end);
        awaitMade(writing);
        load.await();
        return verdict(run, cluster, load, tallies, end, losses, hosts);
      }
    } finally {
      before.stop(0);
      after.stop(0);
    }
  }

  private static String host(int number) {
    return HOST.replace("#", Integer.toString(number));
  }

  /** One that says its name. */
  private static HttpServer app(String name) throws IOException {
    var app =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), BACKLOG);
    app.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    app.createContext(
        "/",
        exchange -> {
          try (exchange) {
            var page = name.getBytes(UTF_8);
            exchange.sendResponseHeaders(200, page.length);
            exchange.getResponseBody().write(page);
          }
        });
    app.start();
    return app;
  }

  private static Visitors visitors(String name, Victim edge, int network, int hosts) {
    var to = new InetSocketAddress(InetAddress.getLoopbackAddress(), edge.httpPort());
    return Visitors.of(name, to, HOST, network, 10)
        .withHosts(hosts)
        .withPath("/look")
        .withRates(new Rate(0, VISITS_PER_SECOND));
  }

  private static void awaitReady(Cluster cluster, String host)
      throws IOException, InterruptedException {
    double seconds = cluster.until(() -> cluster.served(host), WAIT);
    Check.that(Double.isFinite(seconds), "edges", "without routes", "all served in " + WAIT);
  }

  private static void change(
      Run run, Cluster cluster, List<String> hosts, InetSocketAddress to, int fault, int perSecond)
      throws IOException, InterruptedException {
    for (int i = 0; i < hosts.size(); i += BULK) {
      double early = fault + (double) i / perSecond - run.timeline().now();
      run.time().sleep(Duration.ofMillis(Math.max(0, (long) (early * 1_000))));
      cluster.route(hosts.subList(i, Math.min(hosts.size(), i + BULK)), to);
    }
  }

  private static void awaitMade(FutureTask<?> writing) throws IOException, InterruptedException {
    try {
      writing.get(WAIT.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException("the changes could not be made: " + e, e);
    }
  }

  /** Looks at what was lost until all is well again, or nobody expects that any more. */
  private static List<Loss> watch(Run run, Cluster cluster, Swallower swallower, int end)
      throws IOException, InterruptedException {
    var losses = new ArrayList<Loss>();
    var drifting = cluster.edge(DRIFTING);
    boolean hopes = run.profile() == Profile.PROTECTED;
    double most = end + (hopes ? HEALED_SECONDS + SLACK_SECONDS : 0);
    while (run.timeline().now() < end
        || (run.timeline().now() < most && !losses.stream().allMatch(Loss::isOver))) {
      long divergences = divergences(cluster, DRIFTING);
      var swallowed = swallower.swallowed();
      for (var one : swallowed.subList(losses.size(), swallowed.size())) {
        losses.add(new Loss(one, divergences));
      }
      int open = 0;
      for (var loss : losses) {
        if (Double.isInfinite(loss.detected) && divergences > loss.divergencesBefore) {
          loss.detected = run.timeline().now();
        }
        if (Double.isInfinite(loss.healed)) {
          var host = loss.swallowed.key().substring("route/".length());
          if (Cluster.visit(drifting, host).equals("200 " + AFTER)) {
            loss.healed = run.timeline().now();
            run.timeline().span("a change is lost", loss.swallowed.at(), loss.healed);
          } else {
            open++;
          }
        }
      }
      run.timeline().count(OPEN, DRIFTING, open);
      run.time().sleep(LOOK_AGAIN);
    }
    for (var loss : losses) {
      if (Double.isInfinite(loss.healed)) {
        run.timeline().span("a change is lost", loss.swallowed.at(), run.timeline().now());
      }
    }
    return losses;
  }

  /** How often an edge found that it differs, as the control process was told. */
  private static long divergences(Cluster cluster, String edge)
      throws IOException, InterruptedException {
    for (var follower : cluster.serving()) {
      if (follower.get("name").asString().equals(edge)) {
        return follower.get("counts").get("divergences").asLong();
      }
    }
    return 0;
  }

  /** How many routes an edge answers otherwise than the ledger has it. */
  private static long wrong(Victim edge, List<String> hosts) {
    return hosts.stream().filter(host -> !Cluster.visit(edge, host).equals("200 " + AFTER)).count();
  }

  private Verdict verdict(
      Run run,
      Cluster cluster,
      Load load,
      List<Tally> tallies,
      int end,
      List<Loss> losses,
      List<String> hosts)
      throws IOException, InterruptedException {
    long wrong = wrong(cluster.edge(DRIFTING), hosts);
    long wrongToo = wrong(cluster.edge(SOUND), hosts);
    return run.verdict(
        this,
        load.lateMillis(),
        List.of(
            Promise.atLeast("changes lost on the way", (double) losses.size(), 1, "changes"),
            Promise.atMost(
                "until it is detected",
                losses.stream().mapToDouble(Loss::detectedAfter).max().orElse(0),
                DETECTED_SECONDS,
                "s"),
            Promise.atMost(
                "until it is healed",
                losses.stream().mapToDouble(Loss::healedAfter).max().orElse(0),
                HEALED_SECONDS,
                "s"),
            Promise.none("wrong routes in the end", wrong, "routes"),
            Promise.none("wrong routes in the end, at the other edge", wrongToo, "routes"),
            Promise.none(
                "times that the other edge was taken to differ",
                divergences(cluster, SOUND),
                "times"),
            Promise.none(
                "lost of the visitors",
                tallies.stream().mapToLong(tally -> tally.between(0, end).lost()).sum(),
                "requests")),
        Map.of(
            "changes",
            hosts.size() + ", of which " + losses.size() + " were lost",
            "detected after, s",
            seconds(losses.stream().map(Loss::detectedAfter).toList()),
            "healed after, s",
            seconds(losses.stream().map(Loss::healedAfter).toList()),
            DRIFTING,
            tallies.getFirst().between(0, end).toString(),
            SOUND,
            tallies.getLast().between(0, end).toString(),
            "generator was late by",
            load.scheduleError()));
  }

  private static String seconds(List<Double> all) {
    return String.join(", ", all.stream().map(Report::number).toList());
  }
}
