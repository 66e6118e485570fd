package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.holdfast.edge.TlsIdentity;
import dev.holdfast.edge.TlsKeys;
import dev.holdfast.limits.Check;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Certificates and keys of an edge in a process of its own, from files that the operator puts
 * there. Read once, at the start. Immutable.
 */
final class LocalKeys implements TlsKeys {
  private static final String CHAIN = ".crt";
  private static final String KEY = ".key";
  private static final String BELOW = "_.";
  private static final int FILE_BYTES_MAX = 256 * 1024;
  private static final int HOSTS_MAX = 100_000;

  private final Map<String, TlsIdentity> byHost;

  private LocalKeys(Map<String, TlsIdentity> byHost) {
    this.byHost = Map.copyOf(byHost);
  }

  /**
   * Everything in the directory.
   *
   * @throws IOException when it cannot be read
   * @throws IllegalArgumentException naming the file that is no certificate or key
   */
  static LocalKeys read(Path directory) throws IOException {
    Check.that(
        Files.isDirectory(directory), Roles.EDGE_KEYS.name(), directory, "a directory that exists");
    var byHost = new HashMap<String, TlsIdentity>();
    try (var files = Files.list(directory)) {
      for (var file : files.limit(HOSTS_MAX).toList()) {
        var name = String.valueOf(file.getFileName());
        if (name.endsWith(CHAIN)) {
          var host = name.substring(0, name.length() - CHAIN.length());
          var key = key(file.resolveSibling(host + KEY));
          byHost.put(host.toLowerCase(Locale.ROOT), new TlsIdentity(chain(file), key));
        }
      }
    }
    Check.that(
        !byHost.isEmpty(),
        Roles.EDGE_KEYS.name(),
        directory,
        "a directory with HOST.crt and HOST.key");
    return new LocalKeys(byHost);
  }

  private static List<X509Certificate> chain(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      return CertificateFactory.getInstance("X.509").generateCertificates(in).stream()
          .map(X509Certificate.class::cast)
          .toList();
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException(
          Check.message(file.toString(), "unreadable", "certificates in PEM"), e);
    }
  }

  private static PrivateKey key(Path file) throws IOException {
    Check.that(
        Files.isReadable(file) && Files.size(file) <= FILE_BYTES_MAX,
        file.toString(),
        "none",
        "the key of the certificate beside it");
    var text = new String(Files.readAllBytes(file), US_ASCII);
    var base64 = text.replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
    try {
      var spec = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(base64));
      for (var algorithm : List.of("EC", "RSA", "Ed25519")) {
        var key = key(algorithm, spec);
        if (key != null) {
          return key;
        }
      }
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IllegalArgumentException(
          Check.message(file.toString(), "unreadable", "a private key in PEM, PKCS #8"), e);
    }
    throw new IllegalArgumentException(
        Check.message(file.toString(), "another key", "an EC, RSA or Ed25519 key, PKCS #8"));
  }

  /** The key, or null when it is one of another algorithm. */
  private static @Nullable PrivateKey key(String algorithm, PKCS8EncodedKeySpec spec)
      throws GeneralSecurityException {
    try {
      return KeyFactory.getInstance(algorithm).generatePrivate(spec);
    } catch (InvalidKeySpecException e) {
      return null;
    }
  }

  @Override
  public @Nullable TlsIdentity identity(String host) {
    var exact = byHost.get(host);
    int dot = host.indexOf('.');
    return exact != null || dot < 0 ? exact : byHost.get(BELOW + host.substring(dot + 1));
  }

  @Override
  public @Nullable TlsIdentity challenge(String host) {
    return null;
  }

  @Override
  public @Nullable String response(String host, String token) {
    return null;
  }

  @Override
  public List<byte[]> ticketKeys() {
    return List.of();
  }
}
