package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** A platform whose parts are processes of their own. */
@Timeout(180)
class RolesTest {
  private static int nextPort = 28_000 + (int) (ProcessHandle.current().pid() % 1_000) * 2;

  @TempDir private Path temp;
  private final List<Process> processes = new ArrayList<>();
  private final HttpClient http = HttpClient.newHttpClient();
  private HttpServer site;
  private String control = "";
  private final String token = "hf_" + "t".repeat(43);

  /** A process and where it is. */
  private record Part(Process process, Path home, int edge, int api) {
    String api(String path) {
      return "http://127.0.0.1:" + api + path;
    }
  }

  @BeforeEach
  void open() throws IOException {
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

  @AfterEach
  void close() throws Exception {
    for (var process : processes) {
      process.destroyForcibly().waitFor(30, TimeUnit.SECONDS);
    }
    site.stop(0);
    http.close();
  }

  @Test
  void edgesServeOnWithoutTheirControlProcessAndFollowItWhenItIsBack() throws Exception {
    int api = port();
    control = "http://127.0.0.1:" + api;
    var one = edge("one", token); // before there is anybody to follow
    Stage.await("the health of the edge", () -> status(one.api("/v1/health")) == 503);
    assertThat(health(one).get("status").asString()).isEqualTo("warming");
    assertThat(visit(one, "a.test")).as("nobody is let in").isEqualTo(-1);

    var controller = control(api);
    route("a.test");
    var made = json("POST", control + "/v1/tokens", token, "{\"name\":\"e\",\"scope\":\"follow\"}");
    var two = edge("two", made.get("token").asString());
    for (var edge : List.of(one, two)) {
      awaitUp(edge);
      awaitServed(edge, "a.test");
      assertThat(health(edge).get("status").asString()).isEqualTo("ok");
      try (var files = Files.walk(edge.home())) {
        assertThat(files.map(Path::toString)).noneMatch(file -> file.contains("ledger.db"));
      }
    }
    Stage.await(
        "the reports of both",
        () -> {
          var edges = json("GET", control + "/v1/edges", token, "").get("items");
          return edges.size() == 2
              && edges.valueStream().allMatch(edge -> edge.get("behind").asLong() == 0);
        });
    assertThat(visit(controller, "a.test")).as("no edge in the control process").isEqualTo(-1);

    controller.process().destroyForcibly().waitFor();
    for (int i = 0; i < 50; i++) {
      assertThat(visit(one, "a.test")).isEqualTo(200);
      assertThat(visit(two, "a.test")).isEqualTo(200);
    }

    control(api);
    route("b.test");
    awaitServed(one, "b.test");
    awaitServed(two, "b.test");
    assertThat(one.process().isAlive()).isTrue();
  }

  @Test
  void rolesThatCannotBeAreRefusedWithThoseThatCan() {
    for (var wrong : List.of("drones", "control", "edge,drones", "")) {
      assertThatThrownBy(() -> load(Map.of("roles", wrong)))
          .hasMessageContaining("roles: " + wrong + " (expected: all, edge or control,drones")
          .hasMessageContaining("leases");
    }
    assertThatThrownBy(() -> load(Map.of("roles", "edge")))
        .hasMessageContaining("control: none (expected: the API address of a control process");
    assertThatThrownBy(() -> load(Map.of("roles", "edge", "control", "ftp://x")))
        .hasMessageContaining("control.token: none");
    assertThatThrownBy(
            () -> load(Map.of("roles", "edge", "control", "ftp://x", "control.token", "t")))
        .hasMessageContaining("control: ftp://x (expected: such as http://10.0.0.1:7070)");
  }

  private void load(Map<String, String> arguments) throws IOException {
    ServerConfig.load(temp, Map.of(), arguments);
  }

  // ---- hands

  private Part control(int api) throws Exception {
    var home = temp.resolve("control");
    Files.createDirectories(home);
    Files.writeString(home.resolve("token"), token + "\n");
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

  private Part edge(String name, String as) throws IOException {
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

  private void awaitUp(Part part) throws Exception {
    Stage.await(
        "the start of " + part.home(),
        () -> {
          assertThat(part.process().isAlive())
              .as(Files.readString(temp.resolve("processes.log")))
              .isTrue();
          return Files.exists(part.home().resolve("up.json"));
        });
  }

  private void awaitServed(Part edge, String host) throws Exception {
    Stage.await(host + " at " + edge.home(), () -> visit(edge, host) == 200);
  }

  private void route(String host) throws Exception {
    var to = "http://127.0.0.1:" + site.getAddress().getPort();
    json("PUT", control + "/v1/routes/" + host, token, "{\"to\":\"" + to + "\"}");
  }

  private JsonNode health(Part part) throws Exception {
    return json("GET", part.api("/v1/health"), "", "");
  }

  private int status(String url) {
    try {
      var request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(5)).build();
      return http.send(request, BodyHandlers.discarding()).statusCode();
    } catch (IOException e) {
      return -1;
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private JsonNode json(String method, String url, String as, String body) throws Exception {
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
  private static int visit(Part part, String host) {
    try {
      var answer =
          Stage.raw(
              new InetSocketAddress(InetAddress.getLoopbackAddress(), part.edge()),
              "GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
      return Integer.parseInt(answer.substring(9, 12));
    } catch (IOException e) {
      return -1;
    }
  }

  private static int port() {
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
