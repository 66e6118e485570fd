package dev.holdfast.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The life of an app, told to the API and seen through the edge. */
@Timeout(120)
class DeployTest {
  private static final String SECRET = "hunter2-is-a-secret";

  @TempDir private static Path temp;
  private static Stage stage;

  @BeforeAll
  static void start() throws Exception {
    stage = new Stage(temp, "home").start();
  }

  @AfterAll
  static void end() throws IOException {
    stage.close();
  }

  @Test
  void anAppIsDeployedVisitedChangedRolledBackAndDeleted() throws Exception {
    var accepted = stage.deploy("tiny", Pack.tiny("first"));
    assertThat(accepted.status()).as(accepted.body()).isEqualTo(202);
    assertThat(accepted.json().get("version").asInt()).isEqualTo(1);
    assertThat(accepted.json().get("description").asString()).matches("Deploy [0-9a-f]{8}");
    assertThat(accepted.json().get("types").has("web")).isTrue();
    assertSucceeded(1);
    assertThat(visit()).endsWith("release=1 process=web.1 greeting=none");
    assertDescribed();
    assertLogged();
    configure();
    rollBack();
    scale();
    restart();
    assertNoSecretShown();
    assertThat(stage.delete("/v1/apps/tiny").status()).isEqualTo(204);
    Stage.await("the end of its processes", () -> runs().isEmpty());
    assertThat(visit()).startsWith("HTTP/1.1 404 ");
    assertThat(stage.get("/v1/apps/tiny").status()).isEqualTo(404);
  }

  private static void assertDescribed() throws Exception {
    var app = stage.get("/v1/apps/tiny").json();
    assertThat(app.get("release").asInt()).isEqualTo(1);
    assertThat(app.get("formation").get("web").asInt()).isEqualTo(1);
    assertThat(app.at("/domains/0").asString()).isEqualTo("tiny.localhost");
    assertThat(app.get("url").asString())
        .isEqualTo("http://tiny.localhost:" + stage.platform().edgeAddress().getPort() + "/");
    var process = processes().getFirst();
    assertThat(process.get("name").asString()).isEqualTo("web.1");
    assertThat(process.get("state").asString()).isEqualTo("up");
    assertThat(ProcessHandle.of(process.get("pid").asLong())).isPresent();
  }

