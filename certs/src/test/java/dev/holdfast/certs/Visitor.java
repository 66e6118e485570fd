package dev.holdfast.certs;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.holdfast.edge.TlsIdentity;
import dev.holdfast.edge.TlsKeys;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.function.Supplier;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/** The two listeners that an authority visits, as small as they can be. */
final class Visitor implements AutoCloseable {
  private static final String PATH = "/.well-known/acme-challenge/";

  private final Supplier<TlsKeys> keys;
  private final HttpServer http;
  private final SSLServerSocket tls;

  Visitor(int httpPort, int tlsPort, Supplier<TlsKeys> keys)
      throws IOException, GeneralSecurityException {
    this.keys = keys;
    var loopback = InetAddress.getLoopbackAddress();
    http = HttpServer.create(new InetSocketAddress(loopback, httpPort), 0);
    http.createContext(PATH, this::answer);
    http.start();
    var context = SSLContext.getInstance("TLS");
    context.init(new KeyManager[] {new Challenges()}, null, null);
    tls = (SSLServerSocket) context.getServerSocketFactory().createServerSocket();
    tls.bind(new InetSocketAddress(loopback, tlsPort));
    var parameters = tls.getSSLParameters();
    parameters.setApplicationProtocols(new String[] {"acme-tls/1"});
    tls.setSSLParameters(parameters);
    Thread.ofVirtual().start(this::accept);
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      var host = exchange.getRequestHeaders().getFirst("Host").replaceFirst(":[0-9]+$", "");
      var token = exchange.getRequestURI().getPath().substring(PATH.length());
      var answer = keys.get().response(host, token);
      byte[] body = (answer == null ? "none" : answer).getBytes(UTF_8);
      exchange.sendResponseHeaders(answer == null ? 404 : 200, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  private void accept() {
    while (!tls.isClosed()) {
      try (var socket = (SSLSocket) tls.accept()) {
        socket.setSoTimeout(5_000);
        socket.startHandshake();
      } catch (IOException e) {
        // the visitor went away, or this is the end
      }
    }
  }

  /** Shows the certificate of the host's challenge, and nothing to anybody else. */
  private final class Challenges extends X509ExtendedKeyManager {
    private @Nullable TlsIdentity identity(@Nullable String host) {
      return host == null ? null : keys.get().challenge(host);
    }

    @Override
    public @Nullable String chooseServerAlias(
        String keyType, Principal @Nullable [] issuers, Socket socket) {
      var session = (ExtendedSSLSession) ((SSLSocket) socket).getHandshakeSession();
      for (var name : session.getRequestedServerNames()) {
        if (name instanceof SNIHostName host && keyType.startsWith("EC")) {
          return identity(host.getAsciiName()) == null ? null : host.getAsciiName();
        }
      }
      return null;
    }

    @Override
    public @Nullable String chooseEngineServerAlias(
        String keyType, Principal @Nullable [] issuers, SSLEngine engine) {
      return null;
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(String alias) {
      var identity = identity(alias);
      return identity == null ? null : identity.chain().toArray(X509Certificate[]::new);
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(String alias) {
      var identity = identity(alias);
      return identity == null ? null : identity.key();
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
      return null;
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
      return null;
    }

    @Override
    public @Nullable String chooseClientAlias(
        String[] keyType, Principal @Nullable [] issuers, Socket socket) {
      return null;
    }
  }

  @Override
  public void close() throws IOException {
    http.stop(0);
    tls.close();
  }
}
