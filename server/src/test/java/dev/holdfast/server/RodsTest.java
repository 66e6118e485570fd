package dev.holdfast.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Control rods on a whole platform, set and lifted as an operator does. */
@Timeout(120)
class RodsTest {
  @TempDir private static Path temp;
  private static Stage stage;

  @BeforeAll
  static void start() throws Exception {
    stage = new Stage(temp, "home").with("edge.pause-wait", "10s").start();
  }

  @AfterAll
  static void end() throws IOException {
    stage.close();
  }

  @AfterEach
  void liftAll() throws Exception {
    for (var rod : stage.get("/v1/rods").json().get("items")) {
      lift(rod.get("name").asString(), rod.get("scope").asString());
    }
  }

  private static Stage.Answer set(String name, String scope, String level) throws Exception {
    return stage.put(
        "/v1/rods/" + name,
        "{\"scope\":\"%s\",\"level\":\"%s\",\"ttl\":\"10m\",\"reason\":\"test of %s\"}"
            .formatted(scope, level, name));
  }

  private static Stage.Answer lift(String name, String scope) throws Exception {
    return stage.delete("/v1/rods/" + name + "?scope=" + scope + "&reason=done");
  }

  @Test
  void denyDeploysNamesItselfItsReasonAndItsEnd() throws Exception {
    assertThat(stage.deploy("denied", Pack.idle("1")).status()).isEqualTo(202);
    stage.settled("denied", 1);
    var rod = set("deny-deploys", "global", "on");
    assertThat(rod.status()).as(rod.body()).isEqualTo(200);
    var denied = stage.deploy("denied", Pack.idle("2"));
    assertThat(denied.status()).isEqualTo(503);
    assertThat(denied.detail())
        .contains("deny-deploys")
        .contains("test of deny-deploys")
        .contains(rod.json().get("expiresAt").asString().substring(0, 16));
    assertThat(denied.json().at("/rod/name").asString()).isEqualTo("deny-deploys");
    assertThat(Integer.parseInt("" + denied.retryAfter())).isBetween(590, 600);
    assertThat(stage.post("/v1/apps/denied/rollback", "{}").status()).isEqualTo(503);
    assertThat(stage.patch("/v1/apps/denied/config", "{\"set\":{\"A\":\"1\"}}").status())
        .isEqualTo(503);
    assertThat(stage.post("/v1/apps", "{\"name\":\"created\"}").status()).isEqualTo(201);
    assertThat(stage.get("/v1/rods").json().at("/items/0/effect").asLong()).isEqualTo(3);
    assertThat(lift("deny-deploys", "global").json().at("/items/0/effect").asLong()).isEqualTo(3);
    assertThat(stage.deploy("denied", Pack.idle("2")).status()).isEqualTo(202);

    set("deny-deploys", "app/denied", "rollbacks");
    stage.settled("denied", 2);
    assertThat(stage.deploy("denied", Pack.idle("3")).status()).isEqualTo(503);
    assertThat(stage.post("/v1/apps/denied/rollback", "{\"version\":1}").status()).isEqualTo(202);
    assertThat(stage.deploy("other", Pack.idle("1")).status()).isEqualTo(202);
  }

  @Test
  void apiReadOnlyLetsOnlyRodsAndRevocationsThrough() throws Exception {
    var token = stage.post("/v1/tokens", "{\"name\":\"gone\"}").json().get("id").asString();
    assertThat(set("api-read-only", "node", "on").status()).isEqualTo(200);
    assertThat(stage.post("/v1/apps", "{\"name\":\"never\"}").status()).isEqualTo(503);
    assertThat(stage.post("/v1/tokens", "{\"name\":\"never\"}").detail()).contains("api-read-only");
    assertThat(stage.put("/v1/routes/x.test", "{\"to\":\"http://127.0.0.1:9\"}").status())
        .isEqualTo(503);
    assertThat(stage.get("/v1/apps").status()).isEqualTo(200);
    assertThat(stage.post("/v1/backup", "").status()).isEqualTo(200);
    assertThat(stage.delete("/v1/tokens/" + token).status()).isEqualTo(204);
    assertThat(set("pause", "global", "on").status()).isEqualTo(200);
    assertThat(lift("api-read-only", "node").status()).isEqualTo(200);
    assertThat(stage.post("/v1/tokens", "{\"name\":\"ever\"}").status()).isEqualTo(201);
  }

  @Test
  void provisioningOffPutsStartsOffAndLeavesWhatRunsAlone() throws Exception {
    stage.deploy("busy", Pack.tiny("a"));
    assertThat(stage.settled("busy", 1).get("status").asString()).isEqualTo("succeeded");
    var before = stage.get("/v1/apps/busy/processes").json().at("/items/0");
    set("provisioning-off", "global", "on");
    assertThat(stage.patch("/v1/apps/busy/formation", "{\"web\":2}").status()).isEqualTo(200);
    assertThat(stage.deploy("busy", Pack.tiny("b")).status()).isEqualTo(202);
    assertThat(stage.post("/v1/apps/busy/restart", "{}").detail()).contains("provisioning-off");
    Stage.await(
        "starts put off", () -> stage.get("/v1/rods").json().at("/items/0/effect").asLong() >= 3);
    assertThat(stage.get("/v1/apps/busy/processes").body()).contains("provisioning is off");
    assertThat(stage.get("/v1/apps/busy/processes").json().at("/items/0").get("pid"))
        .isEqualTo(before.get("pid"));
    assertThat(stage.get("/v1/apps/busy/releases/2").json().get("status").asString())
        .isEqualTo("starting");
    lift("provisioning-off", "global");
    assertThat(stage.settled("busy", 2).get("status").asString()).isEqualTo("succeeded");
    stage.delete("/v1/apps/busy");
  }

