package dev.holdfast.ledger;

import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/** Where a follower reads from. Thread-safe. */
public interface Feed {

  /**
   * Hands over the newest envelope of every key that is not deleted, in order of position, as of
   * one moment.
   *
   * @return the head position at that moment
   * @throws StoreException when it cannot be read now
   */
  long snapshot(Consumer<Sealed> each) throws StoreException;

  /**
   * The envelopes that follow {@code after}, at most {@code max}, in order.
   *
   * @throws StoreException when they cannot be read now
   */
  List<Sealed> read(long after, int max) throws StoreException;

  /**
   * Waits until the head is beyond {@code position} or {@code wait} has passed.
   *
   * @return the head
   * @throws InterruptedException when the thread is asked to end
   */
  long awaitBeyond(long position, Duration wait) throws InterruptedException;
}
