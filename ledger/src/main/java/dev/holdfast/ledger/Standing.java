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
   * For a while nothing came from the ledger by which the view could be known to be right: no
   * beacon that agrees. It serves what it has and goes on asking.
   *
   * @param since when the view was last known to be right
   */
  record Stale(Instant since) implements Standing {}
}
