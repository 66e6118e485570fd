package dev.holdfast.certs;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.limits.Time;
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Certificates that this platform signs itself, which nobody vouches for (RFC 5280). Written with
 * the JDK alone: the first certificate is made while the platform starts, and loading a library for
 * it took seconds.
 */
final class HomeMade {
  private static final String COMMON_NAME = "2.5.4.3";
  private static final String ALTERNATIVE_NAME = "2.5.29.17";
  private static final String ACME_IDENTIFIER = "1.3.6.1.5.5.7.1.31"; // RFC 8737 section 6.1
  private static final String ECDSA_SHA_256 = "1.2.840.10045.4.3.2"; // RFC 5758 section 3.2
  private static final String ISSUER = "Holdfast, self-signed";
  private static final int DNS_NAME = 2;
  private static final BigInteger VERSION_3 = BigInteger.TWO;
  private static final Duration BACKDATED = Duration.ofHours(1); // clocks differ
  private static final Duration LOCAL_LIFE = Duration.ofDays(365);
  private static final Duration CHALLENGE_LIFE = Duration.ofDays(30);
  private static final int SERIAL_BYTES = 16;

  private HomeMade() {}

  /** For this machine: localhost and every host right below it. */
  static Certificate local(Time time, String actor) {
    var key = StoredKey.fresh();
    var now = time.now();
    var names = List.of(Certificate.LOCAL, "*." + Certificate.LOCAL);
    var certificate = sign(key.pair(), names, now, now.plus(LOCAL_LIFE), null, time);
    return new Certificate(
        Certificate.LOCAL,
        Certificate.Source.SELF_SIGNED,
        Pem.write(List.of(certificate)),
        key,
        null,
        certificate.getNotBefore().toInstant(),
        certificate.getNotAfter().toInstant(),
        now.plus(LOCAL_LIFE.multipliedBy(2).dividedBy(3)),
        actor);
  }

  /** What answers a TLS-ALPN-01 challenge (RFC 8737 section 3). */
  static X509Certificate challenge(KeyPair key, String host, String answer, Time time) {
    var now = time.now();
    return sign(key, List.of(host), now, now.plus(CHALLENGE_LIFE), sha256(answer), time);
  }

  /**
   * A certificate of that key, signed with it.
   *
   * @param key on P-256
   * @param validation digest that answers a challenge, or null
   */
  static X509Certificate sign(
      KeyPair key,
      List<String> names,
      Instant from,
      Instant to,
      byte @Nullable [] validation,
      Time time) {
    var algorithm = Der.sequence(Der.oid(ECDSA_SHA_256));
    var issuer = Der.sequence(Der.set(Der.sequence(Der.oid(COMMON_NAME), Der.text(ISSUER))));
    byte[] body =
        Der.sequence(
            Der.explicit(0, Der.integer(VERSION_3)),
            Der.integer(serial(time)),
            algorithm,
            issuer,
            Der.sequence(Der.time(from.minus(BACKDATED)), Der.time(to)),
            issuer,
            key.getPublic().getEncoded(),
            Der.explicit(3, extensions(names, validation)));
    try {
      var signature = Signature.getInstance("SHA256withECDSA");
      signature.initSign(key.getPrivate());
      signature.update(body);
      byte[] whole = Der.sequence(body, algorithm, Der.bits(signature.sign()));
      return (X509Certificate)
          CertificateFactory.getInstance("X.509")
              .generateCertificate(new ByteArrayInputStream(whole));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("a certificate for " + names + " cannot be made", e);
    }
  }

  private static byte[] extensions(List<String> names, byte @Nullable [] validation) {
    byte[][] general =
        names.stream()
            .map(name -> Der.implicit(DNS_NAME, name.getBytes(US_ASCII)))
            .toArray(byte[][]::new);
    byte[] alternative = Der.sequence(Der.oid(ALTERNATIVE_NAME), Der.octets(Der.sequence(general)));
    return validation == null
        ? Der.sequence(alternative)
        : Der.sequence(
            alternative,
            Der.sequence(Der.oid(ACME_IDENTIFIER), Der.yes(), Der.octets(Der.octets(validation))));
  }

  private static BigInteger serial(Time time) {
    byte[] serial = new byte[SERIAL_BYTES];
    time.random().nextBytes(serial);
    serial[0] = (byte) ((serial[0] & 0x7F) | 0x40); // positive, and never short
    return new BigInteger(serial);
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
