package dev.holdfast.certs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.limits.ManualTime;
import java.io.IOException;
import java.io.StringWriter;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.interfaces.ECPrivateKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.util.io.pem.PemObject;
import org.junit.jupiter.api.Test;

class HomeMadeTest {
  private final ManualTime time = new ManualTime();

  @Test
  void isSignedByItsOwnKeyAndForItsNamesAndTime() throws Exception {
    var key = StoredKey.fresh().pair();
    var long64 = "a".repeat(63) + "." + "b".repeat(63) + "." + "c".repeat(63) + ".dev";
    var from = Instant.parse("2026-03-01T10:00:00Z");
    var to = Instant.parse("2049-12-31T23:59:59Z");
    for (var end : List.of(to, to.plusSeconds(1), Instant.parse("2101-01-01T00:00:00Z"))) {
      var made = HomeMade.sign(key, List.of("x.dev", long64), from, end, null, time);
      made.verify(key.getPublic());
      made.checkValidity(Date.from(from));
      assertThat(made.getVersion()).isEqualTo(3);
      assertThat(made.getSerialNumber()).isPositive();
      assertThat(made.getNotBefore().toInstant()).isEqualTo(from.minus(Duration.ofHours(1)));
      assertThat(made.getNotAfter().toInstant()).isEqualTo(end);
      assertThat(Pem.names(made)).containsExactly("x.dev", long64);
      assertThat(made.getCriticalExtensionOIDs()).isNullOrEmpty();
      assertThat(Pem.chain(Pem.write(List.of(made)))).containsExactly(made);
    }
  }

  @Test
  void answersAChallengeWithTheDigestOfTheKeyAuthorization() throws Exception {
    var key = StoredKey.fresh().pair();
    var made = HomeMade.challenge(key, "x.dev", "token.thumb", time);
    made.verify(key.getPublic());
    assertThat(made.getCriticalExtensionOIDs()).containsExactly("1.3.6.1.5.5.7.1.31");
    byte[] digest = MessageDigest.getInstance("SHA-256").digest("token.thumb".getBytes(UTF_8));
    byte[] value = made.getExtensionValue("1.3.6.1.5.5.7.1.31");
    // An OCTET STRING within the extension's own.
    assertThat(value).startsWith(4, 34, 4, 32);
    assertThat(Arrays.copyOfRange(value, 4, 36)).isEqualTo(digest);
  }

  @Test
  void readsEveryFormOfAPrivateKeyThatOpensslWrites() throws Exception {
    var pkcs8 = StoredKey.fresh();
    var text = "-----BEGIN PRIVATE KEY-----\n" + pkcs8.privateKey() + "\n-----END PRIVATE KEY-----";
    assertThat(Pem.key(text)).isEqualTo(pkcs8.pair().getPrivate());
    var rsa = KeyPairGenerator.getInstance("RSA").generateKeyPair().getPrivate();
    assertThat(Pem.key(written(rsa))).isEqualTo(rsa);
    var pair = pkcs8.pair();
    var sec1 =
        new org.bouncycastle.asn1.sec.ECPrivateKey(
            256,
            ((ECPrivateKey) pair.getPrivate()).getS(),
            SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded()).getPublicKeyData(),
            SECObjectIdentifiers.secp256r1);
    var ec = written(new PemObject("EC PRIVATE KEY", sec1.getEncoded()));
    assertThat(((ECPrivateKey) Pem.key(ec)).getS())
        .isEqualTo(((ECPrivateKey) pair.getPrivate()).getS());
  }

  private static String written(Object key) throws IOException {
    var out = new StringWriter();
    try (var writer = new JcaPEMWriter(out)) {
      writer.writeObject(key);
    }
    return out.toString();
  }
}
