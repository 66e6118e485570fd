package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.drills.Visitors.Rate;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Deadline;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Heroku 2012: routers that need the part which is down. The control process is killed, with its
 * store; two edges in processes of their own serve on, one of them is killed, too, and has to come
 * back from what it wrote to disk, to say how old that is, and to heed a control rod that is set on
 * the node itself. Immutable.
 */
final class HeadlessDrill implements Drill {
  private static final int SHORT_SECONDS = 16;
  private static final int LONG_SECONDS = 600;
  private static final int RESTART_AFTER_SECONDS = 2;
  private static final int SETTLE_SECONDS = 1;
  private static final int SHORT_PER_SECOND = 100;
  private static final int LONG_PER_SECOND = 250; // at each of two edges
  private static final double SERVES_SECONDS = 5;
  private static final int WAIT_SECONDS = 10; // a busy machine takes longer
  private static final double ROD_SECONDS = 1;
  private static final double FOLLOWS_SECONDS = 15;
  private static final List<String> FLAGS = List.of("-Xmx192m");
  private static final String AGE = "holdfast_routing_age_seconds ";
  private static final Duration WAIT = Duration.ofSeconds(30);
  private static final Duration LOOK_AGAIN = Duration.ofMillis(20);

  @Override
  public String name() {
    return "heroku-headless";
  }

  @Override
  public String harm() {
    return "control process and store are killed, and an edge is restarted meanwhile";
  }

  /** What was found of the edge that was restarted. */
  private record Restarted(double serves, double age, double rod, double lifted) {}

  @Override
  public Verdict run(Run run) throws IOException, InterruptedException {
    var time = run.time();
    boolean full = run.pace().isLong();
    int fault = run.pace().steady();
    int cure = fault + (full ? LONG_SECONDS : SHORT_SECONDS);
    int back = fault + RESTART_AFTER_SECONDS + WAIT_SECONDS + SETTLE_SECONDS;
    int end = cure + run.pace().recovery();
    int rate = full ? LONG_PER_SECOND : SHORT_PER_SECOND;
    try (var app = new TestApp(time, TestApp.Capacity.of(64, 5), 0);
        var control =
            new Victim(
                home(run, "control"), time, Map.of("HOLDFAST_ROLES", "control,drones"), FLAGS)) {
      control.start();
      var settings = settings(run, control, app);
      try (var one = edge(run, "one", settings);
          var two = edge(run, "two", settings);
          var load = new Load(time, run.seed(), run.timeline());
          var _ =
              new Positions(
                  time,
                  run.timeline(),
                  Map.of("control", control, "edge one", one, "edge two", two))) {
        awaitRoute(run, one);
        awaitRoute(run, two);
        time.sleep(Duration.ofSeconds(SETTLE_SECONDS));
        var stays = load.add(visitors("one", one, 1).withRates(new Rate(0, rate)));
        var away = fault + RESTART_AFTER_SECONDS;
        var returns =
            load.add(
                visitors("two", two, 2)
                    .withRates(new Rate(0, rate), new Rate(away - 1, 0), new Rate(back, rate)));
        load.start(end);
        load.until(fault);
        Restarted found;
        try (var _ = run.timeline().harm("nobody in control")) {
          control.kill();
          load.until(away);
          found = restart(run, two);
          load.until(cure);
        }
        double follows = follow(run, control, app, two);
        load.await();
        return run.verdict(
            this,
            load.lateMillis(),
            List.of(
                Promise.none("failed at the edge that stayed", lost(stays, end), "requests"),
                Promise.none("failed at the edge that came back", lost(returns, end), "requests"),
                Promise.none(
                    "edges that did not come back",
                    Double.isFinite(found.serves()) ? 0 : 1,
                    "edges"),
                Promise.atMost(
                        "until the restarted edge serves", found.serves(), SERVES_SECONDS, "s")
                    .judgedIf(full),
                Promise.atLeast("age of its view, as it says", found.age(), 0, "s"),
                Promise.atMost("until a local rod acts", found.rod(), ROD_SECONDS, "s"),
                Promise.atMost("until it is lifted", found.lifted(), ROD_SECONDS, "s"),
                Promise.atMost(
                    "until a new route is there, once control is back",
                    follows,
                    FOLLOWS_SECONDS,
                    "s")),
            Map.of(
                "edge that stayed", stays.between(0, end).toString(),
                "edge that came back", returns.between(0, end).toString(),
                "generator was late by", load.scheduleError()));
      }
    }
  }

  private static long lost(Tally tally, int end) {
    return tally.between(0, end).lost();
  }

  private static Visitors visitors(String name, Victim edge, int network) {
    var to = new InetSocketAddress(InetAddress.getLoopbackAddress(), edge.httpPort());
    return Visitors.of(name, to, Front.HOST, network, 20);
  }

  private static Path home(Run run, String name) throws IOException {
    return Files.createDirectories(run.directory().resolve(name).resolve("home"));
  }

