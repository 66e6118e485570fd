package dev.holdfast.certs;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.edge.TlsIdentity;
import dev.holdfast.limits.Check;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringReader;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;

/** Certificates and keys as text (RFC 7468). */
final class Pem {
  /** Most characters of a chain or a key. */
  static final int CHARS_MAX = 256 * 1024;

  /** Most certificates in a chain. */
  static final int CHAIN_MAX = 10;

  private static final int DNS_NAME = 2; // GeneralName, RFC 5280 section 4.2.1.6
  private static final byte[] NEWLINE = {'\n'};
  private static final byte[] PROBE = "dev.holdfast.certs".getBytes(UTF_8);

  private Pem() {}

  static String write(List<X509Certificate> chain) {
    var out = new StringBuilder();
    try {
      for (var certificate : chain) {
        out.append("-----BEGIN CERTIFICATE-----\n");
        out.append(Base64.getMimeEncoder(64, NEWLINE).encodeToString(certificate.getEncoded()));
        out.append("\n-----END CERTIFICATE-----\n");
      }
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException("a certificate that was read cannot be written", e);
    }
    return out.toString();
  }

  /**
   * The certificates in the text, at least one.
   *
   * @throws IllegalArgumentException when it holds something else
   */
  static List<X509Certificate> chain(String text) {
    Check.that(text.length() <= CHARS_MAX, "chain", text.length() + " characters", "a short text");
    try {
      var chain = new ArrayList<X509Certificate>();
      var in = new ByteArrayInputStream(text.getBytes(UTF_8));
      for (var one : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
        chain.add((X509Certificate) one);
      }
      Check.that(
          !chain.isEmpty() && chain.size() <= CHAIN_MAX,
          "chain",
          chain.size() + " certificates",
          "1 to " + CHAIN_MAX + " in PEM, the host's first");
      return List.copyOf(chain);
    } catch (CertificateException e) {
      throw new IllegalArgumentException(
          Check.message("chain", "" + e.getMessage(), "certificates in PEM, the host's first"), e);
    }
  }

  /**
   * The private key in the text: PKCS #8, or what OpenSSL wrote before it.
   *
   * @throws IllegalArgumentException when it holds something else
   */
  static PrivateKey key(String text) {
    var expected = "a private key in PEM without a passphrase";
    Check.that(text.length() <= CHARS_MAX, "key", text.length() + " characters", "a short text");
    try (var parser = new PEMParser(new StringReader(text))) {
      var converter = new JcaPEMKeyConverter();
      Object object;
      while ((object = parser.readObject()) != null) {
        if (object instanceof PrivateKeyInfo info) {
          return converter.getPrivateKey(info);
        }
        if (object instanceof PEMKeyPair pair) {
          return converter.getPrivateKey(pair.getPrivateKeyInfo());
        }
      }
    } catch (IOException | RuntimeException e) {
      throw new IllegalArgumentException(Check.message("key", "unreadable", expected), e);
    }
    throw new IllegalArgumentException(Check.message("key", "none", expected));
  }

  /** The identity that a stored certificate stands for. */
  static TlsIdentity identity(String chain, StoredKey key) {
    return new TlsIdentity(chain(chain), key.pair().getPrivate());
  }

  /**
   * Passes when the chain holds together, is for that host, and the key is its key.
   *
   * @throws IllegalArgumentException naming what does not fit
   */
  static StoredKey fitting(String host, List<X509Certificate> chain, PrivateKey key) {
    var leaf = chain.getFirst();
    var names = names(leaf);
    Check.that(covers(names, host), "chain", "a certificate for " + names, "one for " + host);
    for (int i = 0; i + 1 < chain.size(); i++) {
      Check.that(
          signed(chain.get(i), chain.get(i + 1)),
          "certificate " + (i + 2) + " of the chain",
          chain.get(i + 1).getSubjectX500Principal(),
          "the one that signed certificate " + (i + 1));
    }
    Check.that(matches(leaf, key), "key", key.getAlgorithm(), "the one of the first certificate");
    return StoredKey.of(new KeyPair(leaf.getPublicKey(), key));
  }

  /** Whether the key is the one that the certificate speaks of. */
  static boolean matches(X509Certificate leaf, PrivateKey key) {
    try {
      var signature = Signature.getInstance(algorithm(key));
      signature.initSign(key);
      signature.update(PROBE);
      byte[] made = signature.sign();
      signature.initVerify(leaf.getPublicKey());
      signature.update(PROBE);
      return signature.verify(made);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  /** Names that a certificate is for. */
  static List<String> names(X509Certificate leaf) {
    var names = new ArrayList<String>();
    try {
      var all = leaf.getSubjectAlternativeNames();
      if (all != null) {
        for (var name : all) {
          if (name.getFirst() instanceof Integer type && type == DNS_NAME) {
            names.add(String.valueOf(name.get(1)).toLowerCase(Locale.ROOT));
          }
        }
      }
    } catch (CertificateParsingException e) {
      throw new IllegalArgumentException("the names of a certificate cannot be read", e);
    }
    return names;
  }

  /** Whether one of the names is the host or stands for it (RFC 6125 section 6.4.3). */
  static boolean covers(List<String> names, String host) {
    int dot = host.indexOf('.');
    return names.contains(host) || (dot > 0 && names.contains("*" + host.substring(dot)));
  }

  private static boolean signed(X509Certificate one, X509Certificate issuer) {
    try {
      one.verify(issuer.getPublicKey());
      return one.getIssuerX500Principal().equals(issuer.getSubjectX500Principal());
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static String algorithm(PrivateKey key) {
    return switch (key.getAlgorithm()) {
      case "EC", "ECDSA" -> "SHA256withECDSA";
      case "RSA" -> "SHA256withRSA";
      default -> key.getAlgorithm(); // Ed25519 and its like sign under their own name
    };
  }
}
