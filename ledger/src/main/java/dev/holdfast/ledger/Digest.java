package dev.holdfast.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What a key adds to a view's digest: SipHash-2-4 (Aumasson and Bernstein, 2012) of key, revision
 * and payload checksum. The digest is the sum over all keys modulo 2^64, so it does not depend on
 * order and a change costs one subtraction and one addition.
 */
final class Digest {
  private static final long K0 = 0x486f6c6466617374L; // "Holdfast"
  private static final long K1 = 0x6c65646765720001L; // "ledger", 1
  private static final long K1_KEY = 0x6c65646765720002L; // "ledger", 2

  private Digest() {}

  static long of(String key, long revision, int crc) {
    byte[] name = key.getBytes(UTF_8);
    byte[] message =
        ByteBuffer.allocate(name.length + 12)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put(name)
            .putLong(revision)
            .putInt(crc)
            .array();
    return sipHash(K0, K1, message);
  }

  /** A hash of the key alone: where {@link Parts} keeps its part. */
  static long ofKey(String key) {
    return sipHash(K0, K1_KEY, key.getBytes(UTF_8));
  }

  static long sipHash(long k0, long k1, byte[] message) {
    long[] v = {
      k0 ^ 0x736f6d6570736575L,
      k1 ^ 0x646f72616e646f6dL,
      k0 ^ 0x6c7967656e657261L,
      k1 ^ 0x7465646279746573L
    };
    var in = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
    while (in.remaining() >= 8) {
      absorb(v, in.getLong());
    }
    long last = (long) message.length << 56;
    for (int shift = 0; in.hasRemaining(); shift += 8) {
      last |= (in.get() & 0xffL) << shift;
    }
    absorb(v, last);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++) {
      round(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
  }

  private static void absorb(long[] v, long word) {
    v[3] ^= word;
    round(v);
    round(v);
    v[0] ^= word;
  }

  private static void round(long[] v) {
    v[0] += v[1];
    v[1] = Long.rotateLeft(v[1], 13) ^ v[0];
    v[0] = Long.rotateLeft(v[0], 32);
    v[2] += v[3];
    v[3] = Long.rotateLeft(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = Long.rotateLeft(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = Long.rotateLeft(v[1], 17) ^ v[2];
    v[2] = Long.rotateLeft(v[2], 32);
  }
}
