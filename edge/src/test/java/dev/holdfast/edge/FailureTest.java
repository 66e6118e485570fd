package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.Endpoint;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every way in which an app or a client can fail, and the code that it is given. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class FailureTest {
  private static final Duration SHORT = Duration.ofMillis(250);

  private static int closedPort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      return socket.getLocalPort();
    }
  }

  private static String code(Wire wire) throws IOException {
    return String.valueOf(wire.message().field("holdfast-error"));
  }

  private static Backend saying(String response) throws IOException {
    return new Backend(wire -> {
      wire.head();
      wire.send(response);
    });
  }

  static Stream<Arguments> responses() {
    return Stream.of(
        Arguments.of("garbage", 502, "H17", "hello world\r\n"),
        Arguments.of("0.9", 502, "H17", "<html>"),
        Arguments.of("version 2", 502, "H17", "HTTP/2.0 200 OK\r\n\r\n"),
        Arguments.of("bad status", 502, "H17", "HTTP/1.1 2x0 OK\r\n\r\n"),
        Arguments.of("four digits", 502, "H17", "HTTP/1.1 2000 OK\r\n\r\n"),
        Arguments.of("status 099", 502, "H17", "HTTP/1.1 099 OK\r\n\r\n"),
        Arguments.of("bare LF", 502, "H17", "HTTP/1.1 200 OK\n\n"),
        Arguments.of("no colon", 502, "H17", "HTTP/1.1 200 OK\r\nx\r\n\r\n"),
        Arguments.of("fold", 502, "H17", "HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n"),
        Arguments.of("NUL", 502, "H17", "HTTP/1.1 200 OK\r\na: \0\r\n\r\n"),
        Arguments.of("unasked 101", 502, "H17", "HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n"),
        Arguments.of("coding", 502, "H17", "HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\n"),
        Arguments.of(
            "two lengths",
            502,
            "H25",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        Arguments.of(
            "length and chunks",
            502,
            "H25",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        Arguments.of(
            "cookie",
            502,
            "H25",
            "HTTP/1.1 200 OK\r\nSet-Cookie: " + "a".repeat(8193) + "\r\n\r\n"),
        Arguments.of("status line", 502, "H25", "HTTP/1.1 200 " + "a".repeat(9000) + "\r\n\r\n"),
        Arguments.of("head cut", 503, "H18", "HTTP/1.1 200 OK\r\nA: b"),
        Arguments.of("nothing", 503, "H13", ""));
  }

  @ParameterizedTest(name = "{0}: {2}")
  @MethodSource("responses")
  void answersForABadResponse(String name, int status, String code, String response)
      throws IOException {
    try (var backend = saying(response);
        var rig = new Rig().app(backend)) {
      var answer = rig.ask(Rig.get("/"));
      assertThat(answer.status()).as(name).isEqualTo(status);
      assertThat(answer.field("holdfast-error")).isEqualTo(code);
      assertThat(rig.logged(1)).contains("code=" + code, "status=" + status, "dyno=web.1");
    }
  }

  static Stream<Arguments> cuts() {
    return Stream.of(
        Arguments.of("length", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
        Arguments.of("chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"),
        Arguments.of(
            "chunk end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cuts")
  void neverEndsACutBodyCleanly(String name, String response) throws IOException {
    try (var backend = saying(response);
        var rig = new Rig().app(backend);
        var modern = rig.connect();
        var old = rig.connect()) {
      modern.send(Rig.get("/"));
      assertThatThrownBy(modern::rest).as(name).isInstanceOf(SocketException.class);
      old.send("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n");
      assertThatThrownBy(old::rest).as(name).isInstanceOf(SocketException.class);
      assertThat(rig.logged(1)).startsWith("sock=backend at=error code=H18").contains("status=200");
    }
  }

  @Test
  void resetsWhenACloseDelimitedBodyEndsWithAReset() throws IOException {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 200 OK\r\n\r\nabc");
              wire.in.read(); // until the test says go on
              wire.socket.setSoLinger(true, 0);
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      wire.send("POST / HTTP/1.0\r\nHost: app.test\r\nContent-Length: 1\r\n\r\n");
      wire.head();
      assertThat(wire.bytes(3)).isEqualTo("abc");
      wire.send("x");
      assertThatThrownBy(wire::rest).isInstanceOf(SocketException.class);
      assertThat(rig.logged(1)).contains("code=H18");
    }
  }

  @Test
  void givesAnAppThatThinksTooLongH12() throws IOException {
    var config = new TestConfig();
    config.firstByteTimeout = SHORT;
    try (var backend = new Backend(Wire::rest);
        var rig = new Rig(config).app(backend)) {
      assertThat(rig.ask(Rig.get("/")).status()).isEqualTo(503);
      assertThat(rig.logged(1)).contains("at=error code=H12 desc=\"Request timeout\"");
    }
  }

  @Test
  void givesAResponseThatFallsSilentH15() throws IOException {
    var config = new TestConfig();
    config.idleTimeout = SHORT;
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
              wire.rest();
            });
        var rig = new Rig(config).app(backend);
        var wire = rig.connect()) {
      wire.send(Rig.get("/"));
      assertThatThrownBy(wire::rest).isInstanceOf(SocketException.class);
      assertThat(rig.logged(1)).contains("code=H15", "status=200 bytes=3");
    }
  }

  @Test
  void givesAClientThatDoesNotFinishItsRequestH28() throws IOException {
    var config = new TestConfig();
    config.idleTimeout = SHORT;
    try (var backend = new Backend(Wire::rest);
        var rig = new Rig(config).app(backend)) {
      assertThat(rig.ask("GET / HTTP/1.1\r\nHost: app.te").status()).isEqualTo(408);
      assertThat(rig.logged(1))
          .startsWith("sock=client at=warning code=H28")
          .contains("status=499");
      var half = rig.ask("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 9\r\n\r\nabc");
      assertThat(half.status()).isEqualTo(408);
      assertThat(rig.logged(2)).startsWith("sock=client at=warning code=H28");
    }
  }

  @Test
  void closesTheAppsConnectionAtOnceWhenTheClientIsGone() throws Exception {
    var gone = new CountDownLatch(1);
    try (var backend =
            new Backend(wire -> {
              wire.head();
              assertThat(wire.rest()).isEmpty();
              gone.countDown();
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      wire.send(Rig.get("/"));
      Rig.until(() -> rig.edge.inFlight("app", "e1") == 1);
      wire.socket.setSoLinger(true, 0);
      wire.socket.close();
      assertThat(gone.await(10, java.util.concurrent.TimeUnit.SECONDS)).isTrue();
      assertThat(rig.logged(1))
          .startsWith("sock=client at=warning code=H27")
          .contains("status=499");
      Rig.until(() -> rig.edge.inFlight("app", "e1") == 0);
    }
  }

  @Test
  void triesOtherEndpointsAndAvoidsTheOneThatRefused() throws IOException {
    try (var backend = Backend.answering(Backend.ok("up"));
        var rig = new Rig().app(backend)) {
      rig.endpoint("app", 2, closedPort(), Endpoint.State.UP);
      for (int i = 0; i < 30; i++) {
        assertThat(rig.ask(Rig.get("/")).body()).isEqualTo("up");
      }
    }
  }

  @Test
  void givesUpWithH21WhenEveryEndpointRefuses() throws IOException {
    try (var rig =
        new Rig()
            .route("app.test", "app")
            .service("app", true, 2)
            .endpoint("app", 1, closedPort(), Endpoint.State.UP)
            .endpoint("app", 2, closedPort(), Endpoint.State.UP)) {
      var answer = rig.ask(Rig.get("/"));
      assertThat(answer.status()).isEqualTo(503);
      assertThat(answer.field("retry-after")).isNotNull();
      assertThat(answer.body()).doesNotContain("127.0.0.1");
      assertThat(rig.logged(1)).contains("code=H21");
      assertThat(rig.edge.inFlight("app", "e1") + rig.edge.inFlight("app", "e2")).isZero();
    }
  }

  @Test
  void givesAConnectThatIsNotAnsweredH19() throws IOException {
    var config = new TestConfig();
    config.connectTimeout = SHORT;
    var fillers = new ArrayList<Socket>();
    try (var full = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"));
        var rig = new Rig(config)) {
      for (int i = 0; i < 3; i++) { // a full backlog drops what comes next
        var filler = new Socket();
        fillers.add(filler);
        try {
          filler.connect(full.getLocalSocketAddress(), 200);
        } catch (IOException e) {
          break;
        }
      }
      rig.address("app.test", "http://127.0.0.1:" + full.getLocalPort());
      assertThat(rig.ask(Rig.get("/")).status()).isEqualTo(503);
      assertThat(rig.logged(1)).contains("code=H19");
    } finally {
      for (var filler : fillers) {
        filler.close();
      }
    }
  }

  @Test
  void tellsBlankScaledDownAndCrashedAppsApart() throws IOException {
    var config = new TestConfig();
    config.eventLoops = 1; // lines of several loops come in no order
    try (var rig = new Rig(config).route("app.test", "app")) {
      assertThat(rig.ask(Rig.get("/")).field("holdfast-error")).isEqualTo("H81");
      rig.service("app", false, 1);
      assertThat(rig.ask(Rig.get("/")).field("holdfast-error")).isEqualTo("H81");
      rig.service("app", true, 0);
      assertThat(rig.ask(Rig.get("/")).field("holdfast-error")).isEqualTo("H14");
      rig.service("app", true, 1).endpoint("app", 1, 9, Endpoint.State.CRASHED);
      assertThat(rig.ask(Rig.get("/")).field("holdfast-error")).isEqualTo("H10");
      rig.logged(4);
      assertThat(rig.log)
          .satisfiesExactly(
              line -> assertThat(line).startsWith("at=info code=H81 desc=\"Blank app\""),
              line -> assertThat(line).startsWith("at=info code=H81"),
              line -> assertThat(line).startsWith("at=error code=H14"),
              line -> assertThat(line).startsWith("at=error code=H10 desc=\"App crashed\""));
    }
  }

  @Test
  void holdsRequestsUntilTheAppIsUp() throws IOException {
    try (var backend = Backend.answering(Backend.ok("booted"));
        var rig = new Rig().route("app.test", "app").service("app", true, 1);
        var wire = rig.connect()) {
      rig.endpoint("app", 1, backend.port(), Endpoint.State.STARTING);
      wire.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3\r\n\r\nabc");
      assertThat(rig.log).isEmpty();
      rig.endpoint("app", 1, backend.port(), Endpoint.State.UP);
      assertThat(wire.message().body()).isEqualTo("booted");
      assertThat(backend.heads.getFirst()).endsWith("abc");
    }
  }

  @Test
  void givesABootThatTakesTooLongH20AndTooManyWhoWaitH11() throws IOException {
    var config = new TestConfig();
    config.bootWait = Duration.ofMillis(600);
    config.waitingMax = 1;
    try (var rig = new Rig(config).route("app.test", "app").service("app", true, 1);
        var first = rig.connect();
        var second = rig.connect()) {
      rig.endpoint("app", 1, 9, Endpoint.State.STARTING);
      first.send(Rig.get("/"));
      second.send(Rig.get("/"));
      assertThat(List.of(code(first), code(second))).containsExactlyInAnyOrder("H20", "H11");
    }
  }

  @Test
  void refusesMoreThanAnEndpointMayCarryWithH11() throws IOException {
    var config = new TestConfig();
    config.requestsPerEndpointMax = 1;
    try (var backend = new Backend(Wire::rest);
        var rig = new Rig(config).app(backend);
        var busy = rig.connect()) {
      busy.send(Rig.get("/"));
      Rig.until(() -> rig.edge.inFlight("app", "e1") == 1);
      assertThat(rig.ask(Rig.get("/")).field("holdfast-error")).isEqualTo("H11");
    }
  }

  @Test
  void refusesMoreConnectionsThanItMayHoldWithH22() throws IOException {
    var config = new TestConfig();
    config.connectionsMax = 1;
    var latch = new CountDownLatch(1);
    try (var backend =
            new Backend(wire -> {
              wire.head();
              try {
                latch.await(10, TimeUnit.SECONDS);
              } catch (InterruptedException e) {
                throw new IOException(e);
              }
              wire.send(Backend.ok("x"));
            });
        var rig = new Rig(config).app(backend);
        var first = rig.connect()) {
      first.send(Rig.get("/")); // one that is busy makes no room
      Rig.until(() -> rig.edge.inFlight("app", "e1") == 1);
      try (var second = rig.connect()) {
        assertThat(second.message().field("holdfast-error")).isEqualTo("H22");
      }
      latch.countDown();
      assertThat(first.message().status()).isEqualTo(200);
    }
  }

  @Test
  void cutsARouteThatLeadsBackToItself() throws IOException {
    try (var rig = new Rig()) {
      rig.address("app.test", "http://127.0.0.1:" + rig.edge.address().getPort());
      assertThat(rig.ask(Rig.get("/")).status()).isEqualTo(508);
      Rig.until(() -> rig.log.size() == Heads.PASSES_MAX + 1);
    }
  }

  @Test
  void takesNoMoreAfterABadChunkAndForgetsTheApp() throws IOException {
    try (var backend = new Backend(Wire::rest);
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      wire.send(
          "POST / HTTP/1.1\r\n"
              + "Host: app.test\r\n"
              + "Transfer-Encoding: chunked\r\n\r\n"
              + "3\r\n"
              + "abc\r\n"
              + "x\r\n");
      assertThat(wire.message().status()).isEqualTo(400);
      assertThat(rig.logged(1)).contains("code=H26", "cause=\"bad chunk\"", "status=400");
    }
  }
}
