package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ledger.Endpoint;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When a connection to an app is used again, and when it must not be. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class PoolTest {
  private static TestConfig oneLoop() {
    var config = new TestConfig();
    config.eventLoops = 1; // each loop has a pool of its own
    return config;
  }

  /** Answers the first request of a connection and hangs up on the second without a word. */
  private static Backend fickle(AtomicInteger seen) throws IOException {
    return new Backend(wire -> {
      wire.message();
      seen.incrementAndGet();
      wire.send(Backend.ok("first"));
      if (!wire.head().isEmpty()) {
        seen.incrementAndGet();
      }
    });
  }

  @Test
  void asksAgainOnAFreshConnectionWhenThePooledOneWasStale() throws IOException {
    var seen = new AtomicInteger();
    try (var backend = fickle(seen);
        var rig = new Rig(oneLoop()).app(backend);
        var wire = rig.connect()) {
      assertThat(wire.send(Rig.get("/1")).message().body()).isEqualTo("first");
      assertThat(wire.send(Rig.get("/2")).message().body()).isEqualTo("first");
      assertThat(backend.connections).hasValue(2);
      Rig.until(() -> rig.log.size() == 2);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 0\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3\r\n\r\nabc"
      })
  void neverSendsTwiceWhatMayNotBeSentTwice(String request) throws IOException {
    var seen = new AtomicInteger();
    try (var backend = fickle(seen);
        var rig = new Rig(oneLoop()).app(backend);
        var wire = rig.connect()) {
      wire.send(Rig.get("/")).message();
      var answer = wire.send(request).message();
      assertThat(answer.status()).isEqualTo(503);
      assertThat(answer.field("holdfast-error")).isEqualTo("H13");
      assertThat(seen).hasValue(2);
    }
  }

  @Test
  void dropsAConnectionOnWhichSomethingUnaskedCame() throws IOException {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send(Backend.ok("mine") + Backend.ok("poison"));
              wire.rest();
            });
        var rig = new Rig(oneLoop()).app(backend);
        var wire = rig.connect()) {
      for (int i = 0; i < 3; i++) {
        assertThat(wire.send(Rig.get("/")).message().body()).isEqualTo("mine");
      }
      assertThat(backend.connections).hasValue(3);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"Connection: close", "Keep-Alive: timeout=1"})
  void doesNotKeepWhatTheAppWillClose(String header) throws IOException {
    try (var backend =
            Backend.answering("HTTP/1.1 200 OK\r\n" + header + "\r\nContent-Length: 1\r\n\r\nx");
        var rig = new Rig(oneLoop()).app(backend);
        var wire = rig.connect()) {
      wire.send(Rig.get("/")).message();
      wire.send(Rig.get("/")).message();
      assertThat(backend.connections).hasValue(2);
    }
  }

  @Test
  void closesWhatLiesIdleTooLong() throws IOException {
    var config = oneLoop();
    config.upstreamIdleTimeout = Duration.ofMillis(100);
    var ended = new AtomicInteger();
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send(Backend.ok("x"));
              wire.rest();
              ended.incrementAndGet();
            });
        var rig = new Rig(config).app(backend)) {
      rig.ask(Rig.get("/"));
      Rig.until(() -> ended.get() == 1);
    }
  }

  @Test
  void forgetsAnEndpointAndNeverMixesAppsAtOneAddress() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = new Rig(oneLoop()).app(backend);
        var wire = rig.connect()) {
      wire.send(Rig.get("/")).message();
      wire.send(Rig.get("/")).message();
      assertThat(backend.connections).hasValue(1);
      rig.edge.forget("app", "e1");
      wire.send(Rig.get("/")).message();
      assertThat(backend.connections).hasValue(2);
      rig.route("two.test", "two")
          .service("two", true, 1)
          .endpoint("two", 1, backend.port(), Endpoint.State.UP);
      wire.send("GET / HTTP/1.1\r\nHost: two.test\r\n\r\n").message();
      assertThat(backend.connections).hasValue(3);
    }
  }

  @Test
  void doesNotKeepAConnectionWhoseEndpointWasForgottenWhileItWasInUse() throws IOException {
    try (var backend =
            new Backend(wire -> {
              while (!wire.head().isEmpty()) {
                wire.in.read();
                wire.send(Backend.ok("x"));
              }
            });
        var rig = new Rig(oneLoop()).app(backend);
        var wire = rig.connect()) {
      for (int i = 1; i <= 2; i++) {
        wire.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1\r\n\r\n");
        Rig.until(() -> rig.edge.inFlight("app", "e1") == 1);
        rig.edge.forget("app", "e1");
        wire.send("y").message();
        assertThat(backend.connections).hasValue(i);
      }
    }
  }

  @Test
  void keepsTwoAppsApartUnderLoad() throws Exception {
    var wrong = new ConcurrentLinkedQueue<String>();
    try (var one = Backend.answering(Backend.ok("one"));
        var two = Backend.answering(Backend.ok("two"));
        var rig = new Rig().app(one)) {
      rig.route("two.test", "two")
          .service("two", true, 1)
          .endpoint("two", 1, two.port(), Endpoint.State.UP);
      var threads = new Thread[16];
      for (int t = 0; t < threads.length; t++) {
        int n = t;
        threads[t] =
            Thread.ofVirtual()
                .start(() -> {
                  try (var wire = rig.connect()) {
                    for (int i = 0; i < 100; i++) {
                      boolean first = (i + n) % 2 == 0;
                      var host = first ? "app.test" : "two.test";
                      wire.send("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
                      var body = wire.message().body();
                      if (!body.equals(first ? "one" : "two")) {
                        wrong.add(host + " got " + body);
                      }
                    }
                  } catch (IOException e) {
                    wrong.add(e.toString());
                  }
                });
      }
      for (var thread : threads) {
        thread.join();
      }
      assertThat(wrong).isEmpty();
      Rig.until(() -> rig.log.size() == 1600);
      assertThat(rig.edge.inFlight("app", "e1") + rig.edge.inFlight("two", "e1")).isZero();
    }
  }
}
