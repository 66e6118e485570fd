package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class ProxyProtocolTest {
  private static final String V1 = "PROXY TCP4 203.0.113.9 198.51.100.1 51234 443\r\n";
  private static final String V2_SIGNATURE = "0d0a0d0a000d0a515549540a";

  private static FrontRig rig(List<String> proxies) throws IOException {
    var front = new TestFront();
    front.tls = true;
    front.proxyProtocol = true;
    front.tlsProxyProtocol = true;
    front.proxies = proxies;
    front.handshakeTimeout = Duration.ofMillis(1500);
    return new FrontRig(front);
  }

  private static String hex(String digits) {
    return new String(HexFormat.of().parseHex(digits), ISO_8859_1);
  }

  @Test
  void believesATrustedProxy() throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = rig(List.of("127.0.0.0/8")).app(backend);
        var wire = rig.plain()) {
      wire.send(V1 + Rig.get("/"));
      assertThat(wire.message().body()).isEqualTo("hello");
      assertThat(wire.send(Rig.get("/")).message().body()).isEqualTo("hello");
      assertThat(backend.heads)
          .hasSize(2)
          .allMatch(head -> head.contains("X-Forwarded-For: 203.0.113.9\r\n"))
          .allMatch(head -> head.contains("X-Forwarded-Port: 443\r\n"));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 20})
  void takesAHeaderInPieces(int size) throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = rig(List.of("127.0.0.1")).app(backend);
        var wire = rig.plain()) {
      for (int at = 0; at < V1.length(); at += size) {
        wire.send(V1.substring(at, Math.min(V1.length(), at + size)));
        Thread.sleep(2);
      }
      assertThat(wire.send(Rig.get("/")).message().body()).isEqualTo("hello");
      assertThat(backend.heads.getFirst()).contains("X-Forwarded-For: 203.0.113.9\r\n");
    }
  }

  @Test
  void readsTheBinaryVersion() throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = rig(List.of("127.0.0.1")).app(backend);
        var wire = rig.plain()) {
      // PROXY, TCP over IPv6, 36 bytes of addresses
      var addresses = "20010db8000000000000000000000001" + "20010db8000000000000000000000002";
      wire.send(hex(V2_SIGNATURE + "21" + "21" + "0024" + addresses + "c822" + "01bb"));
      assertThat(wire.send(Rig.get("/")).message().body()).isEqualTo("hello");
      assertThat(backend.heads.getFirst())
          .contains("X-Forwarded-For: 2001:db8:")
          .contains("X-Forwarded-Port: 443\r\n");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"PROXY UNKNOWN\r\n", "local"})
  void keepsThePeerWhenTheProxySpeaksForItself(String header) throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = rig(List.of("127.0.0.1")).app(backend);
        var wire = rig.plain()) {
      wire.send(header.equals("local") ? hex(V2_SIGNATURE + "20" + "00" + "0000") : header);
      assertThat(wire.send(Rig.get("/")).message().body()).isEqualTo("hello");
      assertThat(backend.heads.getFirst()).contains("X-Forwarded-For: 127.0.0.1\r\n");
    }
  }

  @Test
  void goesBeforeTls() throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = rig(List.of("127.0.0.1")).app(backend)) {
      var raw = new Socket(rig.tlsAddress().getAddress(), rig.tlsAddress().getPort());
      raw.setSoTimeout(Wire.PATIENCE_MILLIS);
      raw.getOutputStream().write(V1.getBytes(ISO_8859_1));
      var socket =
          (SSLSocket)
              Keys.trusting().getSocketFactory().createSocket(raw, "app.test", raw.getPort(), true);
      var parameters = socket.getSSLParameters();
      parameters.setServerNames(List.of(new SNIHostName("app.test")));
      socket.setSSLParameters(parameters);
      try (var wire = new Wire(socket)) {
        assertThat(wire.send(Rig.get("/")).message().body()).isEqualTo("hello");
      }
      assertThat(backend.heads.getFirst())
          .contains("X-Forwarded-For: 203.0.113.9\r\n")
          .contains("X-Forwarded-Proto: https\r\n");
    }
  }

  @Test
  void goesBeforeHttp2() throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = rig(List.of("127.0.0.1")).app(backend);
        var wire =
            new H2Wire(new Socket(rig.edge.address().getAddress(), rig.edge.address().getPort()))) {
      wire.raw(V1.getBytes(ISO_8859_1)).preface().frame(H2Wire.SETTINGS, 0, 0, H2Wire.NONE);
      assertThat(wire.get(1, "/").answer(1).body()).isEqualTo("hello");
      assertThat(backend.heads.getFirst()).contains("X-Forwarded-For: 203.0.113.9\r\n");
    }
  }

  @Test
  void takesNoHeaderFromStrangers() throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = rig(List.of("10.0.0.0/8")).app(backend);
        var wire = rig.plain()) {
      assertThat(wire.send(V1 + Rig.get("/")).message().status()).isEqualTo(400);
    }
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = rig(List.of("10.0.0.0/8")).app(backend);
        var wire = rig.plain()) {
      assertThat(wire.send(Rig.get("/")).message().status()).isEqualTo(200);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n",
        "PROXY TCP4 203.0.113.9\r\n",
        "PROXY TCP4 999.0.113.9 198.51.100.1 51234 443\r\n",
        "PROXY TCP4 203.0.113.9 198.51.100.1 51234 443",
        ""
      })
  void closesOnAProxyWithoutAProperHeader(String first) throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = rig(List.of("127.0.0.1")).app(backend);
        var wire = rig.plain()) {
      wire.send(first);
      assertThat(ended(wire)).isTrue();
      assertThat(backend.heads).isEmpty();
      Rig.until(() -> rig.edge.connections() == 0);
    }
  }

  private static boolean ended(Wire wire) {
    try {
      return wire.rest().isEmpty();
    } catch (java.net.SocketTimeoutException e) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }
}
