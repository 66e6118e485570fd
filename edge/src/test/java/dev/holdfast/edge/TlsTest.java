package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class TlsTest {
  private static final String TLS_12 = "TLSv1.2";
  private static final String TLS_13 = "TLSv1.3";
  private static final List<String> BOTH = List.of(TLS_13, TLS_12);
  private static final List<String> HTTP_11 = List.of("http/1.1");

  static Stream<Boolean> engines() {
    return Stream.of(true, false);
  }

  static Stream<Arguments> enginesAndVersions() {
    return Stream.of(true, false)
        .flatMap(boring -> BOTH.stream().map(version -> Arguments.of(boring, version)));
  }

  private static FrontRig rig(boolean boring) throws IOException {
    var front = new TestFront();
    front.tls = true;
    front.nativeTls = boring;
    return new FrontRig(front);
  }

  private static String subject(SSLSocket socket) throws SSLException {
    var certificate = (X509Certificate) socket.getSession().getPeerCertificates()[0];
    return certificate.getSubjectX500Principal().getName();
  }

  @Test
  void loadsBoringSslHere() {
    assertThat(io.netty.handler.ssl.OpenSsl.isAvailable()).isTrue();
  }

  @ParameterizedTest(name = "native {0} {1}")
  @MethodSource("enginesAndVersions")
  void servesRequestsOverTls(boolean boring, String version) throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = rig(boring).app(backend);
        var wire = rig.secure(version)) {
      for (int i = 0; i < 3; i++) {
        assertThat(wire.send(Rig.get("/")).message().body()).isEqualTo("hello");
      }
      assertThat(backend.heads.getFirst())
          .contains("X-Forwarded-Proto: https\r\n")
          .contains("X-Forwarded-Port: " + rig.tlsAddress().getPort() + "\r\n");
      assertThat(rig.logged(1))
          .contains("tls_version=" + (version.equals(TLS_13) ? "tls1.3" : "tls1.2"));
    }
  }

  @ParameterizedTest(name = "native {0} {1}")
  @MethodSource("enginesAndVersions")
  void answersAClientThatClosedItsSide(boolean boring, String version) throws Exception {
    var asked = new CountDownLatch(1);
    var go = new CountDownLatch(1);
    try (var backend =
            new Backend(wire -> {
              wire.head();
              asked.countDown();
              await(go);
              wire.send(Backend.ok("late"));
            });
        var rig = rig(boring).app(backend);
        var wire = rig.secure(version)) {
      wire.send(Rig.get("/"));
      wire.socket.shutdownOutput(); // close_notify
      assertThat(asked.await(5, TimeUnit.SECONDS)).isTrue();
      go.countDown();
      assertThat(wire.message().body()).isEqualTo("late");
    }
  }

  @ParameterizedTest(name = "native {0} {1}")
  @MethodSource("enginesAndVersions")
  void closesRegularlyAfterAWholeAnswer(boolean boring, String version) throws Exception {
    try (var backend = Backend.answering(Backend.ok("bye"));
        var rig = rig(boring).app(backend);
        var wire = rig.secure(version)) {
      wire.send("GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n");
      assertThat(wire.rest()).endsWith("bye"); // the JDK throws when close_notify is missing
    }
  }

  @ParameterizedTest(name = "native {0} {1}")
  @MethodSource("enginesAndVersions")
  void neverEndsACutAnswerRegularly(boolean boring, String version) throws Exception {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
            });
        var rig = rig(boring).app(backend);
        var wire = rig.secure(version)) {
      wire.send("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n");
      assertThatThrownBy(wire::rest).isInstanceOf(IOException.class);
      assertThat(rig.logged(1)).contains("code=H18");
    }
  }

  @ParameterizedTest(name = "native {0}")
  @MethodSource("engines")
  void makesTheAppWaitForASlowClient(boolean boring) throws Exception {
    int body = 32 * 1024 * 1024;
    var written = new AtomicLong();
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 200 OK\r\nContent-Length: " + body + "\r\n\r\n");
              var piece = new byte[16 * 1024];
              for (int sent = 0; sent < body; sent += piece.length) {
                wire.socket.getOutputStream().write(piece);
                written.addAndGet(piece.length);
              }
            });
        var rig = rig(boring).app(backend);
        var wire = rig.secure(TLS_13)) {
      wire.send(Rig.get("/"));
      assertThat(wire.head()).startsWith("HTTP/1.1 200");
      assertThat(settled(written)).isLessThan(24 * 1024 * 1024);
      wire.in.skipNBytes(body);
      assertThat(rig.logged(1)).contains("bytes=" + body);
    }
  }

  @ParameterizedTest(name = "native {0}")
  @MethodSource("engines")
  void makesTheClientWaitForASlowApp(boolean boring) throws Exception {
    int body = 32 * 1024 * 1024;
    var written = new AtomicLong();
    var go = new CountDownLatch(1);
    try (var backend =
            new Backend(wire -> {
              wire.head();
              await(go);
              wire.in.skipNBytes(body);
              wire.send(Backend.ok("thanks"));
            });
        var rig = rig(boring).app(backend);
        var wire = rig.secure(TLS_13)) {
      wire.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: " + body + "\r\n\r\n");
      var sender =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  var piece = new byte[16 * 1024];
                  for (int sent = 0; sent < body; sent += piece.length) {
                    wire.socket.getOutputStream().write(piece);
                    written.addAndGet(piece.length);
                  }
                } catch (IOException e) {
                  written.set(Long.MIN_VALUE);
                }
              });
      assertThat(settled(written)).isLessThan(24 * 1024 * 1024);
      go.countDown();
      assertThat(wire.message().body()).isEqualTo("thanks");
      sender.join();
    }
  }

  @Test
  void showsEachHostItsOwnCertificateAndNewOnesToTheNextHandshake() throws Exception {
    var front = new TestFront();
    front.tls = true;
    var keys = Keys.of("app.test", "other.test");
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = new FrontRig(new TestConfig(), front, keys).app(backend);
        var old = rig.secure(TLS_13)) {
      try (var other = rig.socket("OTHER.test", BOTH, HTTP_11)) {
        other.startHandshake();
        assertThat(subject(other)).isEqualTo("CN=other.test");
      }
      keys.identities.put("app.test", Keys.made("rsa.test"));
      try (var next = rig.socket("app.test", BOTH, HTTP_11)) {
        next.startHandshake();
        assertThat(subject(next)).isEqualTo("CN=rsa.test");
      }
      assertThat(old.send(Rig.get("/")).message().body()).isEqualTo("hello");
      try (var none = rig.socket(null, BOTH, HTTP_11)) {
        none.startHandshake();
        assertThat(subject(none)).isEqualTo("CN=app.test");
      }
    }
  }

  @ParameterizedTest(name = "native {0} {1}")
  @MethodSource("enginesAndVersions")
  void tellsWhoAsksForAnUnknownName(boolean boring, String version) throws Exception {
    try (var rig = rig(boring);
        var socket = rig.socket("unknown.test", List.of(version), HTTP_11)) {
      assertThatThrownBy(socket::startHandshake).hasMessageContaining("unrecognized_name");
    }
  }

  @Test
  void takesAnAddressForNoName() throws Exception {
    try (var rig = rig(true);
        var socket = rig.socket("127.0.0.1", BOTH, HTTP_11)) {
      socket.startHandshake();
      assertThat(subject(socket)).isEqualTo("CN=app.test");
    }
  }

  @Test
  void keepsNoMoreContextsThanConfigured() throws Exception {
    var front = new TestFront();
    front.tls = true;
    front.tlsContextsMax = 2;
    var keys = Keys.of("app.test", "other.test", "rsa.test");
    try (var rig = new FrontRig(new TestConfig(), front, keys)) {
      for (int round = 0; round < 3; round++) {
        for (var host : List.of("app.test", "other.test", "rsa.test")) {
          try (var socket = rig.socket(host, BOTH, HTTP_11)) {
            socket.startHandshake();
            assertThat(subject(socket)).isEqualTo("CN=" + host);
          }
        }
      }
    }
  }

  @ParameterizedTest(name = "native {0} {1}")
  @MethodSource("enginesAndVersions")
  void answersAChallengeByItsHandshakeAlone(boolean boring, String version) throws Exception {
    try (var rig = rig(boring)) {
      rig.keys.challenges.put("new.test", Keys.made("challenge.test"));
      try (var socket = rig.socket("new.test", List.of(version), List.of("acme-tls/1"))) {
        socket.startHandshake();
        assertThat(socket.getApplicationProtocol()).isEqualTo("acme-tls/1");
        assertThat(subject(socket)).isEqualTo("CN=challenge.test");
        assertThat(socket.getInputStream().read()).isEqualTo(-1);
      }
      try (var socket = rig.socket("app.test", List.of(version), List.of("acme-tls/1"))) {
        assertThatThrownBy(socket::startHandshake).hasMessageContaining("unrecognized_name");
      }
    }
  }

  /** In TLS 1.3 BoringSSL lets the client choose among ciphers that are equally strong and fast. */
  @ParameterizedTest(name = "native {0}")
  @MethodSource("engines")
  void choosesTheCipherItself(boolean boring) throws Exception {
    var offers =
        List.of(
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    try (var rig = rig(boring)) {
      assertThat(cipher(rig, offers)).isEqualTo(cipher(rig, offers.reversed()));
    }
  }

  private static String cipher(FrontRig rig, List<String> offers) throws IOException {
    try (var socket = rig.socket("app.test", List.of(TLS_12), HTTP_11)) {
      socket.setEnabledCipherSuites(offers.toArray(new String[0]));
      socket.startHandshake();
      return socket.getSession().getCipherSuite();
    }
  }

  @ParameterizedTest(name = "native {0}")
  @MethodSource("engines")
  void takesNoWeakCipher(boolean boring) throws Exception {
    try (var rig = rig(boring);
        var socket = rig.socket("app.test", List.of(TLS_12), HTTP_11)) {
      socket.setEnabledCipherSuites(new String[] {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"});
      assertThatThrownBy(socket::startHandshake).isInstanceOf(SSLException.class);
    }
  }

  @Test
  void resumesSessionsByTicketsUntilTheKeysAreGone() throws Exception {
    var front = new TestFront();
    front.tls = true;
    var keys = Keys.of("app.test");
    keys.tickets = List.of(key(1));
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = new FrontRig(new TestConfig(), front, keys).app(backend)) {
      var client = Keys.trusting();
      long first = session(rig, client);
      assertThat(session(rig, client)).isEqualTo(first);
      keys.tickets = List.of(key(2), key(1));
      assertThat(session(rig, client)).isEqualTo(first);
      keys.tickets = List.of(key(3));
      assertThat(session(rig, client)).isNotEqualTo(first);
    }
  }

  private static byte[] key(int fill) {
    var key = new byte[48];
    java.util.Arrays.fill(key, (byte) fill);
    return key;
  }

  /** When the session that this connection uses was created. */
  private static long session(FrontRig rig, javax.net.ssl.SSLContext client) throws Exception {
    try (var socket = rig.socket(client, "app.test", List.of(TLS_12), HTTP_11)) {
      socket.startHandshake();
      try (var wire = new Wire(socket)) {
        wire.send(Rig.get("/"));
        wire.message();
        Thread.sleep(2); // sessions are told apart by their time
        return socket.getSession().getCreationTime();
      }
    }
  }

  @Test
  void waitsForAHandshakeNoLongerThanConfigured() throws Exception {
    var front = new TestFront();
    front.tls = true;
    front.handshakeTimeout = Duration.ofMillis(200);
    try (var rig = new FrontRig(front);
        var wire = Wire.to(rig.tlsAddress())) {
      wire.send("\u0016\u0003\u0001");
      assertThat(wire.rest()).isEmpty();
    }
  }

  @Test
  void refusesAClientHelloThatIsTooLong() throws Exception {
    try (var rig = FrontRig.tls();
        var wire = Wire.to(rig.tlsAddress())) {
      // a record of 16 KiB that begins a ClientHello of 64 KiB
      wire.send(
          "\u0016\u0003\u0001@\u0000" + "\u0001\u0001\u0000\u0000" + "x".repeat(16 * 1024 - 4));
      assertThat(endOf(wire)).isTrue();
    }
  }

  @Test
  void closesOnWhoSpeaksNoTls() throws Exception {
    try (var rig = FrontRig.tls();
        var wire = Wire.to(rig.tlsAddress())) {
      wire.send(Rig.get("/"));
      assertThat(endOf(wire)).isTrue();
    }
  }

  private static boolean endOf(Wire wire) {
    try {
      var _ = wire.rest();
      return true;
    } catch (java.net.SocketTimeoutException e) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  @Test
  void survivesBrokenRecordsAfterTheHandshake() throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = FrontRig.tls().app(backend)) {
      var raw = new java.net.Socket(rig.tlsAddress().getAddress(), rig.tlsAddress().getPort());
      raw.setSoTimeout(Wire.PATIENCE_MILLIS);
      var socket =
          (SSLSocket)
              Keys.trusting().getSocketFactory().createSocket(raw, "app.test", raw.getPort(), true);
      socket.startHandshake();
      raw.getOutputStream().write("\u0017\u0003\u0003\u0000 ".getBytes(ISO_8859_1));
      raw.getOutputStream().write(new byte[32]);
      try (var wire = new Wire(raw)) {
        assertThat(endOf(wire)).isTrue();
      }
      try (var next = rig.secure(TLS_13)) {
        assertThat(next.send(Rig.get("/")).message().body()).isEqualTo("hello");
      }
    }
  }

  private static void await(CountDownLatch latch) throws IOException {
    try {
      if (!latch.await(8, TimeUnit.SECONDS)) {
        throw new IOException("waited in vain");
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private static long settled(AtomicLong count) throws InterruptedException {
    long last = -1;
    for (int still = 0; still < 8; ) {
      Thread.sleep(25);
      still = count.get() == last && last > 0 ? still + 1 : 0;
      last = count.get();
    }
    return last;
  }
}
