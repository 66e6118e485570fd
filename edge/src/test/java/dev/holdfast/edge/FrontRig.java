package dev.holdfast.edge;

import dev.holdfast.ledger.Kind;
import dev.holdfast.ledger.Policy;
import dev.holdfast.ledger.Route;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/** An edge with a front; hosts lead to backends by address. */
final class FrontRig implements AutoCloseable {
  final List<String> log = new CopyOnWriteArrayList<>();
  final Keys keys;
  final Edge edge;
  private volatile Routing routing = Rig.FOLD.start();
  private long position;

  FrontRig(TestConfig config, TestFront front, Keys keys, Transport transport) throws IOException {
    this.keys = keys;
    edge =
        Edge.start(
            config.build(),
            front.build(),
            keys,
            () -> routing,
            Time.system(),
            (_, line) -> log.add(line),
            transport);
  }

  FrontRig(TestConfig config, TestFront front, Keys keys) throws IOException {
    this(config, front, keys, Transport.best());
  }

  FrontRig(TestFront front) throws IOException {
    this(new TestConfig(), front, Keys.of("app.test"));
  }

  static FrontRig tls() throws IOException {
    var front = new TestFront();
    front.tls = true;
    return new FrontRig(front);
  }

  /** Host {@code app.test} leads to that backend. */
  FrontRig app(Backend backend) {
    return route("app.test", backend.port());
  }

  FrontRig route(String host, int port) {
    put(Route.key(host), Route.KIND, Route.toAddress(host, "http://127.0.0.1:" + port));
    return this;
  }

  /** That host's app is spoken to in HTTP/2. */
  FrontRig http2(String host) {
    var policy =
        new Policy(
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            Policy.Upstream.H2C,
            null,
            null,
            null,
            null,
            null,
            null,
            null,
            null);
    put(Policy.hostKey(host), Policy.KIND, policy);
    return this;
  }

  private synchronized <T> void put(String key, Kind<T> kind, T value) {
    routing = Rig.FOLD.apply(routing, Rig.entry(++position, key, kind, value));
  }

  InetSocketAddress tlsAddress() {
    var address = edge.tlsAddress();
    if (address == null) {
      throw new AssertionError("no TLS listener");
    }
    return address;
  }

  Wire plain() throws IOException {
    return Wire.to(edge.address());
  }

  SSLSocket socket(@Nullable String host, List<String> versions, List<String> alpn)
      throws IOException {
    return socket(Keys.trusting(), host, versions, alpn); // with no session to resume
  }

  SSLSocket socket(
      SSLContext context, @Nullable String host, List<String> versions, List<String> alpn)
      throws IOException {
    var raw = new Socket(tlsAddress().getAddress(), tlsAddress().getPort());
    var socket =
        (SSLSocket)
            context.getSocketFactory().createSocket(raw, "127.0.0.1", tlsAddress().getPort(), true);
    socket.setSoTimeout(Wire.PATIENCE_MILLIS);
    var parameters = socket.getSSLParameters();
    parameters.setServerNames(host == null ? List.of() : List.of(new SNIHostName(host)));
    parameters.setApplicationProtocols(alpn.toArray(new String[0]));
    parameters.setProtocols(versions.toArray(new String[0]));
    socket.setSSLParameters(parameters);
    return socket;
  }

  /** A connection that has shaken hands, for {@code app.test} by HTTP/1.1. */
  Wire secure(String version) throws IOException {
    var socket = socket("app.test", List.of(version), List.of("http/1.1"));
    socket.startHandshake();
    return new Wire(socket);
  }

  String logged(int count) {
    Rig.until(() -> log.size() >= count);
    return log.get(count - 1);
  }

  @Override
  public void close() {
    edge.close();
    if (edge.buffersInUse() != 0) {
      throw new AssertionError(edge.buffersInUse() + " buffers were not given back");
    }
  }
}
