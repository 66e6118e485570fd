package dev.holdfast.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import org.junit.jupiter.api.Test;

class DigestTest {
  private static final long K0 = 0x0706050403020100L;
  private static final long K1 = 0x0f0e0d0c0b0a0908L;

  /** The example in the appendix of the SipHash paper. */
  @Test
  void agreesWithThePapersTestVector() {
    byte[] message = new byte[15];
    for (byte i = 0; i < 15; i++) {
      message[i] = i;
    }
    assertThat(Digest.sipHash(K0, K1, message)).isEqualTo(0xa129ca6149be45e5L);
  }

  /** The first of the reference implementation's vectors: no input at all. */
  @Test
  void agreesOnTheEmptyMessage() {
    assertThat(Digest.sipHash(K0, K1, new byte[0])).isEqualTo(0x726fdb47dd0e0e31L);
  }

  @Test
  void keyRevisionAndChecksumAllCount() {
    var parts = new HashSet<Long>();
    for (var key : new String[] {"a", "b", "ab", "ba"}) {
      for (long revision = 1; revision < 10; revision++) {
        for (int crc = 0; crc < 10; crc++) {
          parts.add(Digest.of(key, revision, crc));
        }
      }
    }
    assertThat(parts).hasSize(4 * 9 * 10);
  }
}
