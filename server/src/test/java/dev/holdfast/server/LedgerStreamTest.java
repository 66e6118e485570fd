package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.edge.Routing;
import dev.holdfast.edge.RoutingFold;
import dev.holdfast.ledger.Envelope;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.HistoryGone;
import dev.holdfast.ledger.HostName;
import dev.holdfast.ledger.HttpFeed;
import dev.holdfast.ledger.HttpFeedConfig;
import dev.holdfast.ledger.Payload;
import dev.holdfast.ledger.Sealed;
import dev.holdfast.limits.Time;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The ledger as a stream over HTTP, and the feed that reads it. */
@Timeout(120)
class LedgerStreamTest {
  @TempDir private Path temp;
  private Stage stage;

  @BeforeEach
  void open() throws Exception {
    stage = new Stage(temp, "home").start();
  }

  @AfterEach
  void close() throws Exception {
    stage.close();
  }

  @Test
  void everyPositionComesOnceAndSecretsLeaveNothingButTheirPlace() throws Exception {
    route("a.test");
    route("b.test");
    long head = head();
    try (var lines = lines("/v1/ledger?since=0")) {
      var hello = json(lines.readLine());
      assertThat(hello.get("position").asLong()).isEqualTo(head);
      assertThat(hello.get("ledger").asString()).hasSize(32);
      int withheld = 0;
      for (long position = 1; position <= head; ) {
        var line = json(lines.readLine());
        if (line.has("beacon")) {
          continue;
        }
        assertThat(line.get("position").asLong()).isEqualTo(position);
        if (line.has("withheld")) {
          assertThat(line.propertyNames()).containsExactly("position", "withheld");
          withheld++;
        } else {
          var payload = Payload.of(Base64.getDecoder().decode(line.get("envelope").asString()));
          assertThat(Envelope.decode(payload))
              .isInstanceOfSatisfying(
                  Envelope.Decoded.Good.class,
                  good -> {
                    assertThat(good.entry().kind()).isNotEqualTo("token");
                  });
        }
        position++;
      }
      assertThat(withheld).as("the home's token, at least").isPositive();
      route("c.test");
      var next = json(lines.readLine());
      while (next.has("beacon")) {
        next = json(lines.readLine());
      }
      assertThat(next.get("position").asLong()).isEqualTo(head + 1);
    }
  }

  @Test
  void whatIsNotHereAnyMoreIsGoneAndTheSnapshotIs() throws Exception {
    for (int i = 0; i < 5; i++) {
      route("same.test");
    }
    long head = head();
    assertThat(stage.get("/v1/ledger?since=" + (head + 1)).status()).isEqualTo(410);
    assertThat(stage.get("/v1/ledger?since=0&ledger=another").status()).isEqualTo(410);
    assertThat(stage.get("/v1/ledger?since=x").status()).isEqualTo(400);
    var done = stage.post("/v1/ledger/compaction", "{\"keep\":1}").json();
    assertThat(done.get("floor").asLong()).isEqualTo(head - 1);
    assertThat(stage.get("/v1/ledger?since=1").detail())
        .contains("since: 1 (expected: " + (head - 1) + " to " + head + ")")
        .contains("/v1/ledger/snapshot");
    assertThat(stage.get("/v1/ledger?after=0&limit=1000").json().get("items").size())
        .isLessThan((int) head);
    assertThat(stage.restart().get("/v1/ledger?since=1").status()).isEqualTo(410);
  }

  @Test
  void aSnapshotHasEveryLiveKeyThatMayLeaveAndAnEnd() throws Exception {
    route("a.test");
    route("a.test");
    route("b.test");
    var plain = stage.send(stage.request("/v1/ledger/snapshot"), BodyHandlers.ofString());
    var lines = plain.body().lines().map(Json.MAPPER::readTree).toList();
    assertThat(plain.headers().firstValue("Content-Encoding")).isEmpty();
    assertThat(lines.getFirst().get("ledger").asString()).hasSize(32);
    var end = lines.getLast().get("snapshot");
    assertThat(end.get("entries").asInt()).isEqualTo(lines.size() - 2);
    assertThat(end.get("position").asLong()).isEqualTo(head());
    var keys =
        lines.subList(1, lines.size() - 1).stream()
            .map(line -> Payload.of(Base64.getDecoder().decode(line.get("envelope").asString())))
            .map(payload -> ((Envelope.Decoded.Good) Envelope.decode(payload)).entry().key())
            .toList();
    assertThat(keys)
        .contains("route/a.test", "route/b.test")
        .doesNotHaveDuplicates()
        .noneMatch(key -> key.startsWith("token/"));
    var tag = plain.headers().firstValue("ETag").orElseThrow();
    var known = stage.request("/v1/ledger/snapshot").header("If-None-Match", tag);
    assertThat(stage.send(known).status()).isEqualTo(304);
    route("c.test");
    assertThat(stage.send(known).status()).isEqualTo(200);
    HttpResponse<InputStream> packed =
        stage.send(
            stage.request("/v1/ledger/snapshot").header("Accept-Encoding", "gzip"),
            BodyHandlers.ofInputStream());
    try (var in = new GZIPInputStream(packed.body())) {
      assertThat(new String(in.readAllBytes(), UTF_8)).contains("\"snapshot\":");
    }
  }

