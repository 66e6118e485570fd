package dev.holdfast.certs;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.limits.Time;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

/** Certificates that this platform signs itself, which nobody vouches for. */
final class HomeMade {
  private static final ASN1ObjectIdentifier ACME_VALIDATION =
      new ASN1ObjectIdentifier("1.3.6.1.5.5.7.1.31"); // id-pe-acmeIdentifier, RFC 8737 section 6.1
  private static final Duration BACKDATED = Duration.ofHours(1); // clocks differ
  private static final Duration LOCAL_LIFE = Duration.ofDays(365);
  private static final Duration CHALLENGE_LIFE = Duration.ofDays(30);
  private static final int SERIAL_BITS = 127;

  private HomeMade() {}

  /** For this machine: localhost and every host right below it. */
  static Certificate local(Time time, String actor) {
    var key = StoredKey.fresh();
    var now = time.now();
    var end = now.plus(LOCAL_LIFE);
    var certificate =
        sign(key.pair(), List.of(Certificate.LOCAL, "*." + Certificate.LOCAL), now, end, null, time);
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

  static X509Certificate sign(
      KeyPair key,
      List<String> names,
      Instant from,
      Instant to,
      byte @Nullable [] validation,
      Time time) {
    byte[] serial = new byte[SERIAL_BITS / 8 + 1];
    time.random().nextBytes(serial);
    serial[0] = (byte) (serial[0] & 0x7F | 0x40); // positive, and never short
    var name = new X500Name("CN=" + names.getFirst());
    try {
      var builder =
          new JcaX509v3CertificateBuilder(
              name,
              new BigInteger(serial),
              Date.from(from.minus(BACKDATED)),
              Date.from(to),
              name,
              key.getPublic());
      builder.addExtension(
          Extension.subjectAlternativeName,
          false,
          new GeneralNames(
              names.stream()
                  .map(dns -> new GeneralName(GeneralName.dNSName, dns))
                  .toArray(GeneralName[]::new)));
      if (validation != null) {
        builder.addExtension(ACME_VALIDATION, true, new DEROctetString(validation));
      }
      var signer = new JcaContentSignerBuilder("SHA256withECDSA").build(key.getPrivate());
      return new JcaX509CertificateConverter().getCertificate(builder.build(signer));
    } catch (CertIOException | OperatorCreationException | GeneralSecurityException e) {
      throw new IllegalStateException("a certificate for " + names + " cannot be made", e);
    }
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