  @Test
  void pauseAndMaintenanceActOnTheirAppAtTheEdge() throws Exception {
    stage.put("/v1/routes/paused.test", "{\"to\":\"http://127.0.0.1:9\"}");
    stage.put("/v1/hosts/paused.test/policy", "{\"account\":\"acme\"}");
    assertThat(stage.visit("paused.test", "/")).contains("H21");
    set("maintenance", "account/acme", "on");
    assertThat(stage.visit("paused.test", "/")).contains("H80").contains("Retry-After");
    lift("maintenance", "account/acme");
    set("pause", "account/acme", "on");
    var waits =
        CompletableFuture.supplyAsync(() -> {
          try {
            return stage.visit("paused.test", "/");
          } catch (IOException e) {
            return e.toString();
          }
        });
    Stage.await(
        "a held request", () -> stage.get("/v1/rods").json().at("/items/0/effect").asLong() == 1);
    assertThat(waits).isNotDone();
    assertThat(stage.get("/metrics").body())
        .contains("holdfast_edge_requests_paused 1")
        .contains("holdfast_rods{rod=\"pause\"} 1");
    lift("pause", "account/acme");
    assertThat(waits.get()).contains("H21");
  }

  @Test
  void freezeStreamKeepsWhatIsServedAndDeniesDeploysByItself() throws Exception {
    stage.put("/v1/routes/early.test", "{\"to\":\"http://127.0.0.1:9\"}");
    set("freeze-stream", "node", "on");
    var late = CompletableFuture.supplyAsync(() -> put("/v1/routes/late.test"));
    Stage.await("the rule", () -> stage.get("/v1/rods").body().contains("rule stream-frozen"));
    assertThat(stage.visit("early.test", "/")).contains("H21");
    assertThat(late.get()).isEqualTo(200);
    assertThat(stage.visit("late.test", "/")).startsWith("HTTP/1.1 404");
    assertThat(stage.deploy("frozen", Pack.idle("1")).detail()).contains("stream-frozen");
    stage.restart(); // who starts reads up to the head, and stands still from there
    assertThat(stage.visit("late.test", "/")).contains("H21");
    assertThat(stage.get("/v1/rods").body()).contains("\"name\":\"freeze-stream\"");
    assertThat(put("/v1/routes/later.test")).isEqualTo(200);
    assertThat(stage.visit("later.test", "/")).startsWith("HTTP/1.1 404");
    lift("freeze-stream", "node");
    Stage.await("what was held", () -> stage.visit("later.test", "/").contains("H21"));
    Stage.await(
        "the rule's end", () -> !stage.get("/v1/rods").body().contains("rule stream-frozen"));
  }

  private static int put(String path) {
    try {
      return stage.put(path, "{\"to\":\"http://127.0.0.1:9\"}").status();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void saysWhatThereIsWhatHappenedAndWhatWasNeverDrilled() throws Exception {
    assertThat(set("pause", "app/nobody", "on").detail()).contains("app nobody: does not exist");
    assertThat(set("paws", "global", "on").detail()).contains("paws").contains("maintenance");
    assertThat(set("connect-rate", "account/x", "5%").detail()).contains("global, node");
    assertThat(lift("pause", "global").status()).isEqualTo(404);
    assertThat(known("connect-rate", "drilled")).isEqualTo("false");
    stage.put(
        "/v1/rods/connect-rate",
        "{\"level\":\"50%\",\"ttl\":\"1m\",\"reason\":\"drill\",\"drill\":true}");
    assertThat(known("connect-rate", "drilled")).isEqualTo("true");
    lift("connect-rate", "global");
    var events = stage.get("/v1/rods/history").json().get("items");
    assertThat(events.get(0).get("event").asString()).isEqualTo("lifted");
    assertThat(events.get(0).get("by").asString()).isEqualTo("home");
    assertThat(events.get(0).get("reason").asString()).isEqualTo("done");
    assertThat(events.get(1).get("event").asString()).isEqualTo("set");
    assertThat(events.get(1).get("drill").asBoolean()).isTrue();
    assertThat(
            stage
                .post("/v1/rods/pause/drills", "{\"by\":\"drill x\",\"effect\":\"held 7\"}")
                .status())
        .isEqualTo(201);
    assertThat(known("pause", "drilledBy")).isEqualTo("drill x");
  }

  private static String known(String name, String field) throws Exception {
    for (var rod : stage.get("/v1/rods").json().get("known")) {
      if (rod.get("name").asString().equals(name)) {
        return rod.get(field).asString();
      }
    }
    return "";
  }

  @Test
  void anExpiredRodLeavesTheLedgerByItself() throws Exception {
    var set = stage.put("/v1/rods/pause", "{\"level\":\"on\",\"ttl\":\"1s\",\"reason\":\"short\"}");
    assertThat(set.status()).isEqualTo(200);
    Stage.await(
        "its end",
        () ->
            stage.get("/v1/rods/history").json().at("/items/0/event").asString().equals("expired"));
    assertThat(stage.get("/v1/rods").json().get("items")).isEmpty();
  }

  @Test
  void theHomeHasASocketForTheWorstCase() {
    assertThat(Files.exists(stage.home().resolve(RodSocket.FILE))).isTrue();
  }
}
