package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ledger.Endpoint.State;
import dev.holdfast.ledger.Policy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a policy does to the choice of an endpoint. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class EndpointPolicyTest {
  private static final Policy STICKY = PolicyForm.of("stickySessions", true);
  private static final int REQUESTS = 20;

  private static String asking(@Nullable String cookie) {
    var line = cookie == null ? "" : "Cookie: a=b; " + cookie + "; holdfast-sticky=x.y\r\n";
    return "GET / HTTP/1.1\r\nHost: app.test\r\n" + line + "\r\n";
  }

  /** The pair that the answer sets, or null. */
  private static @Nullable String pair(Wire.Message answer) {
    var set = answer.field("set-cookie");
    return set == null ? null : set.substring(0, set.indexOf(';'));
  }

  private static Rig rig(TestConfig config, List<Backend> backends) throws IOException {
    var rig =
        new Rig(config)
            .route("app.test", "app")
            .service("app", true, backends.size())
            .policy("app.test", STICKY);
    for (int i = 0; i < backends.size(); i++) {
      rig.endpoint("app", i, backends.get(i).port(), State.UP);
    }
    return rig;
  }

  @Test
  void bringsAVisitorBackToHisEndpoint() throws IOException {
    try (var one = Backend.answering(Backend.ok("0"));
        var two = Backend.answering(Backend.ok("1"));
        var three = Backend.answering(Backend.ok("2"));
        var rig = rig(new TestConfig(), List.of(one, two, three))) {
      var first = rig.ask(asking(null));
      assertThat(first.field("set-cookie"))
          .matches("holdfast-sticky=[\\w-]+\\.[\\w-]{22}; Path=/; HttpOnly; SameSite=Lax");
      for (int i = 0; i < REQUESTS; i++) {
        var next = rig.ask(asking(pair(first)));
        assertThat(next.body()).isEqualTo(first.body());
        assertThat(next.head()).doesNotContain("Set-Cookie");
      }
      var seen = new HashSet<String>();
      for (int i = 0; i < REQUESTS; i++) {
        seen.add(rig.ask(asking(null)).body());
      }
      assertThat(seen).as("where visitors without a cookie go").hasSizeGreaterThan(1);
      rig.policy("app.test", Policy.NONE);
      assertThat(rig.ask(asking(null)).head()).doesNotContain("Set-Cookie");
    }
  }

  @Test
  void believesNoCookieThatItDidNotMake() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = rig(new TestConfig(), List.of(backend))) {
      var real = String.valueOf(pair(rig.ask(asking(null))));
      var forged = real.substring(0, real.indexOf('.')) + ".AAAAAAAAAAAAAAAAAAAAAA";
      assertThat(pair(rig.ask(asking(forged)))).isEqualTo(real);
    }
  }

  @Test
  void findsAnotherEndpointWhenHisIsGone() throws IOException {
    try (var one = Backend.answering(Backend.ok("0"));
        var two = Backend.answering(Backend.ok("1"));
        var rig = rig(new TestConfig(), List.of(one, two))) {
      var first = rig.ask(asking(null));
      int his = Integer.parseInt(first.body());
      rig.endpoint("app", his, (his == 0 ? one : two).port(), State.DRAINING);
      var moved = rig.ask(asking(pair(first)));
      assertThat(moved.body()).isNotEqualTo(first.body());
      assertThat(pair(moved)).isNotNull().isNotEqualTo(pair(first));
      rig.endpoint("app", his, (his == 0 ? one : two).port(), State.UP);
      for (int i = 0; i < REQUESTS; i++) {
        assertThat(rig.ask(asking(pair(moved))).body()).isEqualTo(moved.body());
      }
    }
  }

  @Test
  void findsAnotherEndpointWhenHisIsInQuarantine() throws IOException {
    var ill = new AtomicInteger(-1);
    var backends = new ArrayList<Backend>();
    for (int i = 0; i < 2; i++) {
      int me = i;
      backends.add(
          new Backend(wire -> {
            while (!wire.head().isEmpty() && ill.get() != me) {
              wire.send(Backend.ok("" + me));
            }
          }));
    }
    try (var rig = rig(new TestConfig(), backends)) {
      var first = rig.ask(asking(null));
      int his = Integer.parseInt(first.body());
      ill.set(his);
      for (int i = 0; i < 3; i++) {
        assertThat(rig.ask(asking(pair(first)).replace("GET", "POST")).field("holdfast-error"))
            .isEqualTo("H13");
      }
      var moved = rig.ask(asking(pair(first)));
      assertThat(moved.body()).isEqualTo("" + (1 - his));
      assertThat(pair(moved)).isNotNull().isNotEqualTo(pair(first));
    } finally {
      for (var backend : backends) {
        backend.close();
      }
    }
  }

  @Test
  void goesElsewhereForOnceWhenHisEndpointIsFull() throws IOException {
    var go = new CountDownLatch(1);
    var backends = new ArrayList<Backend>();
    for (int i = 0; i < 2; i++) {
      int me = i;
      backends.add(
          new Backend(wire -> {
            for (var head = wire.head(); !head.isEmpty(); head = wire.head()) {
              await(head.contains("Wait"), go);
              wire.send(Backend.ok("" + me));
            }
          }));
    }
    try (var rig = rig(new TestConfig(), backends);
        var waiting = rig.connect()) {
      rig.policy("app.test", PolicyForm.of("stickySessions", true, "requestsPerEndpointMax", 1));
      var first = rig.ask(asking(null));
      waiting.send(asking(pair(first)).replace("Host", "Wait: 1\r\nHost"));
      Rig.until(() -> rig.edge.requests("app", "e" + first.body()) == 1);
      var other = rig.ask(asking(pair(first)));
      assertThat(other.body()).isNotEqualTo(first.body());
      assertThat(pair(other)).isNull();
      go.countDown();
      assertThat(waiting.message().body()).isEqualTo(first.body());
      assertThat(rig.ask(asking(pair(first))).body()).isEqualTo(first.body());
    } finally {
      for (var backend : backends) {
        backend.close();
      }
    }
  }

  private static void await(boolean waits, CountDownLatch go) throws IOException {
    try {
      if (waits && !go.await(Wire.PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
        throw new IOException("waited in vain");
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  @Test
  void setsASecureCookieOnASecureConnection() {
    var returning = new Returning(TlsKeys.NONE, List.of(new byte[48]));
    var target = new Target("app", "e1", "127.0.0.1", 1, false);
    var line = returning.line(target, new Returning.Token(), true);
    assertThat(line).asString().endsWith("; Path=/; HttpOnly; SameSite=Lax; Secure\r\n");
    var address = new Target("", "http://127.0.0.1:1", "127.0.0.1", 1, false);
    assertThat(returning.line(address, new Returning.Token(), true)).isNull();
  }

  @Test
  void connectsOnlySoOftenToOneEndpointTunnelsCounted() throws IOException {
    try (var backend =
            new Backend(wire -> {
              if (wire.head().contains("Upgrade")) {
                wire.send(
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                        + "Upgrade: websocket\r\n\r\n");
              }
              wire.rest();
            });
        var rig = new Rig().app(backend);
        var tunnel = rig.connect();
        var request = rig.connect()) {
      rig.policy("app.test", PolicyForm.of("connectionsPerEndpointMax", 2));
      tunnel.send(
          Rig.get("/")
              .replace("\r\n\r\n", "\r\nConnection: Upgrade\r\n" + "Upgrade: websocket\r\n\r\n"));
      assertThat(tunnel.head()).startsWith("HTTP/1.1 101");
      request.send(Rig.get("/"));
      Rig.until(() -> rig.edge.inFlight("app", "e1") == 2 && backend.connections.get() == 2);
      assertThat(rig.ask(Rig.get("/")).field("holdfast-error")).isEqualTo("H11");
      assertThat(backend.connections).hasValue(2);
    }
  }

  @Test
  void closesIdleConnectionsOfOtherEventLoopsToMakeRoom() throws IOException {
    var config = new TestConfig();
    config.upstreamIdleTimeout = java.time.Duration.ofSeconds(60);
    var open = new AtomicInteger();
    try (var backend =
            new Backend(wire -> {
              open.incrementAndGet();
              while (!wire.head().isEmpty()) {
                wire.send(Backend.ok("x"));
              }
              open.decrementAndGet();
            });
        var rig = new Rig(config).app(backend)) {
      rig.policy("app.test", PolicyForm.of("connectionsPerEndpointMax", 1));
      for (int i = 0; i < REQUESTS; i++) {
        assertThat(rig.ask(Rig.get("/")).status()).isEqualTo(200);
      }
      Rig.until(() -> open.get() == 1);
      assertThat(backend.connections).as("both event loops had a part").hasValueGreaterThan(1);
    }
  }
}
