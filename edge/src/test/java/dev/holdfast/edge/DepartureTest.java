package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** How connections that would not end by themselves are let go when the edge goes down. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class DepartureTest {
  private static final String UPGRADE =
      "GET /ws HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\n"
          + "Upgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n";
  private static final String SWITCHED =
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  private static final String RESTART = "\u0088\u0002\u0003\u00f4";

  private static TestConfig config(int perSecond) {
    var config = new TestConfig();
    config.drain = new EdgeConfig.Drain(perSecond, Duration.ofSeconds(20));
    return config;
  }

  /** An app that opens a tunnel, says this, and notes what its visitors said to the end. */
  private static Backend app(String greeting, List<String> heard) throws IOException {
    return new Backend(wire -> {
      wire.head();
      wire.send(SWITCHED + greeting);
      heard.add(wire.rest());
    });
  }

  @Test
  void aTunnelEndsWithCode1012BetweenTwoFramesAndItsClientsCloseReachesTheApp() throws IOException {
    var heard = new CopyOnWriteArrayList<String>();
    try (var backend = app("\u0081\u0002hi", heard);
        var rig = new Rig(config(100)).app(backend);
        var wire = rig.connect()) {
      wire.send(UPGRADE);
      wire.head();
      assertThat(wire.bytes(4)).isEqualTo("\u0081\u0002hi");
      var closing = Thread.ofVirtual().start(rig.edge::close);
      assertThat(wire.bytes(4)).isEqualTo(RESTART);
      wire.send("bye");
      wire.socket.shutdownOutput();
      assertThat(wire.rest()).isEmpty();
      Rig.until(() -> heard.contains("bye"));
      Rig.until(() -> !closing.isAlive());
    }
  }

  @Test
  void nothingIsPutIntoTheMiddleOfAFrame() throws IOException {
    var heard = new CopyOnWriteArrayList<String>();
    try (var backend = app("\u0081\u0009half", heard);
        var rig = new Rig(config(100)).app(backend);
        var wire = rig.connect()) {
      wire.send(UPGRADE);
      wire.head();
      assertThat(wire.bytes(6)).isEqualTo("\u0081\u0009half");
      rig.edge.close();
      assertThat(wire.rest()).isEmpty();
    }
  }

  @Test
  void tunnelsLeaveAtAPaceAndNotTogether() throws Exception {
    int tunnels = 40;
    var ends = new CopyOnWriteArrayList<Long>();
    try (var backend = app("", new CopyOnWriteArrayList<>());
        var rig = new Rig(config(20)).app(backend)) {
      var readers = new ArrayList<Thread>();
      for (int i = 0; i < tunnels; i++) {
        var wire = rig.connect().send(UPGRADE);
        wire.head();
        readers.add(
            Thread.ofVirtual()
                .start(() -> {
                  try (wire) {
                    if (wire.rest().equals(RESTART)) {
                      ends.add(System.nanoTime());
                    }
                  } catch (IOException e) {
                    // counts as not let go
                  }
                }));
      }
      long start = System.nanoTime();
      rig.edge.close();
      for (var reader : readers) {
        reader.join(Duration.ofSeconds(10));
      }
      assertThat(ends).hasSize(tunnels);
      long half = start + Duration.ofSeconds(1).toNanos();
      assertThat(ends.stream().filter(end -> end < half).count()).isBetween(1L, 30L);
      long took = System.nanoTime() - start;
      assertThat(took).isGreaterThan(Duration.ofMillis(1_200).toNanos());
    }
  }

  @Test
  void aLongDrainIsCutToItsBound() {
    var drain = new EdgeConfig.Drain(100, Duration.ofSeconds(3));
    assertThat(drain.nanos(200)).isEqualTo(Duration.ofSeconds(2).toNanos());
    assertThat(drain.nanos(8_000)).isEqualTo(Duration.ofSeconds(3).toNanos());
    assertThat(drain.nanos(0)).isZero();
  }
}
