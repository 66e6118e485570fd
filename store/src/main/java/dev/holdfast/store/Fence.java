package dev.holdfast.store;

import dev.holdfast.ledger.StoreAway;
import dev.holdfast.ledger.StoreException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The highest epoch that this process has seen committed. A database that is behind it is an old
 * primary that came back, or an older backup: nothing is taken from it. Thread-safe.
 */
final class Fence {
  private final AtomicLong seen = new AtomicLong();

  /**
   * Takes note of an epoch that others can see.
   *
   * @throws StoreException when it is lower than one before
   */
  void pass(String name, long epoch) throws StoreException {
    long highest = seen.accumulateAndGet(epoch, Math::max);
    if (epoch < highest) {
      throw new StoreAway(
          name
              + ": its epoch is "
              + epoch
              + ", but "
              + highest
              + " was seen before: it is an old primary or an older copy, and is not used"
              + " (restart this node when it is meant to be)");
    }
  }
}
