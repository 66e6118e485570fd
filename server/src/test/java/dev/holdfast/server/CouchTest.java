package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The ledger as a CouchDB database, as its clients ask for it. */
@Timeout(60)
class CouchTest {
  private static final String DB = "/couch/ledger";

  @TempDir private static Path temp;
  private static Stage stage;

  @BeforeAll
  static void open() throws Exception {
    stage = new Stage(temp, "home").start();
    route("a.test", 1);
    route("a.test", 2);
    route("b.test", 1);
    route("gone.test", 1);
    stage.delete("/v1/routes/gone.test");
  }

  @AfterAll
  static void close() throws IOException {
    stage.close();
  }

  @Test
  void greetsAsServerAndAsDatabase() throws Exception {
    assertThat(get("/couch").get("couchdb").asString()).isEqualTo("Welcome");
    assertThat(get("/couch/").get("uuid").asString()).hasSize(32);
    assertThat(get("/couch/_all_dbs").get(0).asString()).isEqualTo("ledger");
    var database = get(DB);
    assertThat(database.get("db_name").asString()).isEqualTo("ledger");
    assertThat(database.get("instance_start_time").asString()).isNotEmpty();
    assertThat(database.get("doc_count").asInt()).isEqualTo(live().size());
    assertThat(database.get("doc_del_count").asInt()).isPositive();
    assertThat(database.get("update_seq").asLong()).isPositive();
    var other = stage.get("/couch/other");
    assertThat(other.status()).isEqualTo(404);
    assertThat(other.json().get("error").asString()).isEqualTo("not_found");
  }

  @Test
  void theTokenMayBeThePassword() throws Exception {
    for (var credentials : List.of("me:" + stage.token(), ":" + stage.token())) {
      var basic = "Basic " + Base64.getEncoder().encodeToString(credentials.getBytes(UTF_8));
      assertThat(stage.send(stage.bare(DB).header("Authorization", basic)).status()).isEqualTo(200);
      assertThat(stage.send(stage.bare("/v1/apps").header("Authorization", basic)).status())
          .as("nowhere else")
          .isEqualTo(401);
    }
    var none = stage.send(stage.bare(DB));
    assertThat(none.status()).isEqualTo(401);
    assertThat(none.json().get("error").asString()).isEqualTo("unauthorized");
    var bad = stage.send(stage.bare(DB).header("Authorization", "Basic %%%"));
    assertThat(bad.status()).isEqualTo(401);
  }

  @Test
  void changesAreTheNewestOfEveryKeyInOrderAndSecretsAreNone() throws Exception {
    var changes = get(DB + "/_changes?include_docs=true");
    var ids = new ArrayList<String>();
    long last = 0;
    for (var row : changes.get("results")) {
      assertThat(row.get("seq").asLong()).isGreaterThan(last);
      last = row.get("seq").asLong();
      ids.add(row.get("id").asString());
      assertThat(row.get("doc").get("_id")).isEqualTo(row.get("id"));
      assertThat(row.get("doc").get("_rev")).isEqualTo(row.get("changes").get(0).get("rev"));
      assertThat(row.has("deleted")).isEqualTo(row.get("id").asString().contains("gone"));
      assertThat(row.get("doc").has("_deleted")).isEqualTo(row.has("deleted"));
    }
    assertThat(ids)
        .doesNotHaveDuplicates()
        .contains("route/a.test", "route/b.test", "route/gone.test")
        .noneMatch(id -> id.startsWith("token/"));
    assertThat(changes.get("last_seq").asLong()).isGreaterThanOrEqualTo(last);
    assertThat(get(DB + "/_changes?since=" + last).get("results").size()).isZero();
    var first = get(DB + "/_changes?limit=1");
    assertThat(first.get("results").size()).isEqualTo(1);
    assertThat(first.get("last_seq")).isEqualTo(first.get("results").get(0).get("seq"));
    assertThat(get(DB + "/_changes?since=999999").get("results").size())
        .as("a position of another history begins anew")
        .isEqualTo(ids.size());
    var some =
        stage.post(DB + "/_changes?filter=_doc_ids", "{\"doc_ids\":[\"route/b.test\"]}").json();
    assertThat(some.get("results").size()).isEqualTo(1);
    assertThat(stage.get(DB + "/_changes?filter=app/mine").status()).isEqualTo(400);
    assertThat(stage.get(DB + "/_changes?feed=fast").status()).isEqualTo(400);
  }

  @Test
  void aLongPollWaitsForOneChangeOrItsTime() throws Exception {
    var nothing = get(DB + "/_changes?feed=longpoll&since=now&timeout=50");
    assertThat(nothing.get("results").size()).isZero();
    try (var lines = lines(DB + "/_changes?feed=longpoll&since=now&heartbeat=100", null)) {
      assertThat(lines.readLine()).isEqualTo("{\"results\":[");
      assertThat(lines.readLine()).as("a heartbeat").isEmpty();
      route("poll.test", 1);
      var row = lines.readLine();
      while (row.isEmpty()) {
        row = lines.readLine();
      }
      assertThat(row).contains("route/poll.test");
      assertThat(lines.readLine()).isEqualTo("],");
      assertThat(lines.readLine()).startsWith("\"last_seq\":");
      assertThat(lines.readLine()).isNull();
    }
  }

