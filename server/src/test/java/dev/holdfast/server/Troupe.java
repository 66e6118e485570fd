package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;

/**
 * A platform whose parts are processes of their own, a site that routes lead to, and somebody who
 * visits it. Closing it ends them all. Confined to one thread.
 */
final class Troupe implements AutoCloseable {
  /** The control process's own. */
  static final String TOKEN = "hf_" + "t".repeat(43);

  private static int nextPort = 28_000 + (int) (ProcessHandle.current().pid() % 1_000) * 2;

  private static final Duration PATIENCE = Duration.ofSeconds(31);

  private final Path temp;
  private final List<Process> processes = new ArrayList<>();
  private final HttpClient http = HttpClient.newHttpClient();
  private final HttpServer site;
  private String control = "";

  /** A process and where it is. */
  record Part(Process process, Path home, int edge, int api) {
    String api(String path) {
      return "http://127.0.0.1:" + api + path;
    }
  }

  Troupe(Path temp) throws IOException {
    this.temp = temp;
    Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwxr-xr-x"));
    site = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    site.createContext(
        "/",
        exchange -> {
          byte[] body = "well served".getBytes(UTF_8);
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    site.start();
  }

  @Override
  public void close() {
    processes.forEach(Process::destroyForcibly);
    for (var process : processes) {
      assertThat(process.onExit().orTimeout(30, TimeUnit.SECONDS)).succeedsWithin(PATIENCE);
    }
    site.stop(0);
    http.close();
  }

  /** Where the control process is, or will be. */
  void controlAt(int api) {
    control = "http://127.0.0.1:" + api;
  }

  String controlAddress() {
    return control;
  }

  /** Asks the control process. */
  JsonNode ask(String method, String path, String body) throws Exception {
    return json(method, control + path, TOKEN, body);
  }

  /** A token that may follow and nothing else. */
  String followToken() throws Exception {
    var made = ask("POST", "/v1/tokens", "{\"name\":\"e\",\"scope\":\"follow\"}");
    return made.get("token").asString();
  }

  Part control(int api) throws Exception {
    var home = temp.resolve("control");
    Files.createDirectories(home);
    Files.writeString(home.resolve("token"), TOKEN + "\n");
    Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxr-xr-x"));
    int block = (int) (ProcessHandle.current().pid() % 100);
    Files.writeString(
        home.resolve("holdfast.conf"),
        """
        drones.count = 2
        drones.uid-first = %d
        drones.port-first = %d
        drones.port-last = %d
        """
            .formatted(45_000 + block * 10, 7_100 + block * 8, 7_107 + block * 8));
    var part = start(home, port(), api, Map.of(), "--roles", "control,drones");
    awaitUp(part);
    return part;
  }

  Part edge(String name, String as) throws IOException {
    return start(
        temp.resolve(name),
        port(),
        port(),
        Map.of("HOLDFAST_CONTROL_TOKEN", as),
        "--roles",
        "edge",
        "--control",
        control);
  }

  private Part start(
      Path home, int edge, int api, Map<String, String> environment, String... arguments)
      throws IOException {
    Files.deleteIfExists(home.resolve("up.json"));
    var command =
        new ArrayList<>(
            List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-XX:+UseSerialGC",
                "-Xmx128m",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.holdfast.server.Main",
                "up",
                "--home",
                home.toString(),
                "--http",
                "127.0.0.1:" + edge,
                "--api",
                "127.0.0.1:" + api));
    command.addAll(List.of(arguments));
    var builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(
                ProcessBuilder.Redirect.appendTo(temp.resolve("processes.log").toFile()));
    builder.environment().keySet().removeIf(name -> name.startsWith("HOLDFAST_"));
    builder.environment().putAll(environment);
    var process = builder.start();
    processes.add(process);
    return new Part(process, home, edge, api);
  }

  void awaitUp(Part part) throws Exception {
    Stage.await(
        "the start of " + part.home(),
        () -> {
          assertThat(part.process().isAlive())
              .as(Files.readString(temp.resolve("processes.log")))
              .isTrue();
          return Files.exists(part.home().resolve("up.json"));
        });
  }

  static void awaitServed(Part edge, String host) throws Exception {
    Stage.await(host + " at " + edge.home(), () -> visit(edge, host) == 200);
  }

  void route(String host) throws Exception {
    var to = "http://127.0.0.1:" + site.getAddress().getPort();
    json("PUT", control + "/v1/routes/" + host, TOKEN, "{\"to\":\"" + to + "\"}");
  }

  JsonNode health(Part part) throws Exception {
    return json("GET", part.api("/v1/health"), "", "");
  }

  int status(String url) {
    try {
      var request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(5)).build();
      return http.send(request, BodyHandlers.discarding()).statusCode();
    } catch (IOException e) {
      return -1;
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  JsonNode json(String method, String url, String as, String body) throws Exception {
    var request =
        HttpRequest.newBuilder(URI.create(url))
            .timeout(Duration.ofSeconds(20))
            .header("Authorization", "Bearer " + as)
            .method(method, BodyPublishers.ofString(body))
            .build();
    var answer = http.send(request, BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(url + answer.body()).isNotIn(400, 401, 403, 404, 500);
    return Json.MAPPER.readTree(answer.body());
  }

  /** What a visitor of that host gets; -1 when nobody lets him in. */
  static int visit(Part part, String host) {
    return visit(new InetSocketAddress(InetAddress.getLoopbackAddress(), part.edge()), host);
  }

  static int visit(InetSocketAddress edge, String host) {
    try {
      var answer =
          Stage.raw(edge, "GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
      return Integer.parseInt(answer.substring(9, 12));
    } catch (IOException e) {
      return -1;
    }
  }

  int port() {
    while (taken(++nextPort)) {
      assertThat(nextPort).isLessThan(32_768);
    }
    return nextPort;
  }

  private static boolean taken(int port) {
    try (var _ = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }
}
