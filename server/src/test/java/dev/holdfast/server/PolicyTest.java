package dev.holdfast.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Policies and metrics over the API. */
@Timeout(120)
class PolicyTest {
  private static final String APP = "/v1/apps/hello/policy";

  @TempDir private static Path temp;
  private static Stage stage;

  @BeforeAll
  static void start() throws Exception {
    stage = new Stage(temp, "home").start();
    assertThat(stage.post("/v1/apps", "{\"name\":\"hello\"}").status()).isEqualTo(201);
  }

  @AfterAll
  static void end() throws IOException {
    stage.close();
  }

  @Test
  void changesTheFieldsThatAreNamedAndInheritsAgain() throws Exception {
    assertThat(stage.get(APP).json().get("maintenance").isNull()).isTrue();
    var on = stage.patch(APP, "{\"maintenance\":true,\"https\":\"on\",\"hstsSeconds\":60}");
    assertThat(on.status()).isEqualTo(200);
    var more =
        stage.patch(APP, "{\"upstream\":\"H2C\",\"compression\":[\"zstd\",\"gzip\"]}").json();
    assertThat(more.get("maintenance").asBoolean()).isTrue();
    assertThat(more.get("https").asString()).isEqualTo("on");
    assertThat(more.get("upstream").asString()).isEqualTo("h2c");
    var less = stage.patch(APP, "{\"https\":null}").json();
    assertThat(less.get("https").isNull()).isTrue();
    assertThat(less.get("hstsSeconds").asLong()).isEqualTo(60);
    assertThat(stage.get(APP).json()).isEqualTo(less);
    assertThat(stage.put(APP, "{\"account\":\"acme\"}").json().get("maintenance").isNull())
        .isTrue();
    assertThat(stage.delete(APP).status()).isEqualTo(204);
    assertThat(stage.get(APP).json().get("account").isNull()).isTrue();
    assertThat(stage.patch(APP, "{\"account\":\"acme\"}").status()).isEqualTo(200);
    assertThat(stage.delete(APP).status()).isEqualTo(204);
  }

  @Test
  void saysWhoCausesTheLoad() throws Exception {
    var load = stage.get("/v1/load");
    assertThat(load.status()).isEqualTo(200);
    assertThat(load.json().propertyNames())
        .contains("at", "summary", "accounts", "clients", "apps", "routes", "agents");
  }

  @Test
  void refusesWhatItDoesNotKnow() throws Exception {
    assertThat(stage.patch(APP, "{\"what\":1}").detail())
        .startsWith("field: what (expected: one of");
    assertThat(stage.patch(APP, "{\"https\":\"maybe\"}").status()).isEqualTo(400);
    assertThat(stage.patch(APP, "{\"https\":0}").status()).isEqualTo(400);
    assertThat(stage.patch(APP, "[]").detail()).contains("expected: a JSON object");
    assertThat(stage.patch(APP, "{\"requestBytesMax\":-1}").detail())
        .isEqualTo("requestBytesMax: -1 (expected: >= 0)");
    assertThat(stage.get("/v1/apps/none/policy").detail()).isEqualTo("app none: does not exist");
    assertThat(stage.patch("/v1/hosts/none.test/policy", "{}").status()).isEqualTo(404);
  }

  @Test
  void aNewOwnerOfANameInheritsNothing() throws Exception {
    var host = "/v1/hosts/a.test/policy";
    stage.put("/v1/routes/a.test", "{\"to\":\"http://127.0.0.1:1\"}");
    assertThat(stage.patch(host, "{\"maintenance\":true}").status()).isEqualTo(200);
    stage.delete("/v1/routes/a.test");
    assertThat(stage.get(host).status()).isEqualTo(404);
    stage.put("/v1/routes/a.test", "{\"to\":\"http://127.0.0.1:1\"}");
    assertThat(stage.get(host).json().get("maintenance").isNull()).isTrue();
    stage.post("/v1/apps", "{\"name\":\"brief\"}");
    stage.patch("/v1/apps/brief/policy", "{\"maintenance\":true}");
    stage.patch("/v1/hosts/brief.localhost/policy", "{\"maintenance\":true}");
    assertThat(stage.delete("/v1/apps/brief").status()).isEqualTo(204);
    stage.post("/v1/apps", "{\"name\":\"brief\"}");
    assertThat(stage.get("/v1/apps/brief/policy").json().get("maintenance").isNull()).isTrue();
    assertThat(stage.get("/v1/hosts/brief.localhost/policy").json().get("maintenance").isNull())
        .isTrue();
  }

  @Test
  void showsItsNumbersToWhoeverHasAToken() throws Exception {
    assertThat(stage.send(stage.bare("/metrics")).status()).isEqualTo(401);
    var plain = stage.get("/metrics");
    assertThat(plain.media()).isEqualTo("text/plain; version=0.0.4; charset=utf-8");
    assertThat(plain.body())
        .contains("\njvm_memory_used_bytes{area=\"heap\"} ")
        .contains("\nprocess_open_fds ")
        .contains("\nholdfast_edge_info{transport=\"")
        .containsPattern("\nholdfast_ledger_position [1-9]")
        .doesNotContain("# EOF");
    var open =
        stage.send(
            stage.request("/metrics").header("Accept", "application/openmetrics-text").GET());
    assertThat(open.media()).startsWith("application/openmetrics-text");
    assertThat(open.body()).endsWith("\n# EOF\n");
  }
}
