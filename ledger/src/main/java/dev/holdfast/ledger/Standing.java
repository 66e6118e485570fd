package dev.holdfast.ledger;

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
   * @param causes why, by key; at most {@link Follower#QUARANTINE_MAX}
   */
  record Quarantining(Map<String, String> causes) implements Standing {
    /** Copies what it is given. */
    public Quarantining {
      causes = Map.copyOf(causes);
    }
  }

  /** It applies nothing more and serves what it has, until a person decides. */
  record Frozen(long position, String cause) implements Standing {}
}
