package dev.holdfast.drills;

import java.io.IOException;
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

  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(TIMEOUT)
          .build();
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

  Answer deploy(String app, byte[] upload, @Nullable String key)
      throws IOException, InterruptedException {
    var request = request("/v1/apps/" + app + "/releases").header("Content-Type", "application/gzip");
    if (key != null) {
      request.header("Idempotency-Key", key);
    }
    return send(request.POST(BodyPublishers.ofByteArray(upload)));
  }

  /** What visitors of the app see, or null when nobody answers. */
  @Nullable String visit(String app) throws InterruptedException {
    try {
      var answer =
          http.send(
              HttpRequest.newBuilder(URI.create("http://" + app + ".localhost" + edge.substring(edge.lastIndexOf(':'))))
                  .timeout(TIMEOUT)
                  .build(),
              BodyHandlers.ofString());
      return answer.statusCode() == 200 ? answer.body() : null;
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