  @Test
  void anEventSourceResumesByTheIdThatItSawLast() throws Exception {
    var rows = get(DB + "/_changes").get("results");
    long before = rows.get(rows.size() - 2).get("seq").asLong();
    try (var lines =
        lines(DB + "/_changes?feed=eventsource&since=0&heartbeat=100", String.valueOf(before))) {
      var data = lines.readLine();
      assertThat(data).startsWith("data: {\"seq\":" + rows.get(rows.size() - 1).get("seq"));
      assertThat(lines.readLine()).isEqualTo("id: " + rows.get(rows.size() - 1).get("seq"));
    }
  }

  @Test
  void documentsAreFoundByTheirKeyHoweverItsSlashIsWritten() throws Exception {
    var rev = get(DB + "/route%2Fa.test").get("_rev").asString();
    assertThat(rev).startsWith("2-").hasSize(34);
    for (var path : List.of("/route/a.test", "/route%2Fa.test?rev=" + rev)) {
      var doc = get(DB + path);
      assertThat(doc.get("_id").asString()).isEqualTo("route/a.test");
      assertThat(doc.get("_rev").asString()).isEqualTo(rev);
      assertThat(doc.get("kind").asString()).isEqualTo("route");
      assertThat(doc.get("value").get("host").asString()).isEqualTo("a.test");
    }
    var revisions = get(DB + "/route%2Fa.test?revs=true").get("_revisions");
    assertThat(revisions.get("start").asInt()).isEqualTo(2);
    assertThat(revisions.get("ids").size()).isEqualTo(2);
    assertThat(rev).endsWith(revisions.get("ids").get(0).asString());
    var open = get(DB + "/route%2Fa.test?open_revs=%5B%22" + rev + "%22,%221-x%22%5D");
    assertThat(open.get(0).get("ok").get("_rev").asString()).isEqualTo(rev);
    assertThat(open.get(1).get("missing").asString()).isEqualTo("1-x");
    for (var missing :
        List.of("/route%2Fnone", "/route%2Fa.test?rev=1-x", "/_design%2Fx", "/_local/x", "/~_x")) {
      assertThat(stage.get(DB + missing).status()).as(missing).isEqualTo(404);
    }
    assertThat(stage.get(DB + "/route%2Fgone.test").json().get("reason").asString())
        .isEqualTo("deleted");
    var token = stage.get("/v1/tokens").json().get("items").get(0).get("id").asString();
    assertThat(stage.get(DB + "/token%2F" + token).status()).isEqualTo(404);
    assertThat(stage.put(DB + "/_local%2Fcheckpoint", "{}").status()).isEqualTo(403);
    var head = stage.request(DB + "/route%2Fa.test").method("HEAD", BodyPublishers.noBody());
    assertThat(stage.send(head).status()).isEqualTo(200);
    var same = stage.request(DB + "/route%2Fa.test").header("If-None-Match", "\"" + rev + "\"");
    assertThat(stage.send(same).status()).isEqualTo(304);
  }

  @Test
  void manyDocumentsAreGotAtOnce() throws Exception {
    var rev = get(DB + "/route%2Fb.test").get("_rev").asString();
    var answer =
        stage
            .post(
                DB + "/_bulk_get?revs=true",
                "{\"docs\":[{\"id\":\"route/b.test\",\"rev\":\""
                    + rev
                    + "\"},{\"id\":\"route/b.test\",\"rev\":\"9-x\"},{\"id\":\"nope\"}]}")
            .json()
            .get("results");
    assertThat(answer.get(0).get("docs").get(0).get("ok").get("_revisions").get("start").asInt())
        .isEqualTo(1);
    for (int i = 1; i <= 2; i++) {
      var error = answer.get(i).get("docs").get(0).get("error");
      assertThat(error.get("error").asString()).isEqualTo("not_found");
    }
  }

  @Test
  void idsThatCouchKeepsForItselfHaveAnEscape() {
    for (var key : List.of("_x", "~x", "~_x", "x", "route/a")) {
      assertThat(CouchDocs.key(CouchDocs.id(key))).isEqualTo(key);
      assertThat(CouchDocs.id(key)).doesNotStartWith("_");
    }
    assertThat(CouchDocs.key("_design/x")).isNull();
  }

  private static List<JsonNode> live() throws Exception {
    return get(DB + "/_changes")
        .get("results")
        .valueStream()
        .filter(row -> !row.has("deleted"))
        .toList();
  }

  private static JsonNode get(String path) throws Exception {
    var answer = stage.get(path);
    assertThat(answer.status()).as(path + answer.body()).isEqualTo(200);
    return answer.json();
  }

  private static BufferedReader lines(String path, @Nullable String last) throws Exception {
    var request = stage.request(path);
    if (last != null) {
      request.header("Last-Event-ID", last);
    }
    HttpResponse<InputStream> answer = stage.send(request, BodyHandlers.ofInputStream());
    assertThat(answer.statusCode()).isEqualTo(200);
    return new BufferedReader(new InputStreamReader(answer.body(), UTF_8));
  }

  private static void route(String host, int port) throws Exception {
    var answer = stage.put("/v1/routes/" + host, "{\"to\":\"http://127.0.0.1:" + port + "\"}");
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
  }
}
