package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.Policy.Encoding;
import dev.holdfast.limits.MetricText;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Silence and life of event streams and WebSockets, by choice, and that they are counted apart. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class LongLifeTest {
  private static final String STREAM =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
  private static final String UPGRADE =
      "GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

  private static Backend streaming() throws IOException {
    return new Backend(wire -> {
      if (wire.head().contains("Upgrade: websocket")) {
        wire.send("HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      } else {
        wire.send(STREAM + "7\r\ndata: 1\r\n");
      }
      wire.rest();
    });
  }

  @ParameterizedTest
  @ValueSource(strings = {"identity", "gzip"})
  void endsAnEventStreamThatHasLivedLongEnoughLikeAWholeOne(String coding) throws IOException {
    try (var backend = streaming();
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      rig.policy(
          "app.test",
          PolicyForm.of("tunnelLifetimeMillis", 150L, "compression", List.of(Encoding.GZIP)));
      var asked = Rig.get("/").replace("\r\n\r\n", "\r\nAccept-Encoding: " + coding + "\r\n\r\n");
      for (int i = 1; i <= 2; i++) { // and the client's connection goes on
        var answer = wire.send(asked).message();
        assertThat(answer.head()).contains("text/event-stream").doesNotContain("close");
        if (coding.equals("identity")) {
          assertThat(answer.body()).isEqualTo("data: 1");
        }
        assertThat(rig.logged(i)).startsWith("at=info method=GET").contains("status=200");
      }
      assertThat(backend.connections).as("no stream is left behind").hasValue(2);
    }
  }

  @Test
  void endsAnEventStreamForAnOldClientByClosing() throws IOException {
    try (var backend = streaming();
        var rig = new Rig().app(backend)) {
      rig.policy("app.test", PolicyForm.of("tunnelLifetimeMillis", 100L));
      var answer = rig.ask(Rig.get("/").replace("HTTP/1.1", "HTTP/1.0"));
      assertThat(answer.body()).isEqualTo("data: 1");
    }
  }

  @Test
  void cutsAnEventStreamThatIsSilentForTooLong() throws IOException {
    try (var backend = streaming();
        var rig = new Rig(TestConfig.patient()).app(backend);
        var wire = rig.connect()) {
      rig.policy("app.test", PolicyForm.of("tunnelIdleMillis", 100L));
      assertThat(wire.send(Rig.get("/")).head()).contains("200 OK");
      assertThatThrownBy(wire::rest).isInstanceOf(IOException.class);
      assertThat(rig.logged(1)).contains("code=H15");
    }
  }

  @Test
  void cutsAWebSocketThatIsSilentForTooLong() throws IOException {
    try (var backend = streaming();
        var rig = new Rig(TestConfig.patient()).app(backend);
        var wire = rig.connect()) {
      rig.policy("app.test", PolicyForm.of("tunnelIdleMillis", 2000L));
      assertThat(wire.send(UPGRADE).head()).contains("101");
      for (int i = 0; i < 5; i++) {
        wire.send("x"); // whoever says something lives on
        pause(500);
      }
      assertThat(rig.log).isEmpty();
      assertThat(wire.rest()).isEmpty();
      assertThat(rig.logged(1)).contains("code=H15");
    }
  }

  private static void pause(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void leavesOrdinaryAnswersToTheirOwnPatience() throws IOException {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na");
              pause(200);
              wire.send("b");
            });
        var rig = new Rig().app(backend)) {
      rig.policy("app.test", PolicyForm.of("tunnelIdleMillis", 50L, "tunnelLifetimeMillis", 50L));
      assertThat(rig.ask(Rig.get("/")).body()).isEqualTo("ab");
    }
  }

  private static String metrics(Rig rig) {
    var out = new MetricText(MetricText.Form.PROMETHEUS);
    rig.edge.metrics().write(out);
    return new String(out.bytes(), UTF_8);
  }

  @Test
  void countsThemApart() throws IOException {
    try (var backend = streaming();
        var rig = new Rig().app(backend);
        var socket = rig.connect();
        var stream = rig.connect()) {
      assertThat(socket.send(UPGRADE).head()).contains("101");
      assertThat(stream.send(Rig.get("/")).head()).contains("200 OK");
      assertThat(metrics(rig))
          .contains("holdfast_edge_websockets{service=\"app\"} 1")
          .contains("holdfast_edge_event_streams{service=\"app\"} 1")
          .contains("holdfast_edge_upstream_connections{service=\"app\"} 2");
      socket.socket.close();
      stream.socket.setSoLinger(true, 0);
      stream.socket.close();
      Rig.until(() -> metrics(rig).contains("holdfast_edge_websockets{service=\"app\"} 0"));
      Rig.until(() -> metrics(rig).contains("holdfast_edge_event_streams{service=\"app\"} 0"));
      Rig.until(() -> metrics(rig).contains("upstream_connections{service=\"app\"} 0"));
    }
  }
}
