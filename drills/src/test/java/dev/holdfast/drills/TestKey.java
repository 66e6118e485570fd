package dev.holdfast.drills;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A self-signed certificate for localhost and its key, made by the JDK's keytool. Immutable. */
record TestKey(Path folder) {
  private static final String PASSWORD = "changeit";
  private static final int WAIT_SECONDS = 30;

  static TestKey make(Path folder) throws IOException, InterruptedException {
    keytool(
        "-genkeypair",
        "-alias",
        "key",
        "-keyalg",
        "EC",
        "-dname",
        "CN=localhost",
        "-ext",
        "san=dns:localhost",
        "-storepass",
        PASSWORD,
        "-keystore",
        folder.resolve("test.p12").toString());
    return new TestKey(folder);
  }

  static void keytool(String... arguments) throws IOException, InterruptedException {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(arguments));
    var process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    if (!process.waitFor(WAIT_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
      process.destroyForcibly();
      throw new IOException("keytool failed: " + command);
    }
  }

  KeyStore store() throws IOException {
    return store(folder.resolve("test.p12"));
  }

  static KeyStore store(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      var store = KeyStore.getInstance("PKCS12");
      store.load(in, PASSWORD.toCharArray());
      return store;
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  /** The certificate in PEM. */
  Path certificate() throws IOException {
    try {
      return pem("test.crt", "CERTIFICATE", store().getCertificate("key").getEncoded());
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  /** Its private key in PEM. */
  Path key() throws IOException {
    return pem("test.key", "PRIVATE KEY", key(store(), "key"));
  }

  static byte[] key(KeyStore store, String alias) throws IOException {
    try {
      return store.getKey(alias, PASSWORD.toCharArray()).getEncoded();
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  static String pem(String what, byte[] der) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(what, Base64.getMimeEncoder().encodeToString(der), what);
  }

  private Path pem(String name, String what, byte[] der) throws IOException {
    return Files.writeString(folder.resolve(name), pem(what, der));
  }

  /** TLS that shows this certificate and trusts no other. */
  SSLContext context() throws IOException {
    try {
      var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(store(), PASSWORD.toCharArray());
      var trusted = KeyStore.getInstance(KeyStore.getDefaultType());
      trusted.load(null, null);
      trusted.setCertificateEntry("key", store().getCertificate("key"));
      var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      var context = SSLContext.getInstance("TLS");
      context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }
}
