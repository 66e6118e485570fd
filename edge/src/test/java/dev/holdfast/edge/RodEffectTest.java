package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Policy;
import dev.holdfast.limits.KnownRod;
import dev.holdfast.limits.Rod;
import dev.holdfast.limits.RodEffects;
import dev.holdfast.limits.RodView;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What control rods do to traffic. */
@Timeout(60)
class RodEffectTest {
  private final RodEffects effects = new RodEffects();

  private RodView in(KnownRod known, String scope, int level) {
    return in(known, scope, level, Duration.ofMinutes(5));
  }

  private RodView in(KnownRod known, String scope, int level, Duration ttl) {
    var now = Instant.now();
    var rod =
        new Rod(
            known.word(), scope, level, "a test", "ann", now, now.plus(ttl), Rod.Source.OPERATOR);
    return RodView.of("n1", List.of(rod), effects);
  }

  @Test
  void maintenanceAnswersWithTheAppsPageOrWithJson() throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = new Rig()) {
      rig.app(backend).policy("app.test", page());
      rig.rods(in(KnownRod.MAINTENANCE, "app/app", 0));
      var html = rig.ask(get("Accept: text/html\r\n"));
      assertThat(html.status()).isEqualTo(503);
      assertThat(html.field("holdfast-error")).isEqualTo("H80");
      assertThat(seconds(html)).isBetween(60, 90);
      assertThat(html.body()).isEqualTo("<p>back at noon H80");
      var json = rig.ask(get("Accept: application/json\r\n"));
      assertThat(json.field("content-type")).isEqualTo("application/problem+json");
      assertThat(json.body()).contains("\"code\":\"H80\"").contains("\"retryAfter\":");
      assertThat(effects.total(KnownRod.MAINTENANCE)).isEqualTo(2);
      rig.rods(in(KnownRod.MAINTENANCE, "app/other", 0));
      assertThat(rig.ask(Rig.get("/")).status()).isEqualTo(200);
      rig.rods(in(KnownRod.MAINTENANCE, "account/app", 0));
      assertThat(rig.ask(Rig.get("/")).status()).isEqualTo(503);
      rig.rods(RodView.NONE);
      assertThat(rig.ask(Rig.get("/")).status()).isEqualTo(200);
    }
  }

  @Test
  void aRodThatExpiredActsNoLongerThoughNobodyTookItOut() throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = new Rig()) {
      rig.app(backend).rods(in(KnownRod.MAINTENANCE, "global", 0, Duration.ofMillis(500)));
      assertThat(rig.ask(Rig.get("/")).status()).isEqualTo(503);
      Rig.until(() -> ask(rig));
    }
  }

  /** Whether the app answers. */
  private static boolean ask(Rig rig) {
    try {
      return rig.ask(Rig.get("/")).status() == 200;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void pausedRequestsAreHeldAndGoOnInOrderWhenItIsLifted() throws Exception {
    var config = new TestConfig();
    config.eventLoops = 1;
    config.pause = new EdgeConfig.Pause(10, Duration.ofSeconds(20), 50);
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = new Rig(config)) {
      rig.app(backend).rods(in(KnownRod.PAUSE, "app/app", 0));
      var wires = new ArrayList<Wire>();
      for (int i = 0; i < 10; i++) {
        int held = i + 1;
        wires.add(rig.connect().send(Rig.get("/" + i)));
        Rig.until(() -> effects.total(KnownRod.PAUSE) == held);
      }
      try (var tooMany = rig.connect()) {
        var refused = tooMany.send(Rig.get("/more")).message(false);
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.field("holdfast-error")).isEqualTo("H11");
        assertThat(seconds(refused)).isPositive();
      }
      assertThat(rig.logged(1)).contains("/more");
      long from = System.nanoTime();
      rig.rods(RodView.NONE);
      for (var wire : wires) {
        assertThat(wire.message(false).status()).isEqualTo(200);
      }
      long took = System.nanoTime() - from;
      rig.logged(11);
      var order = rig.log.stream().skip(1).map(line -> line.replaceAll(".*path=\"?/(\\d).*", "$1"));
      assertThat(order).containsExactly("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");
      assertThat(took / 1e6).as("milliseconds for 10 at 50 a second").isGreaterThan(150);
      for (var wire : wires) {
        wire.close();
      }
    }
  }

  @Test
  void aPausedRequestGivesUpAfterItsTime() throws Exception {
    var config = new TestConfig();
    config.pause = new EdgeConfig.Pause(10, Duration.ofMillis(300), 50);
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = new Rig(config)) {
      rig.app(backend).rods(in(KnownRod.PAUSE, "global", 0));
      var late = rig.ask(Rig.get("/"));
      assertThat(late.status()).isEqualTo(503);
      assertThat(late.field("retry-after")).isNotNull();
      assertThat(rig.logged(1)).contains("code=H11").contains("paused");
      try (var gone = rig.connect()) {
        gone.send(Rig.get("/gone"));
        Rig.until(() -> effects.total(KnownRod.PAUSE) == 2);
        gone.socket.setSoLinger(true, 0); // a reset: who only says no more may still listen
      }
      assertThat(rig.logged(2)).contains("code=H27");
      rig.rods(RodView.NONE);
      assertThat(rig.ask(Rig.get("/")).status()).isEqualTo(200);
    }
  }

  @Test
  void whatWasHeldGoesWhereTheHostLeadsThen() throws Exception {
    try (var old = Backend.answering(Backend.ok("hello"));
        var fresh = Backend.answering(Backend.ok("hello"));
        var rig = new Rig()) {
      rig.app(old).rods(in(KnownRod.PAUSE, "app/app", 0));
      try (var wire = rig.connect()) {
        wire.send(Rig.get("/"));
        Rig.until(() -> effects.total(KnownRod.PAUSE) == 1);
        rig.endpoint("app", 1, fresh.port(), Endpoint.State.UP);
        rig.rods(RodView.NONE);
        assertThat(wire.message(false).status()).isEqualTo(200);
      }
      assertThat(old.connections.get()).isZero();
      assertThat(fresh.connections.get()).isEqualTo(1);
    }
  }

  @Test
  void connectRateLetsConnectionsInAtItsShare() throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = new Rig()) {
      rig.app(backend);
      assertThat(rig.ask(Rig.get("/")).status()).isEqualTo(200);
      rig.rods(in(KnownRod.CONNECT_RATE, "global", 5)); // of 200 a second
      Rig.until(() -> ask(rig) && effects.total(KnownRod.CONNECT_RATE) > 0);
      var sockets = new ArrayList<Socket>();
      long from = System.nanoTime();
      for (int i = 0; i < 15; i++) {
        var socket = new Socket(rig.edge.address().getAddress(), rig.edge.address().getPort());
        socket
            .getOutputStream()
            .write(Rig.get("/").getBytes(java.nio.charset.StandardCharsets.UTF_8));
        sockets.add(socket);
      }
      for (var socket : sockets) {
        socket.setSoTimeout(10_000);
        assertThat(socket.getInputStream().read()).isEqualTo('H');
      }
      double seconds = (System.nanoTime() - from) / 1e9;
      assertThat(seconds).as("15 connections at 10 a second").isGreaterThan(0.9);
      assertThat(effects.total(KnownRod.CONNECT_RATE)).isGreaterThan(10);
      rig.rods(RodView.NONE);
      Rig.until(() -> {
        long lifted = System.nanoTime();
        boolean served = true;
        for (int i = 0; i < 15; i++) {
          served &= ask(rig);
        }
        return served && (System.nanoTime() - lifted) / 1e9 < 1;
      });
      for (var socket : sockets) {
        socket.close();
      }
    }
  }

  @Test
  void connectRateHoldsHandshakesEvenWhereAdmissionIsOff() {
    var admission =
        new Admission(AdmissionConfig.defaults().withAll(Limiter.Mode.OFF), seeded(), 0);
    int held = 0;
    for (int i = 0; i < 210; i++) {
      if (admission.pace(0, 0, 10) > 0) {
        held++;
      }
    }
    assertThat(held).as("of 210 with a burst of 20 or so").isGreaterThan(180);
    assertThat(admission.connects.parked()).isEqualTo(210);
    for (int i = 0; i < 210; i++) {
      admission.unpark();
    }
    assertThat(admission.connects.parked()).isZero();
    assertThat(admission.pace(0, 0, 0)).isNegative();
    assertThat(admission.pace(0, 0, KnownRod.WHOLE)).isZero();
  }

  private static int seconds(Wire.Message answer) {
    var field = answer.field("retry-after");
    return field == null ? 0 : Integer.parseInt(field);
  }

  private static java.util.random.RandomGenerator seeded() {
    return new java.util.SplittableRandom(1);
  }

  private static Policy page() {
    return PolicyForm.of("maintenancePage", "<p>back at noon {{code}}");
  }

  private static String get(String field) {
    return "GET / HTTP/1.1\r\nHost: app.test\r\n" + field + "\r\n";
  }
}
