package dev.holdfast.drills;

import dev.holdfast.drills.Drill.Run;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/**
 * A control process and edges in processes of their own, and how they are looked at: over the API
 * as an operator does, and through their doors as visitors do. Confined to the drill's thread, but
 * for what only looks.
 */
final class Cluster implements AutoCloseable {
  private static final List<String> FLAGS = List.of("-Xmx192m");
  private static final Duration UP_WAIT = Duration.ofSeconds(60);
  private static final Duration LOOK_AGAIN = Duration.ofMillis(20);
  private static final int ANSWER_MILLIS = 10_000;
  private static final int ANSWER_BYTES_MAX = 4_096;
  private static final int IMPORT_MAX = 1_000;
  private static final String[] NAMES = {"one", "two", "three", "four"};

  private final Time time;
  private final Run run;
  private final Victim control;
  private final Client client;
  private final Map<String, Victim> edges = new TreeMap<>();

  /** Starts the control process. */
  Cluster(Run run, Map<String, String> settings) throws IOException, InterruptedException {
    this.run = run;
    time = run.time();
    var with = new HashMap<>(settings);
    with.put("HOLDFAST_ROLES", "control,drones");
    control = new Victim(home("control"), time, with, FLAGS);
    try {
      control.start();
      client = control.client();
    } catch (IOException | InterruptedException | RuntimeException e) {
      control.kill();
      throw e;
    }
  }

  /** Routes hosts to an address, all of a bulk at once. */
  void route(List<String> hosts, InetSocketAddress to) throws IOException, InterruptedException {
    for (int i = 0; i < hosts.size(); i += IMPORT_MAX) {
      var routes = new StringBuilder("{\"routes\":[");
      for (var host : hosts.subList(i, Math.min(hosts.size(), i + IMPORT_MAX))) {
        routes.append(routes.length() > 11 ? "," : "").append("{\"host\":\"").append(host);
        routes.append("\",\"to\":\"").append(url(to)).append("\"}");
      }
      var answer = client.post("/v1/routes/import", routes.append("]}").toString());
      Check.that(answer.status() == 200, "import", answer.status() + " " + answer.body(), "200");
    }
  }

  /** Routes one host to an address. */
  Client.Answer route(String host, InetSocketAddress to) throws IOException, InterruptedException {
    return client.put("/v1/routes/" + host, "{\"to\":\"" + url(to) + "\"}");
  }

  private static String url(InetSocketAddress to) {
    return "http://127.0.0.1:" + to.getPort();
  }

  /**
   * Starts edges, all at once, and waits until they serve.
   *
   * @param controls what each of them takes for the control process's address
   */
  void start(Map<String, String> settings, List<String> controls)
      throws IOException, InterruptedException {
    var made = client.post("/v1/tokens", "{\"name\":\"edges\",\"scope\":\"follow\"}");
    Check.that(made.status() == 201, "token", made.status() + " " + made.body(), "201");
    for (int i = 0; i < controls.size(); i++) {
      var name = NAMES[i];
      var with = new HashMap<>(settings);
      with.put("HOLDFAST_ROLES", "edge");
      with.put("HOLDFAST_CONTROL", controls.get(i));
      with.put("HOLDFAST_CONTROL_TOKEN", made.json().get("token").asString());
      var home = home(name);
      Files.writeString(home.resolve("node"), name);
      var edge = new Victim(home, time, with, FLAGS);
      edges.put("edge " + name, edge);
      edge.launch();
    }
    for (var edge : edges.entrySet()) {
      if (!edge.getValue().up(UP_WAIT)) {
        throw new IOException(
            edge.getKey()
                + " did not start: "
                + Files.readString(edge.getValue().home().resolveSibling("platform.log")));
      }
    }
  }

  Client client() {
    return client;
  }

  Victim control() {
    return control;
  }

  /** By their names, in order. */
  Map<String, Victim> edges() {
    return edges;
  }

  /** One of them. */
  Victim edge(String name) {
    return Objects.requireNonNull(edges.get(name), name);
  }

  /** Everybody's ledger positions, written down until it is closed. */
  Positions positions() {
    var all = new TreeMap<>(edges);
    all.put("control", control);
    return new Positions(time, run.timeline(), all);
  }

  /** What an operator sees. */
  JsonNode status() throws IOException, InterruptedException {
    return client.get("/v1/ledger/status").json();
  }

  /** The followers that serve, at the control process and at the edges. */
  List<JsonNode> serving() throws IOException, InterruptedException {
    var all = new ArrayList<JsonNode>();
    for (var follower : status().get("followers")) {
      var name = follower.get("name").asString();
      if (name.equals("routing") || name.startsWith("edge ")) {
        all.add(follower);
      }
    }
    return all;
  }

  /** Whether all of them follow, stand at one position and have one digest. */
  boolean inStep() throws IOException, InterruptedException {
    var all = serving();
    var first = all.getFirst();
    return all.size() == 1 + edges.size()
        && all.stream()
            .allMatch(one ->
                one.get("standing").asString().equals("following")
                    && one.get("position").equals(first.get("position"))
                    && one.get("digest").equals(first.get("digest")));
  }

  /** Whether something has come true. */
  @FunctionalInterface
  interface Condition {
    boolean holds() throws IOException, InterruptedException;
  }

  /** Seconds until it has; infinite when it does not within the wait. */
  double until(Condition condition, Duration wait) throws IOException, InterruptedException {
    double from = run.timeline().now();
    var deadline = Deadline.after(time, wait);
    while (!condition.holds()) {
      if (deadline.passed()) {
        return Double.POSITIVE_INFINITY;
      }
      time.sleep(LOOK_AGAIN);
    }
    return run.timeline().now() - from;
  }

  /** What an edge answers to a visitor of a host: the status, a space and the page; else empty. */
  static String visit(Victim edge, String host) {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), edge.httpPort())) {
      socket.setSoTimeout(ANSWER_MILLIS);
      var request = "GET /look HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
      var answer =
          new String(socket.getInputStream().readNBytes(ANSWER_BYTES_MAX), StandardCharsets.UTF_8);
      int body = answer.indexOf("\r\n\r\n");
      return body < 12 ? "" : answer.substring(9, 12) + " " + answer.substring(body + 4);
    } catch (IOException e) {
      return "";
    }
  }

  /** Whether visitors of a host get a good answer at every edge. */
  boolean served(String host) {
    return edges.values().stream().allMatch(edge -> visit(edge, host).startsWith("200 "));
  }

  /** How many edges have ended. */
  long dead() {
    return edges.values().stream().filter(edge -> !edge.isAlive()).count();
  }

  private Path home(String name) throws IOException {
    return Files.createDirectories(run.directory().resolve(name).resolve("home"));
  }

  @Override
  public void close() throws IOException {
    client.close();
    try {
      for (var edge : edges.values()) {
        edge.kill();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    control.close();
  }
}
