package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What admission does to requests on sockets; how it decides has tests of its own. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class AdmissionEffectTest {
  private static final int INITIAL = AdmissionConfig.defaults().app().initial();

  /** Opens that many requests that the app does not answer before the latch. */
  private static List<Wire> crowd(Rig rig, AtomicInteger seen, int count) throws IOException {
    var wires = new ArrayList<Wire>();
    for (int i = 0; i < count; i++) {
      wires.add(rig.connect().send(Rig.get("/" + i)));
    }
    Rig.until(() -> seen.get() == Math.min(count, INITIAL));
    return wires;
  }

  private static Backend waiting(AtomicInteger seen, CountDownLatch latch) throws IOException {
    return new Backend(wire -> {
      while (!wire.head().isEmpty()) {
        seen.incrementAndGet();
        try {
          latch.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
          throw new IOException(e);
        }
        wire.send(Backend.ok("served"));
      }
    });
  }

  private static TestConfig on() {
    var config = new TestConfig();
    config.eventLoops = 1;
    config.admission = AdmissionConfig.defaults().with(Limiter.CLIENT_SHARE, Limiter.Mode.OFF);
    return config;
  }

  @Test
  void letsSomeWaitForABusyAppAndRefusesTheRestWithH11() throws Exception {
    var seen = new AtomicInteger();
    var latch = new CountDownLatch(1);
    try (var backend = waiting(seen, latch);
        var rig = new Rig(on()).app(backend)) {
      var wires = crowd(rig, seen, INITIAL + 1);
      var late = wires.getLast();
      var refused = late.message(); // nobody answers within the second that it may wait
      assertThat(refused.status()).isEqualTo(503);
      assertThat(refused.field("holdfast-error")).isEqualTo("H11");
      assertThat(refused.field("retry-after")).matches("[123]");
      assertThat(refused.field("x-overload")).isEqualTo("no-retry");
      assertThat(seen).hasValue(INITIAL);
      latch.countDown();
      for (var wire : wires.subList(0, INITIAL)) {
        assertThat(wire.message().body()).isEqualTo("served");
        wire.close();
      }
      assertThat(late.send(Rig.get("/")).message().body()).isEqualTo("served");
      late.close();
    }
  }

  @Test
  void servesWhoWaitedWhenASlotIsFree() throws Exception {
    var seen = new AtomicInteger();
    var latch = new CountDownLatch(1);
    try (var backend = waiting(seen, latch);
        var rig = new Rig(on()).app(backend)) {
      var wires = crowd(rig, seen, INITIAL + 5);
      latch.countDown();
      for (var wire : wires) {
        assertThat(wire.message().body()).isEqualTo("served");
        wire.close();
      }
      assertThat(seen).hasValue(INITIAL + 5);
    }
  }

  @Test
  void forgetsWhoGoesWhileWaiting() throws Exception {
    var seen = new AtomicInteger();
    var latch = new CountDownLatch(1);
    try (var backend = waiting(seen, latch);
        var rig = new Rig(on()).app(backend)) {
      var wires = crowd(rig, seen, INITIAL + 1);
      wires
          .getLast()
          .socket
          .setSoLinger(true, 0); // a reset: half a close could be a client that listens
      wires.getLast().close();
      assertThat(rig.logged(1)).contains("code=H27").contains("dyno= connect=");
      latch.countDown();
      for (var wire : wires.subList(0, INITIAL)) {
        assertThat(wire.message().body()).isEqualTo("served");
        wire.close();
      }
      assertThat(seen).hasValue(INITIAL);
    }
  }

  @Test
  void aClientWhoWaitsForHisAnswersIsNeverRefused() throws Exception {
    var config = new TestConfig();
    config.admission = AdmissionConfig.defaults();
    int connections = 64;
    int each = 50;
    var good = new AtomicInteger();
    var done = new CountDownLatch(connections);
    try (var backend = Backend.answering(Backend.ok("served"));
        var rig = new Rig(config).app(backend)) {
      for (int i = 0; i < connections; i++) {
        Thread.ofVirtual()
            .start(() -> {
              try (var wire = rig.connect()) {
                for (int n = 0; n < each; n++) {
                  if (wire.send(Rig.get("/" + n)).message().status() == 200) {
                    good.incrementAndGet();
                  }
                }
              } catch (IOException e) {
                // counts as not good
              } finally {
                done.countDown();
              }
            });
      }
      assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
      assertThat(good)
          .as(() ->
              rig.log.stream().filter(line -> line.contains("at=error")).findFirst().orElse(""))
          .hasValue(connections * each);
    }
  }

  @Test
  void uploadsAndDownloadsThatWaitForTheirClientHoldNoSlot() throws Exception {
    var big = "x".repeat(4 << 20);
    var config = on();
    config.requestsPerEndpointMax = 2 * INITIAL + 10;
    try (var backend =
            new Backend(wire -> {
              var head = wire.head();
              wire.send(head.startsWith("GET /big") ? Backend.ok(big) : Backend.ok("served"));
              wire.rest();
            });
        var rig = new Rig(config).app(backend)) {
      var wires = new ArrayList<Wire>();
      for (int i = 0; i < INITIAL; i++) {
        var wire = rig.connect();
        wires.add(wire);
        wire.send(
            i % 2 == 0
                ? Rig.get("/big")
                : "POST /slow HTTP/1.1\r\nHost: app.test\r\nContent-Length: 9\r\n\r\nx");
      }
      Rig.until(() -> backend.connections.get() == INITIAL);
      assertThat(rig.ask(Rig.get("/")).body()).isEqualTo("served");
      for (var wire : wires) {
        wire.close();
      }
    }
  }

  @Test
  void onlyCountsWhenItObserves() throws Exception {
    var seen = new AtomicInteger();
    var latch = new CountDownLatch(1);
    var config = on();
    config.admission = AdmissionConfig.in(Limiter.Mode.OBSERVE);
    try (var backend = waiting(seen, latch);
        var rig = new Rig(config).app(backend)) {
      var wires = new ArrayList<Wire>();
      for (int i = 0; i < INITIAL + 3; i++) {
        wires.add(rig.connect().send(Rig.get("/" + i)));
      }
      Rig.until(() -> seen.get() == INITIAL + 3);
      latch.countDown();
      for (var wire : wires) {
        assertThat(wire.message().body()).isEqualTo("served");
        wire.close();
      }
    }
  }

  @Test
  void refusesWhatIsOverTheClientsRate() throws Exception {
    var config = new TestConfig();
    config.eventLoops = 1;
    config.admission =
        AdmissionConfig.defaults()
            .withAll(Limiter.Mode.OFF)
            .with(Limiter.CLIENT_RATE, Limiter.Mode.ENFORCE);
    int burst = config.admission.rate().clientBurst();
    try (var backend = Backend.answering(Backend.ok("served"));
        var rig = new Rig(config).app(backend);
        var wire = rig.connect()) {
      var last = wire.send(Rig.get("/")).message();
      for (int i = 0; i < 10 * burst && last.status() == 200; i++) {
        last = wire.send(Rig.get("/" + i)).message();
      }
      assertThat(last.status()).isEqualTo(429);
      assertThat(last.field("retry-after")).isEqualTo("1");
      assertThat(last.field("ratelimit-policy")).contains("q=").contains("w=");
      assertThat(last.field("ratelimit")).contains("r=").contains("t=");
    }
  }
}
