package dev.holdfast.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How followers are and what a person decides, over the API. */
@Timeout(120)
class LedgerOperationsTest {
  @TempDir private static Path temp;
  private static Stage stage;

  @BeforeAll
  static void start() throws Exception {
    stage = new Stage(temp, "home").start();
    for (int i = 0; i < 3; i++) {
      assertThat(
              stage
                  .put(
                      "/v1/routes/r" + i + ".test", "{\"to\":\"http://127.0.0.1:" + (7 + i) + "\"}")
                  .status())
          .isLessThan(300);
    }
  }

  @AfterAll
  static void end() throws IOException {
    stage.close();
  }

  @Test
  void saysHowEveryFollowerIs() throws Exception {
    var status = stage.get("/v1/ledger/status").json();
    assertThat(status.get("head").asLong()).isPositive();
    var names = status.get("followers").findValuesAsString("name");
    assertThat(names).containsExactlyInAnyOrder("routing", "fleet", "certs", "tokens", "rods");
    assertThat(status.get("followers").findValuesAsString("standing")).containsOnly("following");
  }

  @Test
  void showsThePlatformsOwnPartsAndThatTheyRun() throws Exception {
    var parts = stage.get("/v1/parts").json().get("items");
    assertThat(parts.findValuesAsString("name"))
        .contains(
            "access-log",
            "app-logs",
            "certs",
            "conductor",
            "edge-minder",
            "ledger-auditor",
            "ledger-compactor",
            "node-lease",
            "rods-rules",
            "rods-scribe",
            "rods-watch");
    assertThat(parts.findValuesAsString("state")).containsOnly("running");
    assertThat(stage.get("/metrics").body())
        .contains("holdfast_parts{state=\"degraded\"} 0\n")
        .contains("holdfast_part_starts_total{part=\"conductor\"} 1\n");
  }

  @Test
  void agreesWithTheStore() throws Exception {
    var diff = stage.get("/v1/ledger/diff").json();
    for (var follower : diff.get("followers")) {
      assertThat(follower.get("agrees").asBoolean()).as(follower.toString()).isTrue();
      assertThat(follower.get("unshown")).isEmpty();
    }
  }

  @Test
  void showsAnEntryByPositionAndByKeyWithoutSecrets() throws Exception {
    var byKey = stage.get("/v1/ledger/entries?key=route/r1.test").json();
    assertThat(byKey.get("entry").get("payload").get("address").asString())
        .isEqualTo("http://127.0.0.1:8");
    var position = byKey.get("position").asLong();
    assertThat(stage.get("/v1/ledger/entries/" + position).json()).isEqualTo(byKey);
    assertThat(stage.get("/v1/ledger/entries/999999").status()).isEqualTo(404);
    assertThat(stage.get("/v1/ledger/entries/x").status()).isEqualTo(400);
    var token = stage.get("/v1/ledger/entries/1").json().get("entry");
    if (token.get("kind").asString().equals("token")) {
      assertThat(token.get("payload").isNull()).isTrue();
    }
  }

  @Test
  void aDecisionStandsInTheLedgerWithItsReason() throws Exception {
    var decided =
        stage.post("/v1/ledger/skip", "{\"from\":7,\"through\":9,\"reason\":\"a drill\"}");
    assertThat(decided.status()).isEqualTo(200);
    var entry = stage.get("/v1/ledger/entries/" + decided.json().get("position").asLong()).json();
    assertThat(entry.get("entry").get("key").asString()).isEqualTo("verdict/7");
    assertThat(entry.get("entry").get("payload").get("reason").asString()).isEqualTo("a drill");
    assertThat(stage.post("/v1/ledger/skip", "{\"from\":0,\"reason\":\"x\"}").status())
        .isEqualTo(400);
    assertThat(stage.post("/v1/ledger/skip", "{\"from\":1,\"reason\":\" \"}").status())
        .isEqualTo(400);
  }

  @Test
  void writesALastGoodStateAgain() throws Exception {
    var before = stage.get("/v1/ledger/entries?key=route/r2.test").json();
    var done = stage.post("/v1/ledger/repair", "{\"key\":\"route/r2.test\",\"reason\":\"why\"}");
    assertThat(done.status()).isEqualTo(200);
    var after = stage.get("/v1/ledger/entries?key=route/r2.test").json();
    assertThat(after.get("entry").get("payload")).isEqualTo(before.get("entry").get("payload"));
    assertThat(after.get("position").asLong()).isGreaterThan(before.get("position").asLong());
    assertThat(
            stage
                .post("/v1/ledger/repair", "{\"key\":\"route/no.test\",\"reason\":\"w\"}")
                .status())
        .isEqualTo(404);
  }

  @Test
  void undoesDeletions() throws Exception {
    stage.put("/v1/routes/gone.test", "{\"to\":\"http://127.0.0.1:9\"}");
    assertThat(stage.delete("/v1/routes/gone.test").status()).isEqualTo(204);
    var at = stage.get("/v1/ledger/entries?key=route/gone.test").json().get("position").asLong();
    var done = stage.post("/v1/ledger/repair", "{\"from\":" + at + ",\"reason\":\"no\"}");
    assertThat(done.json().get("keys").get(0).asString()).isEqualTo("route/gone.test");
    var back = stage.get("/v1/ledger/entries?key=route/gone.test").json().get("entry");
    assertThat(back.get("deleted").asBoolean()).isFalse();
  }
}
