package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.limits.Keys;
import java.time.Instant;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Who causes the load is named: within ten seconds of a burst, by all that is known of it. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class LoadReportTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long LATE = Long.MAX_VALUE / 2;
  private static final int VISITORS = 200;

  @Test
  void namesTheClientOfABurstWithinTenSeconds() {
    long now = 0;
    var random = new SplittableRandom(7);
    var admission = new Admission(AdmissionConfig.defaults(), random, now);
    var lane = admission.lane(random, now);
    var names = admission.names;
    long client = key(names, "198.51.100.7");
    long route = key(names, "GET shop.test/search");
    long agent = key(names, "crawler/1.0");
    for (int second = 0; second < 60; second++) { // an ordinary minute before
      now = ordinarySecond(admission, lane, now);
    }
    assertThat(report(admission).clients().getFirst().name()).isNotEqualTo("198.51.100.7");
    int seconds = 0;
    while (!report(admission).clients().getFirst().name().equals("198.51.100.7")) {
      for (int i = 0; i < 5 * VISITORS; i++) {
        visit(lane, "shop", client, route, agent, now);
      }
      now = ordinarySecond(admission, lane, now);
      seconds++;
      assertThat(seconds).isLessThanOrEqualTo(10);
    }
    var found = report(admission);
    assertThat(found.apps().getFirst().name()).isEqualTo("shop");
    assertThat(found.routes().getFirst().name()).isEqualTo("GET shop.test/search");
    assertThat(found.agents().getFirst().name()).isEqualTo("crawler/1.0");
    assertThat(found.accounts().getFirst().name()).isEqualTo("shop");
    assertThat(found.clients().getFirst().percent()).isBetween(1, 100);
  }

  private static long key(Names names, String name) {
    long key = Keys.of(name);
    names.put(key, name);
    return key;
  }

  private static LoadReport report(Admission admission) {
    return LoadReport.of(admission.attribution());
  }

  /** Every visitor asks once, another app each, and the second ends. */
  private static long ordinarySecond(Admission admission, Lane lane, long now) {
    for (int i = 0; i < VISITORS; i++) {
      visit(lane, "app" + i % 20, i + 1, 1000 + i % 40, 2000 + i % 5, now);
    }
    long next = now + SECOND;
    lane.probe(0, next);
    var _ = admission.merge(next, Instant.EPOCH);
    return next;
  }

  private static void visit(Lane lane, String app, long client, long route, long agent, long now) {
    var gate = lane.app(app, app, 1, now);
    if (lane.admit(gate, client, Priority.LIVE, LATE, now) == Verdict.ADMITTED) {
      lane.finished(gate, client, route, agent, 1_000_000, 1024, now);
    } else {
      lane.turnedAway(gate, route, agent);
    }
  }

  @Test
  void namesRouteAgentAndAppOfRealRequests() throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = new Rig(new TestConfig()).app(backend)) {
      for (int i = 0; i < 20; i++) {
        try (var wire = rig.connect()) {
          wire.send(
              "GET /search/"
                  + i
                  + "?q=x HTTP/1.1\r\nHost: app.test\r\nUser-Agent: crawler/1.0\r\n\r\n");
          assertThat(wire.message().status()).isEqualTo(200);
        }
      }
      try (var wire = rig.connect()) {
        wire.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 0\r\n\r\n");
        assertThat(wire.message().status()).isEqualTo(200);
      }
      Rig.until(() -> rig.edge.load().routes().size() == 2);
      var found = rig.edge.load();
      assertThat(found.routes())
          .extracting(LoadReport.Cause::name)
          .containsExactlyInAnyOrder("GET app.test/search", "POST app.test/");
      assertThat(found.agents())
          .extracting(LoadReport.Cause::name)
          .containsExactlyInAnyOrder("crawler/1.0", "no User-Agent");
      assertThat(found.apps()).hasSize(1);
      assertThat(found.clients().getFirst().name()).isEqualTo("127.0.0.1");
      assertThat(found.summary()).contains("client 127.0.0.1");
    }
  }
}
