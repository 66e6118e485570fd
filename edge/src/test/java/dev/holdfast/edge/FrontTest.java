package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FrontTest {
  static Stream<Transport> transports() {
    return Stream.of(Transport.best(), Transport.nio());
  }

  @ParameterizedTest
  @MethodSource("transports")
  void tellsTheProtocolsApartOnOnePort(Transport transport) throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig =
            new FrontRig(new TestConfig(), new TestFront(), Keys.of("app.test"), transport)
                .app(backend);
        var one = rig.plain();
        var two = H2Wire.to(rig.edge.address())) {
      assertThat(one.send(Rig.get("/")).message().body()).isEqualTo("hello");
      assertThat(two.get(1, "/").answer(1).body()).isEqualTo("hello");
      assertThat(one.send(Rig.get("/")).message().body()).isEqualTo("hello");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"P", "PR", "PRI * HTTP/2.0\r\n\r\nS", "PUT", "GET / HTT"})
  void losesNothingOfWhatItLookedAt(String first) throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = new FrontRig(new TestFront()).app(backend);
        var wire = rig.plain()) {
      var whole =
          Stream.of("POST", "PROPFIND", "PRI * HTTP/2.0\r\n\r\nSX", "PUT", "GET / HTTP/1.1");
      var request = whole.filter(text -> text.startsWith(first)).findFirst().orElseThrow();
      wire.send(first);
      Thread.sleep(30); // so that it is read by itself; if not, the test still holds
      wire.send(request.substring(first.length()));
      if (request.startsWith("PRI ")) {
        assertThat(wire.message().status()).isEqualTo(505);
      } else {
        var rest = request.startsWith("GET") ? "" : " / HTTP/1.1";
        wire.send(rest + "\r\nHost: app.test\r\nContent-Length: 0\r\n\r\n");
        assertThat(wire.message().body()).isEqualTo("hello");
      }
    }
  }

  @Test
  void takesAPrefaceThatComesByteByByte() throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = new FrontRig(new TestFront()).app(backend);
        var wire =
            new H2Wire(new Socket(rig.edge.address().getAddress(), rig.edge.address().getPort()))) {
      for (var octet :
          "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII)) {
        wire.raw(new byte[] {octet});
        Thread.sleep(2);
      }
      wire.frame(H2Wire.SETTINGS, 0, 0, H2Wire.NONE);
      assertThat(wire.get(1, "/").answer(1).body()).isEqualTo("hello");
    }
  }

  @Test
  void answersWhoEndsWithinThePreface() throws Exception {
    try (var rig = new FrontRig(new TestFront());
        var wire = rig.plain()) {
      wire.send("PRI");
      wire.socket.shutdownOutput();
      assertThat(wire.rest()).isEmpty();
      Rig.until(() -> rig.edge.connections() == 0);
    }
  }

  @Test
  void leavesNothingBehindOnAPlainConnection() throws Exception {
    var config = new TestConfig();
    config.connectionsMax = 2;
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = new FrontRig(config, new TestFront(), Keys.of("app.test")).app(backend)) {
      for (int i = 0; i < 10; i++) {
        try (var wire = H2Wire.to(rig.edge.address())) {
          wire.next(H2Wire.SETTINGS);
        }
        try (var wire = rig.plain()) {
          assertThat(wire.send(Rig.get("/")).message().body()).isEqualTo("hello");
        }
        Rig.until(() -> rig.edge.connections() == 0);
      }
    }
  }

  @Test
  void speaksHttp2WithoutAlpnOverTls() throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = FrontRig.tls().app(backend)) {
      var versions = List.of("TLSv1.3", "TLSv1.2");
      try (var socket = rig.socket("app.test", versions, List.of());
          var wire = new H2Wire(socket)) {
        wire.preface().frame(H2Wire.SETTINGS, 0, 0, H2Wire.NONE);
        assertThat(wire.get(1, "/").answer(1).body()).isEqualTo("hello");
      }
      try (var socket = rig.socket("app.test", versions, List.of());
          var wire = new Wire(socket)) {
        assertThat(wire.send(Rig.get("/")).message().body()).isEqualTo("hello");
      }
    }
  }

  @Test
  void namesTheAddressWhereItCannotSpeakTls() throws Exception {
    try (var first = FrontRig.tls()) {
      var taken = FrontConfig.defaults().withTlsListen(first.tlsAddress());
      assertThatThrownBy(() ->
              Edge.start(
                  new TestConfig().build(),
                  taken,
                  TlsKeys.NONE,
                  () -> Rig.FOLD.start(),
                  () -> dev.holdfast.limits.RodView.NONE,
                  dev.holdfast.limits.Time.system(),
                  (_, _) -> {}))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("cannot listen at")
          .hasMessageContaining(String.valueOf(first.tlsAddress().getPort()));
    }
  }

  @Test
  void statesItsDefaults() {
    var config = FrontConfig.defaults();
    assertThat(config.tlsListen()).isNull();
    assertThat(config.proxyProtocol()).isFalse();
    assertThat(config.tlsProxyProtocol()).isFalse();
    assertThat(config.proxies()).isEmpty();
    assertThat(config.nativeTls()).isTrue();
    assertThat(config.handshakeTimeout()).hasSeconds(10);
    assertThat(config.clientHelloBytesMax()).isEqualTo(16 * 1024);
    assertThat(config.tlsContextsMax()).isEqualTo(1000);
    assertThat(config.tlsSessionsMax()).isEqualTo(1000);
    assertThat(config.tlsSessionLife()).hasHours(12);
    assertThat(config.streamsMax()).isEqualTo(100);
    assertThat(config.streamWindowBytes()).isEqualTo(256 * 1024);
    assertThat(config.connectionWindowBytes()).isEqualTo(1024 * 1024);
    assertThat(config.headerListBytesMax()).isEqualTo(128 * 1024);
    assertThat(config.resetsMax()).isEqualTo(200);
    assertThat(config.stillbornMax()).isEqualTo(50);
    assertThat(config.controlFramesMax()).isEqualTo(500);
    assertThat(config.floodWindow()).hasSeconds(30);
    assertThat(config.queuedFramesMax()).isEqualTo(1000);
    assertThat(config.emptyFramesMax()).isEqualTo(10);
    assertThat(config.continuationsMax()).isEqualTo(32);
    assertThat(config.upstreamStreamsMax()).isEqualTo(100);
    assertThat(config.upstreamLinksMax()).isEqualTo(8);
  }

  @Test
  void refusesProxiesThatAreNoAddresses() {
    assertThatThrownBy(() -> FrontConfig.defaults().withProxies(true, true, List.of("10.0.0.0/33")))
        .hasMessageContaining("proxies: 10.0.0.0/33");
    assertThatThrownBy(
            () -> FrontConfig.defaults().withProxies(true, true, List.of("example.test")))
        .hasMessageContaining("proxies: example.test");
    assertThat(new InetSocketAddress(FrontConfig.TLS_PORT).getPort()).isLessThan(32768);
  }

  @Test
  void knowsNetworks() throws Exception {
    var peers = Peers.of(List.of("10.1.0.0/16", "192.0.2.7", "2001:db8::/33"));
    assertThat(peers.holds(java.net.InetAddress.ofLiteral("10.1.255.3"))).isTrue();
    assertThat(peers.holds(java.net.InetAddress.ofLiteral("10.2.0.0"))).isFalse();
    assertThat(peers.holds(java.net.InetAddress.ofLiteral("192.0.2.7"))).isTrue();
    assertThat(peers.holds(java.net.InetAddress.ofLiteral("192.0.2.8"))).isFalse();
    assertThat(peers.holds(java.net.InetAddress.ofLiteral("2001:db8:7fff::1"))).isTrue();
    assertThat(peers.holds(java.net.InetAddress.ofLiteral("2001:db8:8000::1"))).isFalse();
    assertThat(peers.holds(null)).isFalse();
  }
}