  private static Map<String, String> settings(Run run, Victim control, TestApp app)
      throws IOException, InterruptedException {
    try (var client = control.client()) {
      route(client, Front.HOST, app);
      var made = client.post("/v1/tokens", "{\"name\":\"edges\",\"scope\":\"follow\"}");
      Check.that(made.status() == 201, "token", made.status() + " " + made.body(), "201");
      var settings = new HashMap<>(run.profile().without("disk-copy"));
      settings.put("HOLDFAST_ROLES", "edge");
      settings.put("HOLDFAST_CONTROL", control.api());
      settings.put("HOLDFAST_CONTROL_TOKEN", made.json().get("token").asString());
      return settings;
    }
  }

  private static void route(Client client, String host, TestApp app)
      throws IOException, InterruptedException {
    var to = "{\"to\":\"http://127.0.0.1:" + app.address().getPort() + "\"}";
    var answer = client.put("/v1/routes/" + host, to);
    Check.that(answer.status() == 200, "route", answer.status() + " " + answer.body(), "200");
  }

  private static Victim edge(Run run, String name, Map<String, String> settings)
      throws IOException, InterruptedException {
    var edge = new Victim(home(run, name), run.time(), settings, FLAGS);
    try {
      edge.start();
      return edge;
    } catch (IOException | InterruptedException | RuntimeException e) {
      edge.kill();
      throw e;
    }
  }

  private static void awaitRoute(Run run, Victim edge) throws IOException, InterruptedException {
    double seconds = until(run, edge, Front.HOST, 200, WAIT);
    Check.that(Double.isFinite(seconds), "route at an edge", "none", "one in " + WAIT);
  }

  /** Kills an edge and starts it; all that follows is without anybody in control. */
  private static Restarted restart(Run run, Victim edge) throws IOException, InterruptedException {
    double from = run.timeline().now();
    try (var _ = run.timeline().harm("edge two is killed")) {
      edge.kill();
      edge.launch();
      boolean up = edge.up(Duration.ofSeconds(WAIT_SECONDS));
      if (!up || !Double.isFinite(until(run, edge, Front.HOST, 200, Duration.ofSeconds(2)))) {
        double never = Double.POSITIVE_INFINITY;
        return new Restarted(never, -1, never, never);
      }
    }
    double serves = run.timeline().now() - from;
    double age = age(edge);
    rod(
        edge,
        "{\"ask\":\"set\",\"name\":\"maintenance\",\"level\":\"on\",\"reason\":\"drill\",\"drill\":true}");
    double acts = until(run, edge, Front.HOST, 503, WAIT);
    rod(edge, "{\"ask\":\"lift\",\"name\":\"maintenance\",\"reason\":\"drill\"}");
    double lifted = until(run, edge, Front.HOST, 200, WAIT);
    return new Restarted(serves, age, acts, lifted);
  }

  /** Control comes back; answers how long it takes until an edge knows what it says. */
  private static double follow(Run run, Victim control, TestApp app, Victim edge)
      throws IOException, InterruptedException {
    control.start();
    try (var client = control.client()) {
      route(client, "new." + Front.HOST, app);
    }
    return until(run, edge, "new." + Front.HOST, 200, WAIT);
  }

  private static double age(Victim edge) throws IOException, InterruptedException {
    try (var client = edge.client()) {
      return client
          .get("/metrics")
          .body()
          .lines()
          .filter(line -> line.startsWith(AGE))
          .mapToDouble(line -> Double.parseDouble(line.substring(AGE.length())))
          .findFirst()
          .orElse(-1);
    }
  }

  /** Seconds until visitors of an edge get that status; infinite when they do not. */
  private static double until(Run run, Victim edge, String host, int status, Duration wait)
      throws InterruptedException {
    double from = run.timeline().now();
    var deadline = Deadline.after(run.time(), wait);
    while (status(edge, host) != status) {
      if (deadline.passed()) {
        return Double.POSITIVE_INFINITY;
      }
      run.time().sleep(LOOK_AGAIN);
    }
    return run.timeline().now() - from;
  }

  private static int status(Victim edge, String host) {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), edge.httpPort())) {
      socket.setSoTimeout((int) WAIT.toMillis());
      var request = "GET /look HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(UTF_8));
      var line = new String(socket.getInputStream().readNBytes(12), UTF_8);
      return line.length() == 12 ? Integer.parseInt(line.substring(9)) : -1;
    } catch (IOException e) {
      return -1;
    }
  }

  /** Over the socket in the edge's home, as {@code holdfast rods --local} does. */
  private static void rod(Victim edge, String line) throws IOException {
    var path = edge.home().resolve("rods.sock");
    try (var socket = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
      socket.write(ByteBuffer.wrap((line + "\n").getBytes(UTF_8)));
      var answer = ByteBuffer.allocate(64 * 1024);
      while (socket.read(answer) > 0 && answer.get(answer.position() - 1) != '\n') {
        // one line
      }
      var said = new String(answer.array(), 0, answer.position(), UTF_8);
      Check.that(said.contains("\"done\":true"), "rod", said, "done");
    }
  }
}
