package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.limits.Check;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Speaks to a platform as any client does. Thread-safe. */
final class Client implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final int PAGE = 1_000;
  private static final int PAGE_BYTES_MAX = 64 * 1024;

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(TIMEOUT).build();
  private final String api;
  private final String edge;
  private final String token;

  Client(String api, String edge, String token) {
    this.api = api;
    this.edge = edge;
    this.token = token;
  }

  /** An answer of the API. */
  record Answer(int status, String body) {
    JsonNode json() {
      return JsonMapper.shared().readTree(body);
    }
  }

  Answer get(String path) throws IOException, InterruptedException {
    return send(request(path).GET());
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

  Answer delete(String path) throws IOException, InterruptedException {
    return send(request(path).DELETE());
  }

  /** Makes an app and deploys its first release. */
  void begin(String app, byte[] upload) throws IOException, InterruptedException {
    expect("create " + app, post("/v1/apps", "{\"name\":\"" + app + "\"}"), 201);
    expect("deploy " + app, deploy(app, upload, null), 202);
  }

  private static void expect(String what, Answer answer, int status) {
    Check.that(answer.status() == status, what, answer.status() + " " + answer.body(), "" + status);
  }

  Answer deploy(String app, byte[] upload, @Nullable String key)
      throws IOException, InterruptedException {
    var request =
        request("/v1/apps/" + app + "/releases").header("Content-Type", "application/gzip");
    if (key != null) {
      request.header("Idempotency-Key", key);
    }
    return send(request.POST(BodyPublishers.ofByteArray(upload)));
  }

  /**
   * What visitors of the app see, or null when nobody answers. A plain socket, since not every
   * resolver knows the names below {@code localhost}.
   */
  @Nullable String visit(String app) {
    int port = Integer.parseInt(edge.substring(edge.lastIndexOf(':') + 1));
    try (var socket = new Socket()) {
      socket.connect(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), port), (int) TIMEOUT.toMillis());
      socket.setSoTimeout((int) TIMEOUT.toMillis());
      var request = "GET / HTTP/1.1\r\nHost: " + app + ".localhost\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(UTF_8));
      var answer = new String(socket.getInputStream().readNBytes(PAGE_BYTES_MAX), UTF_8);
      int body = answer.indexOf("\r\n\r\n");
      return answer.startsWith("HTTP/1.1 200 ") && body > 0 ? answer.substring(body + 4) : null;
    } catch (IOException e) {
      return null;
    }
  }

  /** All entries of the ledger. */
  List<JsonNode> ledger() throws IOException, InterruptedException {
    var all = new ArrayList<JsonNode>();
    long after = 0;
    while (true) {
      var page = get("/v1/ledger?limit=" + PAGE + "&after=" + after).json();
      page.get("items").forEach(all::add);
      if (page.get("next").isNull()) {
        return all;
      }
      after = all.getLast().get("position").asLong();
    }
  }

  @Override
  public void close() {
    http.shutdownNow();
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(api + path))
        .timeout(TIMEOUT)
        .header("Authorization", "Bearer " + token);
  }

  private Answer send(HttpRequest.Builder request) throws IOException, InterruptedException {
    HttpResponse<String> response = http.send(request.build(), BodyHandlers.ofString());
    return new Answer(response.statusCode(), response.body());
  }
}
