package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.edge.Descriptors;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Control rods at edges that follow a control process, and at those that have lost it. */
@Timeout(90)
class EdgeRodsTest {
  private static final double SECOND = 1;

  /** More than the guard lets go at once. */
  private static final int DELETED = 60;

  @TempDir private Path temp;
  private Troupe troupe;
  private Troupe.Part control;

  @BeforeEach
  void open() throws Exception {
    troupe = new Troupe(temp);
    int api = troupe.port();
    troupe.controlAt(api);
    control = troupe.control(api);
    troupe.route("a.test");
  }

  @AfterEach
  void close() {
    troupe.close();
  }

  private EdgeNode edge(String name, String token) throws Exception {
    return EdgeNode.start(
        ServerConfig.load(
            temp.resolve(name),
            Map.of(),
            Map.of(
                "roles",
                "edge",
                "control",
                troupe.controlAddress(),
                "control.token",
                token,
                "http",
                "127.0.0.1:0",
                "api",
                "127.0.0.1:0")),
        Descriptors.NONE,
        Time.system());
  }

  private static int visit(EdgeNode edge, String host) {
    return Troupe.visit(edge.edgeAddress(), host);
  }

  private void set(String rod, String scope) throws Exception {
    troupe.ask(
        "PUT",
        "/v1/rods/" + rod,
        "{\"level\":\"on\",\"scope\":\"" + scope + "\",\"ttl\":\"5m\",\"reason\":\"a test\"}");
  }

  private void lift(String rod, String scope) throws Exception {
    troupe.ask("DELETE", "/v1/rods/" + rod + "?scope=" + scope, "");
  }

  /** Waits until it is so and says how many seconds that took. */
  private static double seconds(String what, Callable<Boolean> so) throws Exception {
    long from = System.nanoTime();
    Stage.await(what, so);
    return (System.nanoTime() - from) / 1e9;
  }

  private JsonNode listed(String rod) throws Exception {
    for (var item : troupe.ask("GET", "/v1/rods", "").get("items")) {
      if (item.get("name").asString().equals(rod)) {
        return item;
      }
    }
    throw new AssertionError(rod + " is not listed");
  }

  @Test
  void rodsOfTheLedgerActWithinASecondWhereTheirScopeSaysAndWhatTheyDidComesBack()
      throws Exception {
    var token = troupe.followToken();
    troupe.ask("POST", "/v1/apps", "{\"name\":\"shop\"}");
    troupe.ask("PATCH", "/v1/apps/shop/policy", "{\"account\":\"acme\"}");
    try (var one = edge("one", token);
        var two = edge("two", token)) {
      Stage.await("a.test", () -> visit(one, "a.test") == 200 && visit(two, "a.test") == 200);
      int shop = visit(one, "shop.localhost");
      assertThat(shop).as("an app without processes").isEqualTo(503);

      set("maintenance", "node/" + one.name());
      assertThat(seconds("the rod of one node", () -> visit(one, "a.test") == 503))
          .isLessThan(SECOND);
      assertThat(visit(two, "a.test")).as("another node").isEqualTo(200);
      lift("maintenance", "node/" + one.name());
      assertThat(seconds("its end", () -> visit(one, "a.test") == 200)).isLessThan(SECOND);

      for (var scope : new String[] {"app/shop", "account/acme"}) {
        set("maintenance", scope);
        assertThat(seconds(scope, () -> says(one, "shop.localhost", "H80"))).isLessThan(SECOND);
        assertThat(visit(one, "a.test")).as("nobody else in " + scope).isEqualTo(200);
        lift("maintenance", scope);
        assertThat(seconds("its end", () -> !says(one, "shop.localhost", "H80")))
            .isLessThan(SECOND);
      }

      breakGlass(
          "{\"ask\":\"set\",\"name\":\"pause\",\"scope\":\"app/shop\",\"level\":\"on\",\"ttl\":\"5m\",\"reason\":\"by"
              + " hand\"}");
      Stage.await(
          "the record of what was done at the edge",
          () -> history().contains("by hand") && !history().contains("\"number\":0,"));
      assertThat(history()).containsOnlyOnce("by hand").contains("\"" + one.name() + "\"");

      set("freeze-stream", "global");
      Stage.await("the rod at the edge", () -> says(one, "holdfast_rods{rod=\"freeze-stream\"} 1"));
      troupe.route("b.test");
      set("maintenance", "global");
      assertThat(seconds("a rod while all else is frozen", () -> visit(one, "a.test") == 503))
          .isLessThan(SECOND);
      Stage.await("the other edge", () -> visit(two, "a.test") == 503);
      Stage.await("effects of both edges", () -> listed("maintenance").get("effect").asLong() >= 2);
      assertThat(listed("maintenance").get("acts").asBoolean()).isTrue();
      lift("maintenance", "global");
      Stage.await("the end of that rod", () -> visit(one, "a.test") == 200);
      assertThat(visit(one, "b.test")).as("a route that is withheld").isEqualTo(404);
      lift("freeze-stream", "global");
      Stage.await("the withheld route", () -> visit(one, "b.test") == 200);
    }
  }

