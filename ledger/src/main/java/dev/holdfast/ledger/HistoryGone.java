package dev.holdfast.ledger;

import dev.holdfast.limits.Check;

/**
 * What a follower asks for is no more: the entries after its position were compacted away, or its
 * position belongs to another ledger. Asking again is no use; a snapshot is. Immutable.
 */
public final class HistoryGone extends StoreException {
  private static final long serialVersionUID = 1L;

  /** The follower's position and where history that is whole begins. */
  public HistoryGone(long after, long floor) {
    this(Check.message("position", after, "at least " + floor + "; what was before is compacted"));
  }

  /** A sentence for the operator. */
  public HistoryGone(String message) {
    super(message);
  }
}
