package dev.holdfast.edge;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/** Certificates that the running JDK's keytool makes, and keys that a test sets. */
final class Keys implements TlsKeys {
  private static final char[] PASSWORD = "changeit".toCharArray();
  private static final Map<String, TlsIdentity> MADE = new ConcurrentHashMap<>();

  final Map<String, TlsIdentity> identities = new ConcurrentHashMap<>();
  final Map<String, TlsIdentity> challenges = new ConcurrentHashMap<>();
  final Map<String, String> responses = new ConcurrentHashMap<>();
  volatile List<byte[]> tickets = List.of();

  /** Serves these hosts, and the first of them when none is named. */
  static Keys of(String... hosts) {
    var keys = new Keys();
    for (var host : hosts) {
      keys.identities.put(host, made(host));
    }
    keys.identities.put("", made(hosts[0]));
    return keys;
  }

  /** The same instance for the same name, made once per run. */
  static TlsIdentity made(String name) {
    return MADE.computeIfAbsent(name, Keys::make);
  }

  private static TlsIdentity make(String name) {
    try {
      var store = Files.createTempFile("keys", ".p12");
      Files.delete(store);
      var keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
      boolean rsa = name.startsWith("rsa");
      var process =
          new ProcessBuilder(
                  keytool,
                  "-genkeypair",
                  "-alias",
                  "key",
                  "-keystore",
                  store.toString(),
                  "-storetype",
                  "PKCS12",
                  "-storepass",
                  new String(PASSWORD),
                  "-keyalg",
                  rsa ? "RSA" : "EC",
                  rsa ? "-keysize" : "-groupname",
                  rsa ? "2048" : "secp256r1",
                  "-validity",
                  "30",
                  "-dname",
                  "CN=" + name,
                  "-ext",
                  "san=dns:" + name + ",dns:localhost,ip:127.0.0.1")
              .redirectErrorStream(true)
              .start();
      var said =
          new String(
              process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
      if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new AssertionError("keytool: " + said);
      }
      var loaded = KeyStore.getInstance("PKCS12");
      try (InputStream in = Files.newInputStream(store)) {
        loaded.load(in, PASSWORD);
      }
      Files.delete(store);
      return new TlsIdentity(
          List.of((X509Certificate) loaded.getCertificate("key")),
          (PrivateKey) loaded.getKey("key", PASSWORD));
    } catch (IOException | GeneralSecurityException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public @Nullable TlsIdentity identity(String host) {
    return identities.get(host);
  }

  @Override
  public @Nullable TlsIdentity challenge(String host) {
    return challenges.get(host);
  }

  @Override
  public @Nullable String response(String host, String token) {
    return responses.get(host + " " + token);
  }

  @Override
  public List<byte[]> ticketKeys() {
    return tickets;
  }

  /** A client's TLS that believes everybody. */
  static SSLContext trusting() {
    try {
      var context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {new Everybody()}, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private static final class Everybody extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, java.net.Socket on) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, java.net.Socket on) {}

    @Override
    public void checkClientTrusted(
        X509Certificate[] chain, String type, javax.net.ssl.SSLEngine on) {}

    @Override
    public void checkServerTrusted(
        X509Certificate[] chain, String type, javax.net.ssl.SSLEngine on) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
