package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whose connection goes when there is no room for another. */
class QuietTest {
  private static Wire from(String address, Rig rig) throws IOException {
    var socket = new Socket();
    socket.bind(new InetSocketAddress(InetAddress.ofLiteral(address), 0));
    socket.connect(rig.edge.address());
    return new Wire(socket);
  }

  private static void close(List<Wire> wires) throws IOException {
    for (var wire : wires) {
      wire.close();
    }
  }

  private static TestConfig small() {
    var config = new TestConfig();
    config.connectionsMax = 30;
    config.eventLoops = 1;
    return config;
  }

  @Test
  void thousandsWhoSayNothingLoseTheirOwnAndVisitorsAreServed() throws IOException {
    try (var backend = Backend.answering(Backend.ok("served"));
        var rig = new Rig(small()).app(backend)) {
      var visitor = from("127.0.7.1", rig);
      assertThat(visitor.send(Rig.get("/")).message().body()).isEqualTo("served");
      var crowd = new ArrayList<Wire>();
      for (int i = 0; i < 100; i++) {
        crowd.add(from("127.0.8." + (1 + i % 4), rig));
      }
      for (int i = 0; i < 10; i++) {
        try (var newcomer = from("127.0.9." + (1 + i), rig)) {
          assertThat(newcomer.send(Rig.get("/")).message().body()).isEqualTo("served");
        }
      }
      assertThat(visitor.send(Rig.get("/")).message().body()).isEqualTo("served");
      assertThat(rig.edge.connections()).isBetween(20, 31);
      visitor.close();
      close(crowd);
    }
  }

  @Test
  void aHeadThatNeverEndsGivesWayToo() throws IOException {
    try (var backend = Backend.answering(Backend.ok("served"));
        var rig = new Rig(small()).app(backend)) {
      var crowd = new ArrayList<Wire>();
      for (int i = 0; i < 40; i++) {
        crowd.add(from("127.0.8.1", rig).send("GET / HTTP/1.1\r\nHost: app.test\r\n"));
      }
      try (var newcomer = from("127.0.9.1", rig)) {
        assertThat(newcomer.send(Rig.get("/")).message().body()).isEqualTo("served");
      }
      close(crowd);
    }
  }
}