  private static void assertLogged() throws Exception {
    stage.visit("tiny.localhost", "/looked-for?a=b");
    Stage.await("the app's line", () -> logs("").contains("tiny asked for /looked-for?a=b"));
    Stage.await("the router's line", () -> logs("source=router").contains("/looked-for?a=b"));
    assertThat(logs("source=router"))
        .contains("at=info method=GET")
        .contains("host=tiny.localhost")
        .contains("dyno=web.1")
        .contains("status=200")
        .doesNotContain("tiny listens");
    assertThat(logs("source=platform"))
        .contains("State changed from starting to up")
        .contains("Release v1 is current")
        .doesNotContain("looked-for");
    assertThat(logs("process=web")).contains("tiny listens");
    assertThat(logs("process=job")).isEmpty();
    assertThat(logs("lines=1").lines()).hasSize(1);
    assertThat(logs("lines=0")).isEmpty();
    var request = stage.request("/v1/apps/tiny/logs?follow=true&lines=0&source=app");
    var stream = stage.send(request, BodyHandlers.ofInputStream());
    try (var lines =
        new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.UTF_8))) {
      stage.visit("tiny.localhost", "/followed");
      @Nullable String line;
      do {
        line = lines.readLine();
      } while (line != null && !line.contains("tiny asked for /followed"));
      assertThat(line).isNotNull();
    }
  }

  private static void configure() throws Exception {
    var changed =
        stage.patch(
            "/v1/apps/tiny/config",
            "{\"set\":{\"GREETING\":\"hi\",\"PASSWORD\":\"" + SECRET + "\"}}");
    assertThat(changed.status()).isEqualTo(202);
    assertThat(changed.json().at("/release/version").asInt()).isEqualTo(2);
    assertThat(changed.json().at("/release/description").asString())
        .isEqualTo("Set GREETING, PASSWORD config vars");
    assertSucceeded(2);
    assertThat(visit()).endsWith("release=2 process=web.1 greeting=hi");
    assertThat(stage.get("/v1/apps/tiny/config").json().at("/vars/PASSWORD").asString())
        .isEqualTo(SECRET);
    var same = stage.patch("/v1/apps/tiny/config", "{\"set\":{\"GREETING\":\"hi\"}}");
    assertThat(same.json().get("release").isNull()).isTrue(); // nothing changed, nothing released
  }

  private static void rollBack() throws Exception {
    assertThat(stage.post("/v1/apps/tiny/rollback", "{\"version\":2}").status()).isEqualTo(400);
    assertThat(stage.post("/v1/apps/tiny/rollback", "{\"version\":9}").detail())
        .isEqualTo("release v9 of tiny: does not exist");
    var back = stage.post("/v1/apps/tiny/rollback", "{}");
    assertThat(back.status()).isEqualTo(202);
    assertThat(back.json().get("description").asString()).isEqualTo("Rollback to v1");
    assertSucceeded(3);
    assertThat(visit()).endsWith("release=3 process=web.1 greeting=none");
    assertThat(stage.get("/v1/apps/tiny/config").json().get("vars").isEmpty()).isTrue();
    var releases = stage.get("/v1/apps/tiny/releases").json();
    assertThat(versions(releases)).containsExactly(3, 2, 1);
    assertThat(releases.at("/items/0/current").asBoolean()).isTrue();
    assertThat(releases.at("/items/1/current").asBoolean()).isFalse();
    assertThat(releases.at("/items/0/actor").asString()).isEqualTo("home");
  }

  private static void scale() throws Exception {
    var wanted = stage.patch("/v1/apps/tiny/formation", "{\"web\":2,\"job\":1}").json();
    assertThat(wanted.get("web").asInt()).isEqualTo(2);
    Stage.await("three processes", () -> up().equals(List.of("job.1", "web.1", "web.2")));
    assertThat(stage.get("/v1/apps/tiny/formation").json()).isEqualTo(wanted);
    assertThat(stage.patch("/v1/apps/tiny/formation", "{\"clock\":1}").detail())
        .isEqualTo("process type: clock (expected: one of [web, job])");
    stage.patch("/v1/apps/tiny/formation", "{\"web\":1,\"job\":0}");
    Stage.await("one process", () -> processes().size() == 1);
    assertThat(visit()).startsWith("HTTP/1.1 200 ");
  }

  private static void restart() throws Exception {
    long before = processes().getFirst().get("pid").asLong();
    assertThat(stage.post("/v1/apps/tiny/restart", "{\"process\":\"web.9\"}").detail())
        .isEqualTo("process web.9 of tiny: not running");
    var restarted = stage.post("/v1/apps/tiny/restart", "{}");
    assertThat(restarted.status()).isEqualTo(202);
    assertThat(restarted.json().get("processes").asInt()).isEqualTo(1);
    Stage.await(
        "a fresh process",
        () ->
            up().equals(List.of("web.1"))
                && processes().size() == 1
                && processes().getFirst().get("pid").asLong() != before);
    assertThat(ProcessHandle.of(before).filter(ProcessHandle::isAlive)).isEmpty();
    assertThat(visit()).startsWith("HTTP/1.1 200 ");
  }

  private static void assertNoSecretShown() throws Exception {
    var ledger = stage.ledger();
    var text = ledger.toString() + logs("lines=10000");
    assertThat(text).doesNotContain(SECRET).doesNotContain(stage.token());
    int redacted = 0;
    for (var entry : ledger) {
      if (List.of("config", "token").contains(entry.get("kind").asString())) {
        assertThat(entry.get("redacted").asBoolean()).isTrue();
        assertThat(entry.get("payload").isNull()).isTrue();
        redacted++;
      }
    }
    assertThat(redacted).isGreaterThanOrEqualTo(2);
    try (var files = Files.walk(stage.home().resolve("logs"))) {
      var kept = files.filter(Files::isRegularFile).toList();
      assertThat(kept).isNotEmpty();
      for (var file : kept) {
        assertThat(Files.readString(file)).as(file.toString()).doesNotContain(SECRET);
      }
    }
    var follow = stage.send(stage.request("/v1/ledger?follow=true"), BodyHandlers.ofInputStream());
    try (var lines =
        new BufferedReader(new InputStreamReader(follow.body(), StandardCharsets.UTF_8))) {
      for (var ignored : ledger) {
        assertThat(lines.readLine()).doesNotContain(SECRET).contains("\"position\"");
      }
    }
  }

  @Test
  void theSameKeyGivesTheSameReleaseAgain() throws Exception {
    var first = keyed("once", "monday", Pack.idle("a"));
    assertThat(first.status()).isEqualTo(202);
    var again = keyed("once", "monday", Pack.idle("b"));
    assertThat(again.json().get("version").asInt()).isEqualTo(1);
    assertThat(again.json().get("artifact")).isEqualTo(first.json().get("artifact"));
    assertThat(keyed("once", "tuesday", Pack.idle("b")).json().get("version").asInt()).isEqualTo(2);
    assertThat(versions(stage.get("/v1/apps/once/releases").json())).containsExactly(2, 1);
    stage.settled("once", 2);
    stage.delete("/v1/apps/once");
  }

  @Test
  void anAppThatCannotBootFailsItsReleaseAndSaysWhy() throws Exception {
    stage.deploy("broken", Pack.of("web: echo no luck; exit 3\n").bytes());
    var failed = stage.settled("broken", 1);
    assertThat(failed.get("status").asString()).isEqualTo("failed");
    assertThat(failed.get("failure").asString()).startsWith("web.1: ").contains("3");
    assertThat(stage.get("/v1/apps/broken").json().get("release").isNull()).isTrue();
    Stage.await(
        "its last words", () -> stage.get("/v1/apps/broken/logs").body().contains("no luck"));
    stage.delete("/v1/apps/broken");
  }

  @Test
  void listsAreReadPageByPage() throws Exception {
    var names = List.of("page-a", "page-b", "page-c");
    for (var name : names) {
      stage.post("/v1/apps", "{\"name\":\"" + name + "\"}");
      stage.post("/v1/tokens", "{\"name\":\"" + name + "\"}");
      stage.put("/v1/routes/" + name + ".test", "{\"to\":\"http://127.0.0.1:9\"}");
    }
    assertThat(pages("/v1/apps", "name")).containsAll(names).isSorted();
    assertThat(pages("/v1/tokens", "name")).containsAll(names);
    assertThat(pages("/v1/routes", "host")).hasSize(3).isSorted();
    for (var name : names) {
      stage.delete("/v1/apps/" + name);
      stage.delete("/v1/routes/" + name + ".test");
    }
  }

  @Test
  void aTokenWorksFromItsMakingToItsEnd() throws Exception {
    var made = stage.post("/v1/tokens", "{\"name\":\"robot\"}");
    assertThat(made.status()).isEqualTo(201);
    var id = made.json().get("id").asString();
    var bearer = "Bearer " + made.json().get("token").asString();
    assertThat(stage.send(stage.bare("/v1/apps").header("Authorization", bearer)).status())
        .isEqualTo(200);
    assertThat(stage.get("/v1/tokens").body()).contains(id).doesNotContain(bearer.substring(7));
    assertThat(stage.delete("/v1/tokens/" + id).status()).isEqualTo(204);
    assertThat(stage.send(stage.bare("/v1/apps").header("Authorization", bearer)).status())
        .isEqualTo(401);
  }

  private static List<String> pages(String path, String field) throws Exception {
    var found = new ArrayList<String>();
    var cursor = "";
    for (int i = 0; i < 100; i++) {
      var page = stage.get(path + "?limit=2" + cursor).json();
      assertThat(page.get("items").size()).isLessThanOrEqualTo(2);
      page.get("items").forEach(item -> found.add(item.get(field).asString()));
      if (page.get("next").isNull()) {
        return found;
      }
      cursor = "&cursor=" + page.get("next").asString();
    }
    throw new AssertionError("no last page of " + path);
  }

  private static Stage.Answer keyed(String app, String key, byte[] upload) throws Exception {
    return stage.send(
        stage
            .request("/v1/apps/" + app + "/releases")
            .header("Idempotency-Key", key)
            .POST(BodyPublishers.ofByteArray(upload)));
  }

  private static void assertSucceeded(int version) throws Exception {
    var release = stage.settled("tiny", version);
    assertThat(release.get("status").asString()).as(release.toString()).isEqualTo("succeeded");
  }

  private static String visit() throws IOException {
    return stage.visit("tiny.localhost", "/");
  }

  private static String logs(String query) throws Exception {
    return stage.get("/v1/apps/tiny/logs?" + query).body();
  }

  private static List<JsonNode> processes() throws Exception {
    return stage.get("/v1/apps/tiny/processes").json().get("items").valueStream().toList();
  }

  private static List<String> up() throws Exception {
    return processes().stream()
        .filter(process -> process.get("state").asString().equals("up"))
        .map(process -> process.get("name").asString())
        .toList();
  }

  private static List<Integer> versions(JsonNode releases) {
    return releases.get("items").valueStream().map(r -> r.get("version").asInt()).toList();
  }

  private static List<Path> runs() throws IOException {
    try (var all = Files.list(stage.home().resolve("runs"))) {
      return all.toList();
    }
  }
}