  @Test
  void whoWantsRodsOnlyGetsOfAllElseNothingButThePlace() throws Exception {
    route("a.test");
    stage.put("/v1/rods/maintenance", "{\"level\":\"on\",\"ttl\":\"5m\",\"reason\":\"a test\"}");
    long head = head();
    int rods = 0;
    try (var lines = lines("/v1/ledger?since=0&only=rods")) {
      lines.readLine();
      for (long position = 1; position <= head; ) {
        var line = json(lines.readLine());
        if (!line.has("beacon")) {
          assertThat(line.get("position").asLong()).isEqualTo(position++);
          rods += line.has("envelope") ? 1 : 0;
        }
      }
    }
    assertThat(rods).as("the rod, and what was noted of it").isBetween(1, 3);
    var all = stage.send(stage.request("/v1/ledger/snapshot"), BodyHandlers.ofString()).headers();
    var some = stage.get("/v1/ledger/snapshot?only=rods");
    assertThat(some.body()).contains("\"entries\":" + rods).doesNotContain("route/");
    var tag = all.firstValue("ETag").orElseThrow();
    var other = stage.request("/v1/ledger/snapshot?only=rods").header("If-None-Match", tag);
    assertThat(stage.send(other).status()).as("a tag of the whole").isEqualTo(200);
    var wrong = stage.get("/v1/ledger?since=0&only=hats");
    assertThat(wrong.status()).isEqualTo(400);
    assertThat(wrong.body()).contains("hats").contains("rods, or nothing for all");
  }

  @Test
  void aTokenThatMayOnlyFollowDoesNothingElse() throws Exception {
    var token = follower();
    assertThat(as(token, "/v1/ledger/snapshot")).isEqualTo(200);
    for (var path : List.of("/v1/ledger", "/v1/ledger?follow=true", "/v1/apps", "/metrics")) {
      assertThat(as(token, path)).as(path).isEqualTo(403);
    }
    assertThat(as("nobody", "/v1/ledger?since=0")).isEqualTo(401);
  }

  @Test
  void aHundredStreamsCostNoThreadsAndAllGetEveryChange() throws Exception {
    int before = Thread.getAllStackTraces().size();
    var streams = new ArrayList<Socket>();
    try {
      long head = head();
      for (int i = 0; i < 100; i++) {
        streams.add(connect("/v1/ledger?heartbeat=30000&since=" + head));
      }
      for (var stream : streams) {
        readUntil(stream, "\"beacon\"");
      }
      assertThat(Thread.getAllStackTraces().size() - before).isLessThan(40);
      route("everywhere.test");
      for (var stream : streams) {
        readUntil(stream, "{\"position\":" + (head + 1) + ",");
      }
    } finally {
      for (var stream : streams) {
        stream.close();
      }
    }
  }

  @Test
  void oneMoreThanTheBoundIsRefusedAndAPlaceIsFreeWhenOneGoes() throws Exception {
    stage.stop();
    stage.with("api.followers-max", "1").start();
    try (var first = connect("/v1/ledger?heartbeat=100&since=0")) {
      readUntil(first, "\"beacon\"");
      assertThat(stage.get("/v1/ledger?since=0").status()).isEqualTo(503);
    }
    Stage.await("a free place", () -> stage.get("/v1/ledger?after=0").status() == 200);
  }

  @Test
  void theFeedLoadsFollowsAndResumesAfterARestart() throws Exception {
    stage.stop();
    stage.with("api", "127.0.0.1:" + freePort()).start();
    route("a.test");
    try (var feed = feed(api());
        var follower = new Follower<>("test", feed, new RoutingFold(), Time.system())) {
      follower.start();
      awaitRoute(follower, "a.test");
      route("b.test");
      awaitRoute(follower, "b.test");
      assertThat(feed.heard()).isNotNull();
      stage.restart();
      route("c.test");
      awaitRoute(follower, "c.test");
      assertThat(follower.view().digest()).isEqualTo(stage.platform().routingView().digest());
    }
  }

