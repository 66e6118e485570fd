package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.ledger.Endpoint;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** Birth, end, and a real server behind. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class EdgeTest {

  @Test
  void saysWhatToDoWhenThePortIsTaken() throws IOException {
    try (var taken = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      var form = new TestConfig();
      form.listen = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), taken.getLocalPort());
      var config = form.build();
      assertThatThrownBy(() -> Edge.start(config, Routing::empty, Time.system(), (_, _) -> {}))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("127.0.0.1:" + taken.getLocalPort())
          .hasMessageContaining("expected: ");
    }
  }

  @Test
  void letsWhatIsUnderWayFinishWhenItCloses() throws Exception {
    var config = new TestConfig();
    config.drainWait = Duration.ofSeconds(8);
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.in.read();
              wire.send(Backend.ok("finished"));
            });
        var rig = new Rig(config).app(backend);
        var wire = rig.connect();
        var idle = rig.connect()) {
      wire.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1\r\n\r\n");
      Rig.until(() -> rig.edge.inFlight("app", "e1") == 1);
      var closing = Thread.ofVirtual().start(rig.edge::close);
      assertThat(idle.rest()).isEmpty();
      wire.send("x");
      var answer = wire.message();
      assertThat(answer.body()).isEqualTo("finished");
      assertThat(answer.field("connection")).isEqualTo("close");
      wire.socket.close();
      closing.join();
      assertThatThrownBy(rig::connect).isInstanceOf(IOException.class);
    }
  }

  @Test
  void cutsWhatDoesNotFinishWithH24() throws Exception {
    try (var backend = new Backend(Wire::rest);
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      wire.send(Rig.get("/"));
      Rig.until(() -> rig.edge.inFlight("app", "e1") == 1);
      rig.edge.close();
      assertThat(rig.logged(1)).contains("code=H24", "status= bytes=0");
    }
  }

  @Test
  void servesARealServersStreams() throws Exception {
    var server = HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 0);
    var executor = Executors.newVirtualThreadPerTaskExecutor();
    server.setExecutor(executor);
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          try (var body = exchange.getResponseBody()) {
            exchange.getRequestBody().transferTo(body);
          }
        });
    server.start();
    try (var rig = new Rig().route("app.test", "app").service("app", true, 1);
        var wire = rig.connect()) {
      rig.endpoint("app", 1, server.getAddress().getPort(), Endpoint.State.UP);
      var body = "0123456789abcdef".repeat(4096);
      for (int i = 0; i < 3; i++) {
        wire.send("POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int at = 0; at < body.length(); at += 4096) {
          wire.send("1000\r\n" + body.substring(at, at + 4096) + "\r\n");
        }
        wire.send("0\r\n\r\n");
        var answer = wire.message();
        if (answer.field("connection") != null) {
          assertThat(answer.status()).isEqualTo(200); // it answered before it had read everything
          break;
        }
        assertThat(answer.body().getBytes(StandardCharsets.ISO_8859_1)).hasSize(body.length());
      }
    } finally {
      server.stop(0);
      executor.close();
    }
  }

  @Test
  void hasTheDefaultsThatTheManualNames() {
    var config = EdgeConfig.defaults();
    assertThat(config.listen().getPort()).isEqualTo(8080);
    assertThat(config.connectTimeout()).isEqualTo(Duration.ofSeconds(5));
    assertThat(config.firstByteTimeout()).isEqualTo(Duration.ofSeconds(30));
    assertThat(config.idleTimeout()).isEqualTo(Duration.ofSeconds(55));
    assertThat(config.bootWait()).isEqualTo(Duration.ofSeconds(75));
    assertThat(config.clientIdleTimeout()).isEqualTo(Duration.ofSeconds(60));
    assertThat(config.upstreamIdleTimeout()).isEqualTo(Duration.ofSeconds(4));
    assertThat(config.connectTriesMax()).isEqualTo(10);
  }
}
