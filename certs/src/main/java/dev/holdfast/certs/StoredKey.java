package dev.holdfast.certs;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.Objects;

/**
 * A key pair as it stands in an entry: PKCS #8 (RFC 5958) and SubjectPublicKeyInfo (RFC 5280), both
 * in base64. Immutable.
 */
record StoredKey(String algorithm, String privateKey, String publicKey) {
  private static final String CURVE = "secp256r1";

  StoredKey {
    Objects.requireNonNull(algorithm, "algorithm");
    Objects.requireNonNull(privateKey, "privateKey");
    Objects.requireNonNull(publicKey, "publicKey");
  }

  /** A fresh key on the curve P-256. */
  static StoredKey fresh() {
    try {
      var generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec(CURVE));
      return of(generator.generateKeyPair());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this Java makes no keys on " + CURVE, e);
    }
  }

  static StoredKey of(KeyPair pair) {
    var base64 = Base64.getEncoder();
    return new StoredKey(
        pair.getPrivate().getAlgorithm(),
        base64.encodeToString(pair.getPrivate().getEncoded()),
        base64.encodeToString(pair.getPublic().getEncoded()));
  }

  /**
   * The keys themselves.
   *
   * @throws IllegalArgumentException when they cannot be read
   */
  KeyPair pair() {
    try {
      var factory = KeyFactory.getInstance(algorithm);
      var base64 = Base64.getDecoder();
      return new KeyPair(
          factory.generatePublic(new X509EncodedKeySpec(base64.decode(publicKey))),
          factory.generatePrivate(new PKCS8EncodedKeySpec(base64.decode(privateKey))));
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException("a key of algorithm " + algorithm + " is unreadable", e);
    }
  }

  /** Shows no key. */
  @Override
  public String toString() {
    return "StoredKey[" + algorithm + "]";
  }
}
