package dev.holdfast.edge;

import java.util.random.RandomGenerator;

/** The name under which a request is found again in every log: the client's, or a new UUID. */
final class RequestId {
  static final int CHARS = 36;

  private static final int CHARS_MIN = 20;
  private static final int CHARS_MAX = 200;
  private static final long VERSION_4 = 0x4000L;
  private static final long VARIANT = 0x8000000000000000L;
  private static final byte[] HEX = Bytes.ascii("0123456789abcdef");

  private RequestId() {}

  /** Says where it stands; a new one is noted behind the head. */
  static void of(Head head, RandomGenerator random, Heads.Sent sent) {
    int given = head.find(Name.REQUEST_ID);
    if (given >= 0 && good(head.bytes, head.valueAt(given), head.valueEnd(given))) {
      sent.idAt = head.valueAt(given);
      sent.idEnd = head.valueEnd(given);
    } else {
      sent.idAt = head.note(CHARS);
      sent.idEnd = sent.idAt + CHARS;
      fresh(random, head.bytes, sent.idAt);
    }
  }

  /** Whether the client's id may stand in logs and go to the app. */
  private static boolean good(byte[] in, int from, int to) {
    if (to - from < CHARS_MIN || to - from > CHARS_MAX) {
      return false;
    }
    for (int i = from; i < to; i++) {
      if (!Octets.letterOrDigit(in[i]) && "-_.=+/".indexOf(in[i]) < 0) {
        return false;
      }
    }
    return true;
  }

  /** Writes a UUID of version 4 (RFC 9562 section 5.4). */
  private static void fresh(RandomGenerator random, byte[] out, int at) {
    long high = (random.nextLong() & ~0xf000L) | VERSION_4;
    long low = (random.nextLong() >>> 2) | VARIANT;
    int end = hex(out, at, high >>> 32, 8);
    end = hex(out, dash(out, end), high >>> 16, 4);
    end = hex(out, dash(out, end), high, 4);
    end = hex(out, dash(out, end), low >>> 48, 4);
    hex(out, dash(out, end), low, 12);
  }

  private static int dash(byte[] out, int at) {
    out[at] = '-';
    return at + 1;
  }

  private static int hex(byte[] out, int at, long value, int digits) {
    for (int i = 0; i < digits; i++) {
      out[at + i] = HEX[(int) (value >>> ((digits - 1 - i) * 4)) & 0xf];
    }
    return at + digits;
  }
}
