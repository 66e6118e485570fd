package dev.holdfast.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * What a key adds to a view's digest: SipHash-2-4 (Aumasson and Bernstein, 2012) of key, revision
 * and payload checksum. The digest is the sum over all keys modulo 2^64, so it does not depend on
 * order and a change costs one subtraction and one addition.
 */
final class Digest {
  private static final long K0 = 0x486f6c6466617374L; // "Holdfast"
  private static final long K1 = 0x6c65646765720001L; // "ledger", 1
  private static final long K1_KEY = 0x6c65646765720002L; // "ledger", 2

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private Digest() {}

  static long of(String key, long revision, int crc) {
    byte[] name = key.getBytes(UTF_8);
    byte[] message = Arrays.copyOf(name, name.length + Long.BYTES + Integer.BYTES);
    LONG.set(message, name.length, revision);
    INT.set(message, name.length + Long.BYTES, crc);
    return sipHash(K0, K1, message);
  }

  /** A hash of the key alone: where {@link Parts} keeps its part. */
  static long ofKey(String key) {
    return sipHash(K0, K1_KEY, key.getBytes(UTF_8));
  }

  /** In local variables alone: a node that starts with a million keys does this twice for each. */
  static long sipHash(long k0, long k1, byte[] message) {
    long v0 = k0 ^ 0x736f6d6570736575L;
    long v1 = k1 ^ 0x646f72616e646f6dL;
    long v2 = k0 ^ 0x6c7967656e657261L;
    long v3 = k1 ^ 0x7465646279746573L;
    int whole = message.length / Long.BYTES;
    for (int i = 0; i <= whole + 1; i++) {
      boolean end = i > whole;
      long word = end ? 0 : i < whole ? (long) LONG.get(message, i * Long.BYTES) : last(message);
      v2 ^= end ? 0xff : 0;
      v3 ^= word;
      for (int round = end ? 4 : 2; round > 0; round--) {
        v0 += v1;
        v1 = Long.rotateLeft(v1, 13) ^ v0;
        v0 = Long.rotateLeft(v0, 32);
        v2 += v3;
        v3 = Long.rotateLeft(v3, 16) ^ v2;
        v0 += v3;
        v3 = Long.rotateLeft(v3, 21) ^ v0;
        v2 += v1;
        v1 = Long.rotateLeft(v1, 17) ^ v2;
        v2 = Long.rotateLeft(v2, 32);
      }
      v0 ^= word;
    }
    return v0 ^ v1 ^ v2 ^ v3;
  }

  /** What is left behind the whole words, and the length. */
  private static long last(byte[] message) {
    long last = (long) message.length << 56;
    int from = message.length & -Long.BYTES;
    for (int i = from; i < message.length; i++) {
      last |= (message[i] & 0xffL) << ((i - from) * Byte.SIZE);
    }
    return last;
  }
}