  @Test
  void rodsReachEdgesThoughTheControlProcessStoppedAtAMassDeletion() throws Exception {
    try (var edge = edge("one", troupe.followToken())) {
      for (int i = 0; i < DELETED; i++) {
        troupe.route("doomed-" + i + ".test");
      }
      Stage.await("the last route", () -> visit(edge, "doomed-" + (DELETED - 1) + ".test") == 200);
      for (int i = 0; i < DELETED; i++) {
        troupe.ask("DELETE", "/v1/routes/doomed-" + i + ".test", "");
      }
      Stage.await(
          "the control process to stop",
          () -> troupe.ask("GET", "/v1/ledger/status", "").toString().contains("\"frozen\""));
      set("maintenance", "global");
      assertThat(seconds("the rod", () -> visit(edge, "a.test") == 503)).isLessThan(SECOND);
      lift("maintenance", "global");
      assertThat(seconds("its end", () -> visit(edge, "a.test") == 200)).isLessThan(SECOND);
      assertThat(visit(edge, "doomed-" + (DELETED - 1) + ".test")).as("held back").isEqualTo(200);
    }
  }

  @Test
  void breakGlassActsWithinASecondThoughTheControlProcessIsGoneAndLedgersRodsOutliveARestart()
      throws Exception {
    var token = troupe.followToken();
    try (var edge = edge("one", token)) {
      Stage.await("a.test", () -> visit(edge, "a.test") == 200);
      set("deny-deploys", "global");
      Stage.await("the rod", () -> says(edge, "holdfast_rods{rod=\"deny-deploys\"} 1"));

      control.process().destroyForcibly().waitFor();
      assertThat(visit(edge, "a.test")).isEqualTo(200);
      long from = System.nanoTime();
      var answer =
          breakGlass(
              "{\"ask\":\"set\",\"name\":\"maintenance\",\"level\":\"on\",\"ttl\":\"5m\","
                  + "\"reason\":\"all else is dead\"}");
      assertThat(answer.get("done").asBoolean()).as(answer.toString()).isTrue();
      assertThat(visit(edge, "a.test")).isEqualTo(503);
      assertThat((System.nanoTime() - from) / 1e9).as("seconds").isLessThan(SECOND);
    }
    try (var again = edge("one", token)) {
      assertThat(visit(again, "a.test")).as("after a restart").isEqualTo(503);
      assertThat(says(again, "holdfast_rods{rod=\"deny-deploys\"} 1")).isTrue();
      assertThat(
              breakGlass("{\"ask\":\"lift\",\"name\":\"maintenance\",\"scope\":\"global\"}")
                  .get("done")
                  .asBoolean())
          .isTrue();
      assertThat(visit(again, "a.test")).isEqualTo(200);
    }
  }

  private String history() throws Exception {
    return troupe.ask("GET", "/v1/rods/history", "").toString();
  }

  private static boolean says(EdgeNode edge, String host, String word) throws IOException {
    return Stage.raw(
            edge.edgeAddress(), "GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
        .contains(word);
  }

  /** Whether the edge's own numbers have that line. */
  private boolean says(EdgeNode edge, String line) throws Exception {
    var token = Files.readString(temp.resolve("one").resolve("token")).strip();
    return Stage.raw(
            edge.apiAddress(),
            "GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                + token
                + "\r\nConnection: close\r\n\r\n")
        .contains(line + "\n");
  }

  private JsonNode breakGlass(String line) throws IOException {
    try (var client = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      client.connect(UnixDomainSocketAddress.of(temp.resolve("one").resolve(RodSocket.FILE)));
      client.write(ByteBuffer.wrap((line + "\n").getBytes(UTF_8)));
      return Json.MAPPER.readTree(Channels.newInputStream(client).readAllBytes());
    }
  }
}
