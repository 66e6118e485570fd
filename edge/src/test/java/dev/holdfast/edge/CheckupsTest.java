package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Policy;
import dev.holdfast.limits.ManualTime;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class CheckupsTest {
  private static final Duration STEP = Duration.ofMillis(100);
  private static final int ENDPOINTS = 4;

  private final ManualTime time = new ManualTime();
  private final Gauges gauges = new Gauges(time);
  private final RoutingFold fold = new RoutingFold();
  private final Set<String> ill = new HashSet<>();
  private final List<String> asked = new ArrayList<>();
  private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
  private Routing routing = fold.start();
  private boolean slow;
  private boolean broken;

  private Checkups checkups(CheckupConfig config) {
    return new Checkups(
        () -> routing,
        gauges,
        time,
        config,
        (target, host, path, _) -> {
          asked.add(target.id() + " " + host + path);
          if (broken) {
            throw new IllegalStateException("a defect of a probe");
          }
          return !ill.contains(target.id());
        },
        task -> {
          if (slow) {
            waiting.add(task);
          } else {
            task.run();
          }
        });
  }

  private static Policy health(@Nullable String path, @Nullable Long millis) {
    return new Policy(
        null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
        null, null, null, null, path, millis);
  }

  private void policy(@Nullable String path, @Nullable Long millis) {
    var entry = Rig.entry(9, Policy.serviceKey("app"), Policy.KIND, health(path, millis));
    routing = fold.apply(routing, entry);
  }

  private void app() {
    for (int i = 1; i <= ENDPOINTS; i++) {
      endpoint(i, Endpoint.State.UP);
    }
  }

  private void endpoint(int i, Endpoint.State state) {
    var endpoint = new Endpoint("app", "e" + i, "web." + i, "127.0.0.1", 1000 + i, "l", 1, state);
    routing = fold.apply(routing, Rig.entry(i, endpoint.key(), Endpoint.KIND, endpoint));
  }

  private Gauge gauge(int i) {
    return gauges.of(new Target("app", "e" + i, "127.0.0.1", 1000 + i, false));
  }

  private void pass(Checkups checkups, Duration in) {
    for (var done = Duration.ZERO; done.compareTo(in) < 0; done = done.plus(STEP)) {
      time.advance(STEP);
      checkups.look(time.nanos());
    }
  }

  @Test
  void asksEveryEndpointAtItsIntervalAndNotAtOneTime() {
    app();
    policy("/health", 2_000L);
    var checkups = checkups(CheckupConfig.defaults());
    checkups.look(time.nanos());
    assertThat(asked).hasSizeLessThan(ENDPOINTS);
    pass(checkups, Duration.ofSeconds(20));
    assertThat(asked).hasSizeBetween(8 * ENDPOINTS, 12 * ENDPOINTS);
    assertThat(asked).contains("e1 app.localhost/health", "e4 app.localhost/health");
    assertThat(checkups.sick()).isZero();
  }

  @Test
  void leavesOutWhoFailsThreeTimesAndTakesBackWhoPassesTwice() {
    app();
    policy("/health", 1_000L);
    var checkups = checkups(CheckupConfig.defaults());
    ill.add("e2");
    pass(checkups, Duration.ofMillis(1_500));
    assertThat(gauge(2).sick()).as("after one or two failures").isFalse();
    pass(checkups, Duration.ofSeconds(3));
    assertThat(gauge(2).sick()).isTrue();
    assertThat(gauge(1).sick()).isFalse();
    assertThat(checkups.sick()).isOne();
    gauges.sweep(routing);
    assertThat(gauge(2).sick()).isTrue();
    ill.clear();
    pass(checkups, Duration.ofMillis(3_500));
    assertThat(gauge(2).sick()).isFalse();
    assertThat(checkups.sick()).isZero();
  }

  @Test
  void forgetsWhatItKnewWhenNobodyWantsToKnow() {
    app();
    policy("/health", 1_000L);
    var checkups = checkups(CheckupConfig.defaults());
    ill.add("e2");
    pass(checkups, Duration.ofSeconds(6));
    assertThat(gauge(2).sick()).isTrue();
    policy(null, null);
    pass(checkups, STEP);
    assertThat(gauge(2).sick()).isFalse();
    assertThat(checkups.sick()).isZero();
    asked.clear();
    pass(checkups, Duration.ofSeconds(5));
    assertThat(asked).isEmpty();
  }

  @Test
  void asksNobodyThatTakesNoRequests() {
    app();
    endpoint(3, Endpoint.State.DRAINING);
    policy("/health", 1_000L);
    pass(checkups(CheckupConfig.defaults()), Duration.ofSeconds(5));
    assertThat(asked).noneMatch(question -> question.startsWith("e3"));
  }

  @Test
  void keepsItsBoundOfQuestionsUnderWay() {
    app();
    policy("/health", 1_000L);
    slow = true;
    var standard = CheckupConfig.defaults();
    var checkups = checkups(new CheckupConfig(standard.every(), standard.timeout(), 3, 2, 2, 3));
    pass(checkups, Duration.ofSeconds(10));
    assertThat(waiting).hasSize(2);
    while (!waiting.isEmpty()) {
      waiting.remove().run();
    }
    pass(checkups, Duration.ofSeconds(5));
    assertThat(waiting).hasSize(2);
    assertThat(new HashSet<>(asked)).as("at most three endpoints").hasSizeLessThanOrEqualTo(3);
  }

  @Test
  void aProbeThatBreaksGivesItsPlaceBack() {
    app();
    policy("/health", 1_000L);
    slow = true;
    broken = true;
    var standard = CheckupConfig.defaults();
    var checkups = checkups(new CheckupConfig(standard.every(), standard.timeout(), 3, 2, 2, 3));
    pass(checkups, Duration.ofSeconds(10));
    while (!waiting.isEmpty()) {
      assertThatThrownBy(waiting.remove()::run).isInstanceOf(IllegalStateException.class);
    }
    pass(checkups, Duration.ofSeconds(5));
    assertThat(waiting).hasSize(2);
  }

  @Test
  void aProbeTellsWellFromIll() throws IOException {
    var time = Duration.ofMillis(500);
    try (var well = Backend.answering(Backend.ok("fine"));
        var ill =
            Backend.answering("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
        var silent = new Backend(wire -> wire.in.read())) {
      assertThat(passes(at(well.port(), false), "app.test", "/health", time)).isTrue();
      assertThat(well.heads.getFirst()).startsWith("GET /health HTTP/1.1\r\nHost: app.test\r\n");
      assertThat(passes(at(ill.port(), false), "app.test", "/", time)).isFalse();
      assertThat(passes(at(silent.port(), false), "app.test", "/", time)).isFalse();
      assertThat(passes(at(well.port(), true), "app.test", "/", time)).isFalse();
    }
    assertThat(passes(at(1, false), "app.test", "/", time)).isFalse();
  }

  @Test
  void aProbeOfHttp2AsksForSettings() throws IOException {
    try (var rig = new FrontRig(new TestFront())) {
      var time = Duration.ofSeconds(2);
      assertThat(passes(at(rig.edge.address().getPort(), true), "app.test", "/", time)).isTrue();
    }
  }

  private static boolean passes(Target target, String host, String path, Duration timeout) {
    var gauge = new Gauge(target, 0);
    return Probe.passes(gauge, Proofs.of(Owners.NONE, Time.system()), host, path, timeout);
  }

  private static Target at(int port, boolean http2) {
    return new Target("app", "e1", "127.0.0.1", port, http2);
  }

  private static Backend broken(String body) throws IOException {
    return new Backend(wire -> {
      for (var head = wire.head(); !head.isEmpty(); head = wire.head()) {
        wire.send(
            head.startsWith("GET /health ")
                ? "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"
                : Backend.ok(body));
      }
    });
  }

  @Test
  void visitorsAreSentToWhoIsWell() throws IOException {
    try (var one = Backend.answering(Backend.ok("one"));
        var two = broken("two");
        var rig = new Rig().app(one)) {
      rig.endpoint("app", 2, two.port(), Endpoint.State.UP);
      rig.policy("app.test", health("/health", 1_000L));
      Rig.until(() -> rig.edge.sick() == 1);
      for (int i = 0; i < 20; i++) {
        assertThat(rig.ask(Rig.get("/")).body()).isEqualTo("one");
      }
    }
  }

  @Test
  void whoeverIsLeftIsUsedWhenNobodyIsWell() throws IOException {
    try (var only = broken("still here");
        var rig = new Rig().address("app.test", "http://127.0.0.1:" + only.port())) {
      rig.policy("app.test", health("/health", 1_000L));
      Rig.until(() -> rig.edge.sick() == 1);
      assertThat(rig.ask(Rig.get("/")).body()).isEqualTo("still here");
    }
  }
}
