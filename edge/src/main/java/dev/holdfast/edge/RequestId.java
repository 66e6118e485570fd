package dev.holdfast.edge;

import java.util.UUID;
import java.util.random.RandomGenerator;

/** The name under which a request is found again in every log: the client's, or a new UUID. */
final class RequestId {
  private static final long VERSION_4 = 0x4000L;
  private static final long VARIANT = 0x8000000000000000L;

  private RequestId() {}

  static String of(Headers headers, RandomGenerator random) {
    var given = headers.first("x-request-id");
    return given != null && HeaderRules.requestId(given) ? given : fresh(random);
  }

  static String fresh(RandomGenerator random) {
    long high = (random.nextLong() & ~0xf000L) | VERSION_4;
    long low = (random.nextLong() >>> 2) | VARIANT;
    return new UUID(high, low).toString();
  }
}
