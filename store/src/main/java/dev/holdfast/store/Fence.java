package dev.holdfast.store;

import dev.holdfast.ledger.StoreAway;
import dev.holdfast.ledger.StoreException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The highest epoch that this process has seen committed. A database that is behind it is an old
 * primary that came back, or an older copy: nothing is taken from it. Thread-safe.
 */
final class Fence {
  private final String name;
  private final AtomicLong highest = new AtomicLong();

  Fence(String name) {
    this.name = name;
  }

  /** What an answer must not be behind that is asked for from now on. */
  long seen() {
    return highest.get();
  }

  /** An epoch was committed. */
  void note(long epoch) {
    highest.accumulateAndGet(epoch, Math::max);
  }

  /**
   * Takes an answer.
   *
   * @param seen {@link #seen} before the question
   * @throws StoreException when it is behind that
   */
  void pass(long seen, long epoch) throws StoreException {
    note(epoch);
    if (epoch < seen) {
      throw new StoreAway(
          name
              + ": its epoch is "
              + epoch
              + ", but "
              + seen
              + " was seen before: it is an old primary or an older copy, and is not used"
              + " (restart this node when it is meant to be)");
    }
  }
}