  @Test
  void theFeedPassesOverAnAddressThatDoesNotAnswerAndOneThatFallsSilent() throws Exception {
    route("a.test");
    try (var silent = new ServerSocket(0)) { // accepts and never says a word
      var nobody = URI.create("http://127.0.0.1:" + freePort());
      var mute = URI.create("http://127.0.0.1:" + silent.getLocalPort());
      try (var feed = feed(nobody, mute, api());
          var follower = new Follower<>("test", feed, new RoutingFold(), Time.system())) {
        follower.start();
        awaitRoute(follower, "a.test");
      }
    }
  }

  @Test
  void theFeedSaysThatHistoryIsGoneAndGoesOnFromASnapshot() throws Exception {
    for (int i = 0; i < 5; i++) {
      route("same.test");
    }
    try (var feed = feed(api())) {
      assertThat(feed.awaitBeyond(1, Duration.ofSeconds(20))).isGreaterThan(1);
      assertThat(feed.read(1, 2)).first().extracting(Sealed::position).isEqualTo(2L);
      assertThat(feed.read(1, 1)).extracting(Sealed::position).containsExactly(2L);
      stage.post("/v1/ledger/compaction", "{\"keep\":0}");
      Stage.await(
          "the news that history is gone",
          () -> {
            try {
              feed.awaitBeyond(0, Duration.ofMillis(50));
              feed.read(0, 1);
              return false;
            } catch (HistoryGone e) {
              return true;
            }
          });
      long position = feed.snapshot(_ -> {});
      assertThat(position).isEqualTo(head());
      route("next.test");
      assertThat(feed.awaitBeyond(position, Duration.ofSeconds(20))).isGreaterThan(position);
      assertThat(feed.read(position, 1).getFirst().position()).isEqualTo(position + 1);
    }
  }

  // ---- hands

  private void route(String host) throws Exception {
    var answer = stage.put("/v1/routes/" + host, "{\"to\":\"http://127.0.0.1:" + next() + "\"}");
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
  }

  private int port = 9;

  private int next() {
    return port++;
  }

  private long head() throws Exception {
    return stage.get("/v1/ledger?limit=1").json().get("head").asLong();
  }

  private String follower() throws Exception {
    var made = stage.post("/v1/tokens", "{\"name\":\"edge-1\",\"scope\":\"follow\"}").json();
    assertThat(made.get("scope").asString()).isEqualTo("follow");
    return made.get("token").asString();
  }

  private int as(String token, String path) throws Exception {
    return stage.send(stage.bare(path).header("Authorization", "Bearer " + token)).status();
  }

  private URI api() {
    return URI.create("http://127.0.0.1:" + stage.platform().apiAddress().getPort());
  }

  private HttpFeed feed(URI... controls) throws Exception {
    var standard = HttpFeedConfig.of(List.of(controls), follower());
    var feed =
        new HttpFeed(
            new HttpFeedConfig(
                standard.controls(),
                standard.token(),
                Duration.ofSeconds(1),
                Duration.ofMillis(200),
                Duration.ofSeconds(1),
                3,
                1 << 20,
                null),
            Time.system());
    feed.start();
    return feed;
  }

  private static void awaitRoute(Follower<Routing> follower, String host) throws Exception {
    Stage.await(
        "the route of " + host, () -> follower.view().value().route(HostName.of(host)) != null);
  }

  private BufferedReader lines(String path) throws Exception {
    var answer = stage.send(stage.request(path), BodyHandlers.ofInputStream());
    assertThat(answer.statusCode()).isEqualTo(200);
    return new BufferedReader(new InputStreamReader(answer.body(), UTF_8));
  }

  private Socket connect(String path) throws Exception {
    var socket =
        new Socket(InetAddress.getLoopbackAddress(), stage.platform().apiAddress().getPort());
    socket.setSoTimeout(20_000);
    var request = "GET " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + stage.token();
    socket.getOutputStream().write((request + "\r\n\r\n").getBytes(UTF_8));
    return socket;
  }

  private static void readUntil(Socket socket, String wanted) throws Exception {
    var seen = new StringBuilder();
    while (seen.indexOf(wanted) < 0) {
      int b = socket.getInputStream().read();
      assertThat(b).as(seen.toString()).isNotNegative();
      seen.append((char) b);
    }
  }

  private static JsonNode json(String line) {
    return Json.MAPPER.readTree(line);
  }

  private static int freePort() throws Exception {
    for (int port = 31_000 - (int) (ProcessHandle.current().pid() % 1_000); ; port++) {
      try (var _ = new ServerSocket(port)) {
        return port;
      } catch (java.io.IOException e) {
        assertThat(port).isLessThan(32_768);
      }
    }
  }
}
