package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Time;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A platform on a home and ports of its own, and somebody who speaks to it as any client does.
 * Closing it ends every process that it ran. Confined to one thread.
 */
final class Stage implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int PAGE = 1_000;
  private static final int DRONES = 8;

  /** Users and ports of drones are given out in blocks, so that no two platforms here share any. */
  private static final AtomicInteger BLOCKS =
      new AtomicInteger((int) (ProcessHandle.current().pid() % 100));

  private final Path home;
  private final Map<String, String> settings = new TreeMap<>();
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(PATIENCE).build();
  private @Nullable Platform platform;
  private String token = "";

  /** An answer of the API. */
  record Answer(int status, String body, @Nullable String media, @Nullable String retryAfter) {
    JsonNode json() {
      return Json.MAPPER.readTree(body);
    }

    /** What a refusal says, after a look at its form. */
    String detail() {
      assertThat(media).isEqualTo("application/problem+json");
      assertThat(json().get("status").asInt()).isEqualTo(status);
      assertThat(json().get("type").asString()).startsWith("urn:holdfast:problem:");
      assertThat(json().get("title").asString()).isNotEmpty();
      return json().get("detail").asString();
    }
  }

  /** A home below that directory, which others may enter: under root, apps run as other users. */
  Stage(Path directory, String name) throws IOException {
    home = directory.resolve(name);
    Files.createDirectories(home);
    openTo(directory);
    openTo(home);
    int block = BLOCKS.getAndIncrement() % 150;
    settings.put("http", "127.0.0.1:0");
    settings.put("api", "127.0.0.1:0");
    settings.put("drones.count", "" + DRONES);
    settings.put("drones.uid-first", "" + (30_000 + block * 50));
    settings.put("drones.port-first", "" + (12_000 + block * 100));
    settings.put("drones.port-last", "" + (12_099 + block * 100));
  }

  private static void openTo(Path directory) throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  Path home() {
    return home;
  }

  Stage with(String key, String value) {
    settings.put(key, value);
    return this;
  }

  Stage start() throws IOException, StoreException, InterruptedException {
    var lines = new StringBuilder();
    settings.forEach((key, value) -> lines.append(key).append(" = ").append(value).append('\n'));
    Files.writeString(home.resolve(ServerConfig.FILE), lines);
    openTo(home);
    platform = Platform.start(ServerConfig.load(home, Map.of(), Map.of()), Time.system());
    token = Files.readString(home.resolve("token")).strip();
    return this;
  }

  Stage restart() throws IOException, StoreException, InterruptedException {
    stop();
    return start();
  }

  /** Ends the platform; its apps go on. */
  void stop() {
    var running = platform;
    platform = null;
    if (running != null) {
      running.close();
    }
  }

  Platform platform() {
    var running = platform;
    if (running == null) {
      throw new IllegalStateException("the platform does not run");
    }
    return running;
  }

  /** Ends the platform and every process that it ran. */
  @Override
  public void close() throws IOException {
    stop();
    http.close();
    var said = new ByteArrayOutputStream();
    var to = new PrintStream(said, true, UTF_8);
    int status = Main.run(List.of("down", "--home", home.toString()), Map.of(), to, to);
    assertThat(status).as(said.toString(UTF_8)).isZero();
  }

  // ---- the API

  String token() {
    return token;
  }

  Answer get(String path) throws IOException, InterruptedException {
    return send(request(path).GET());
  }

  Answer delete(String path) throws IOException, InterruptedException {
    return send(request(path).DELETE());
  }

  Answer put(String path, String json) throws IOException, InterruptedException {
    return send(request(path).PUT(BodyPublishers.ofString(json)));
  }

  Answer post(String path, String json) throws IOException, InterruptedException {
    return send(request(path).POST(BodyPublishers.ofString(json)));
  }

  Answer patch(String path, String json) throws IOException, InterruptedException {
    return send(request(path).method("PATCH", BodyPublishers.ofString(json)));
  }

  Answer deploy(String app, byte[] upload) throws IOException, InterruptedException {
    return send(request("/v1/apps/" + app + "/releases").POST(BodyPublishers.ofByteArray(upload)));
  }

  HttpRequest.Builder request(String path) {
    return bare(path).header("Authorization", "Bearer " + token);
  }

  HttpRequest.Builder bare(String path) {
    var address = platform().apiAddress();
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + address.getPort() + path))
        .timeout(PATIENCE);
  }

  Answer send(HttpRequest.Builder request) throws IOException, InterruptedException {
    var response = http.send(request.build(), BodyHandlers.ofString());
    return new Answer(
        response.statusCode(),
        response.body(),
        response.headers().firstValue("Content-Type").orElse(null),
        response.headers().firstValue("Retry-After").orElse(null));
  }

  <T> HttpResponse<T> send(HttpRequest.Builder request, HttpResponse.BodyHandler<T> body)
      throws IOException, InterruptedException {
    return http.send(request.build(), body);
  }

  /** Every entry of the ledger, as the API shows it. */
  List<JsonNode> ledger() throws IOException, InterruptedException {
    var all = new ArrayList<JsonNode>();
    long after = 0;
    while (true) {
      var page = get("/v1/ledger?limit=" + PAGE + "&after=" + after).json();
      page.get("items").forEach(all::add);
      if (page.get("next").isNull()) {
        return all;
      }
      after = page.get("next").asLong();
    }
  }

  /** Waits until the release is settled. */
  JsonNode settled(String app, int version) throws Exception {
    var path = "/v1/apps/" + app + "/releases/" + version;
    await(
        "release v" + version + " of " + app,
        () -> List.of("succeeded", "failed").contains(get(path).json().get("status").asString()));
    return get(path).json();
  }

  // ---- the edge

  /** What a visitor of that host gets, head and body. */
  String visit(String host, String path) throws IOException {
    return raw(
        platform().edgeAddress(),
        "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
  }

  /** Sends those bytes, and reads until the other side has said everything. */
  static String raw(InetSocketAddress to, String request) throws IOException {
    try (var socket = new Socket(to.getAddress(), to.getPort())) {
      socket.setSoTimeout((int) PATIENCE.toMillis());
      socket.getOutputStream().write(request.getBytes(UTF_8));
      socket.getOutputStream().flush();
      return new String(socket.getInputStream().readAllBytes(), UTF_8);
    }
  }

  /** Asks again until it is so; fails when it takes longer than anybody's patience. */
  static void await(String what, Callable<Boolean> so) throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!so.call()) {
      assertThat(System.nanoTime()).as("%s within %s", what, PATIENCE).isLessThan(end);
      Thread.sleep(20);
    }
  }
}
