package dev.holdfast.store;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;

/** A key for 127.0.0.1 and the certificate that it signed itself, made by the JDK's keytool. */
final class ServerKey {
  private static final char[] PASSWORD = "changeit".toCharArray();

  private ServerKey() {}

  static void write(Path key, Path certificate) throws IOException {
    var store = Files.createTempDirectory("key").resolve("key.p12");
    try {
      var made =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                  "-genkeypair",
                  "-alias",
                  "k",
                  "-keyalg",
                  "EC",
                  "-dname",
                  "CN=127.0.0.1",
                  "-ext",
                  "san=ip:127.0.0.1",
                  "-validity",
                  "2",
                  "-keystore",
                  store.toString(),
                  "-storepass",
                  new String(PASSWORD))
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      if (made.waitFor() != 0) {
        throw new IOException("keytool: " + made.exitValue());
      }
      var keys = KeyStore.getInstance("PKCS12");
      try (InputStream in = Files.newInputStream(store)) {
        keys.load(in, PASSWORD);
      }
      Files.createFile(
          key, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(key, pem("PRIVATE KEY", keys.getKey("k", PASSWORD).getEncoded()));
      Files.writeString(certificate, pem("CERTIFICATE", keys.getCertificate("k").getEncoded()));
    } catch (GeneralSecurityException | InterruptedException e) {
      throw new IOException(e);
    } finally {
      Files.deleteIfExists(store);
      Files.deleteIfExists(store.getParent());
    }
  }

  private static String pem(String what, byte[] bytes) {
    return "-----BEGIN %s-----%n%s%n-----END %s-----%n"
        .formatted(what, Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes), what);
  }
}
