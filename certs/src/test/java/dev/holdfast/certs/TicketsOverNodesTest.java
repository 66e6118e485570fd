package dev.holdfast.certs;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.edge.Edge;
import dev.holdfast.edge.EdgeConfig;
import dev.holdfast.edge.FrontConfig;
import dev.holdfast.edge.Routing;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two edges over one ledger: a session that one of them began is gone on with at the other. */
class TicketsOverNodesTest {
  private static final int TIMEOUT_MILLIS = 10_000;

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void aSessionOfOneNodeIsGoneOnWithAtTheOther(String protocol) throws Exception {
    try (var rig = CertsRig.automatic()) {
      rig.certificates.tick();
      try (var second =
          new Certificates(
              rig.ledger,
              rig.config,
              () -> rig.routing,
              rig.authority,
              rig.time,
              "node-2",
              Runnable::run)) {
        second.open();
        second.tick();
        assertThat(second.ticketKeys()).hasSize(1);
        try (var here = edge(rig.certificates);
            var there = edge(second);
            var balancer = new Balancer(here)) {
          var client = client(protocol);
          long begun = session(client, balancer);
          assertThat(session(client, balancer)).as("the same node").isEqualTo(begun);
          balancer.edge = there;
          assertThat(session(client, balancer)).as("the other node").isEqualTo(begun);

          rig.pass(Duration.ofHours(13), Duration.ofMinutes(30));
          second.tick();
          assertThat(second.ticketKeys()).hasSize(2);
          assertThat(session(client, balancer)).as("after a rotation").isEqualTo(begun);
          assertThat(session(client(protocol), balancer)).as("a stranger").isNotEqualTo(begun);
        }
      }
    }
  }

  private static Edge edge(Certificates certificates) throws Exception {
    var any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    return Edge.start(
        EdgeConfig.of(EdgeConfig.Choices.defaults().at(any)),
        FrontConfig.defaults().withTlsListen(any),
        certificates,
        Routing::empty,
        () -> dev.holdfast.limits.RodView.NONE,
        dev.holdfast.limits.Time.system(),
        (_, _) -> {});
  }

  private static SSLContext client(String protocol) throws Exception {
    var context = SSLContext.getInstance(protocol);
    context.init(null, new TrustManager[] {new Anybody()}, null);
    return context;
  }

  /** When the session that this connection uses was begun. */
  private static long session(SSLContext client, Balancer balancer) throws Exception {
    try (var raw = new Socket(InetAddress.getLoopbackAddress(), balancer.listener.getLocalPort());
        var socket =
            (SSLSocket)
                client.getSocketFactory().createSocket(raw, "app.localhost", raw.getPort(), true)) {
      socket.setSoTimeout(TIMEOUT_MILLIS);
      socket.startHandshake();
      socket
          .getOutputStream()
          .write(
              "GET / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n"
                  .getBytes(US_ASCII));
      assertThat(socket.getInputStream().readAllBytes()).isNotEmpty(); // a ticket comes on the way
      Thread.sleep(2); // sessions are told apart by their time
      return socket.getSession().getCreationTime();
    }
  }

  /** One address for both nodes, since a client's sessions are with an address. */
  private static final class Balancer implements AutoCloseable {
    final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    volatile Edge edge;

    Balancer(Edge first) throws IOException {
      edge = first;
      Thread.ofVirtual().start(this::accept);
    }

    private void accept() {
      while (!listener.isClosed()) {
        try {
          var client = listener.accept();
          var at = Objects.requireNonNull(edge.tlsAddress());
          var node = new Socket(at.getAddress(), at.getPort());
          Thread.ofVirtual().start(() -> pass(client, node));
          Thread.ofVirtual().start(() -> pass(node, client));
        } catch (IOException e) {
          // closed
        }
      }
    }

    private static void pass(Socket from, Socket to) {
      try (to) {
        from.getInputStream().transferTo(to.getOutputStream());
      } catch (IOException e) {
        // one of them is gone
      }
    }

    @Override
    public void close() throws IOException {
      listener.close();
    }
  }

  /** The certificate is not what is tested. */
  private static final class Anybody implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
