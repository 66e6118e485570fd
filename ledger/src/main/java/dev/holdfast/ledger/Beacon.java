package dev.holdfast.ledger;

import dev.holdfast.limits.Check;
import java.time.Instant;
import java.util.Map;

/**
 * What the ledger says of itself once a second, also when nothing happens, so that silence always
 * means a failure. A follower that stands at {@code position} compares its own digest with the sum
 * over the kinds that it reads. Immutable.
 *
 * @param head position of the last entry when it was made
 * @param position position to which the digests belong; at most {@code head}
 * @param digests sum of what every live key of a kind adds to a digest, by kind; kinds without a
 *     live key may be missing
 * @param at when it was made
 */
public record Beacon(long head, long position, Map<String, Long> digests, Instant at) {
  /** Copies what it is given. */
  public Beacon {
    Check.that(0 <= position && position <= head, "position", position, "0 to " + head);
    digests = Map.copyOf(digests);
  }
}
