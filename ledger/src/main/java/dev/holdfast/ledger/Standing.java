package dev.holdfast.ledger;

import java.time.Instant;
import java.util.Map;

/** How a follower is doing. It is never "crashed". Immutable. */
public sealed interface Standing {

  /** It has not read the ledger to its head yet. */
  record Warming() implements Standing {}

  /** It applies what comes. */
  record Following() implements Standing {}

  /**
   * It applies what comes, but the last good value of some keys stands in for one it could not
   * read.
   *
   * @param causes why, by key; at most {@link Follower#QUARANTINE_MAX}, not counting keys whose
   *     deletion a {@link Verdict} passed over
   */
  record Quarantining(Map<String, String> causes) implements Standing {
    /** Copies what it is given. */
    public Quarantining {
      causes = Map.copyOf(causes);
    }
  }

  /**
   * It applies nothing more and serves what it has, until a person decides. It goes on reading
   * beacons and knows how far behind it is.
   */
  record Frozen(long position, String cause) implements Standing {}

  /**
   * Nothing came from the ledger for a while, not even a beacon. It serves what it has.
   *
   * @param since when it last knew that what it serves was current
   */
  record Stale(Instant since) implements Standing {}
}
