package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.SocketException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** What happens after a 101, and who gets there. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class TunnelTest {
  private static final String UPGRADE =
      "GET /ws HTTP/1.1\r\nHost: app.test\r\nConnection: keep-alive, Upgrade\r\n"
          + "Upgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n";
  private static final String SWITCHED =
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

  @Test
  void losesNoByteGluedToTheRequestOrTo101AndEndsOneDirectionAtATime() throws IOException {
    var head = new AtomicReference<String>("");
    try (var backend =
            new Backend(wire -> {
              head.set(wire.head());
              wire.send(SWITCHED + "glued-down");
              var up = wire.rest(); // the client's end passes through alone
              wire.send("got " + up);
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      wire.send(UPGRADE + "glued-up");
      var answer = wire.head();
      assertThat(answer).startsWith("HTTP/1.1 101").contains("Upgrade: websocket");
      assertThat(Wire.field(answer, "connection")).isEqualTo("Upgrade");
      assertThat(wire.bytes(10)).isEqualTo("glued-down");
      wire.send("+more");
      wire.socket.shutdownOutput();
      assertThat(wire.rest()).isEqualTo("got glued-up+more");
      assertThat(head.get()).contains("Connection: Upgrade\r\n", "Upgrade: websocket\r\n");
      assertThat(rig.logged(1)).contains("at=info", "status=101 bytes=27");
      assertThat(rig.edge.inFlight("app", "e1")).isZero();
    }
  }

  @Test
  void passesTheAppsEndOnAndKeepsTheOtherDirectionOpen() throws IOException {
    var got = new AtomicReference<String>("");
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send(SWITCHED);
              wire.socket.shutdownOutput();
              got.set(wire.rest());
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      wire.send(UPGRADE);
      wire.head();
      assertThat(wire.rest()).isEmpty();
      wire.send("still here");
      wire.socket.shutdownOutput();
      Rig.until(() -> got.get().equals("still here"));
    }
  }

  @Test
  void cutsATunnelInWhichNothingMoves() throws IOException {
    var config = new TestConfig();
    config.idleTimeout = Duration.ofMillis(250);
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send(SWITCHED);
              wire.rest();
            });
        var rig = new Rig(config).app(backend);
        var wire = rig.connect()) {
      wire.send(UPGRADE);
      wire.head();
      assertThat(wire.rest()).isEmpty();
      assertThat(rig.logged(1)).contains("code=H15", "status=101");
    }
  }

  @Test
  void passesAResetOnAsAReset() throws IOException {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send(SWITCHED);
              wire.in.read();
              wire.socket.setSoLinger(true, 0);
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      wire.send(UPGRADE);
      wire.head();
      wire.send("x");
      assertThatThrownBy(wire::rest).isInstanceOf(SocketException.class);
    }
  }

  @Test
  void neverUpgradesToH2c() throws IOException {
    try (var backend = Backend.answering(Backend.ok("plain"));
        var rig = new Rig().app(backend)) {
      var answer =
          rig.ask(
              "GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                  + "Upgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n");
      assertThat(answer.body()).isEqualTo("plain");
      assertThat(backend.heads.getFirst()).doesNotContain("pgrade", "HTTP2");
    }
  }

  @Test
  void goesOnWithHttpWhenTheAppDoesNotSwitch() throws IOException {
    try (var backend = Backend.answering(Backend.ok("no"));
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      wire.send(UPGRADE + Rig.get("/next"));
      assertThat(wire.message().body()).isEqualTo("no");
      assertThat(wire.message().body()).isEqualTo("no");
      assertThat(backend.heads.get(1)).startsWith("GET /next ");
    }
  }

  @Test
  void refusesAProtocolThatNobodyAskedFor() throws IOException {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n");
              wire.rest();
            });
        var rig = new Rig().app(backend)) {
      var answer = rig.ask(UPGRADE);
      assertThat(answer.status()).isEqualTo(502);
      assertThat(answer.field("holdfast-error")).isEqualTo("H17");
    }
  }
}
