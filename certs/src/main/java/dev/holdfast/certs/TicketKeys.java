package dev.holdfast.certs;

import dev.holdfast.ledger.Kind;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * The keys that TLS session tickets (RFC 8446 section 4.6.1) are sealed with, the same on all
 * nodes. Rotated, so that who steals one reads the sessions of a day and not of a year. Immutable.
 *
 * @param keys {@link #BYTES} random bytes each in base64, the newest first
 * @param rotatedAt when the newest was made
 */
record TicketKeys(List<String> keys, Instant rotatedAt) {
  static final Kind<TicketKeys> KIND = Kind.secret("ticket-keys", 1, TicketKeys.class);
  static final String KEY = "ticket-keys";
  static final int BYTES = 48;
  static final int KEPT = 3; // the newest seals, the two before it still open
  static final Duration EVERY = Duration.ofHours(12);

  TicketKeys {
    keys = List.copyOf(keys);
    Check.that(!keys.isEmpty() && keys.size() <= KEPT, "keys", keys.size(), "1 to " + KEPT);
    for (var key : keys) {
      int bytes = Base64.getDecoder().decode(key).length;
      Check.that(bytes == BYTES, "ticket key", bytes + " bytes", BYTES + " bytes");
    }
  }

  /** A fresh key in front of those before it. */
  static TicketKeys after(List<String> before, Time time) {
    byte[] fresh = new byte[BYTES];
    time.random().nextBytes(fresh);
    var keys = new ArrayList<String>();
    keys.add(Base64.getEncoder().encodeToString(fresh));
    keys.addAll(before.subList(0, Math.min(before.size(), KEPT - 1)));
    return new TicketKeys(keys, time.now());
  }

  List<byte[]> bytes() {
    return keys.stream().map(Base64.getDecoder()::decode).toList();
  }

  /** Shows no key. */
  @Override
  public String toString() {
    return "TicketKeys[" + keys.size() + ", " + rotatedAt + "]";
  }
}
