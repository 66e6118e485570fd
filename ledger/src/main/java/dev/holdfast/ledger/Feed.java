package dev.holdfast.ledger;

import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Where a follower reads from. Every call returns or throws within a bounded time. Thread-safe.
 *
 * <p>A feed may lose, double, delay and reorder: a follower asks again for what it misses and
 * compares what it made with {@link #beacon}.
 */
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

  /**
   * The newest beacon that came from the ledger, or null when none ever came. It is another object
   * once another one came: a follower takes one that stays the same for silence.
   */
  default @Nullable Beacon beacon() {
    return null;
  }

  /**
   * Whether beacons come once a second as long as all is well. Of a feed without them, whatever it
   * answers counts as a sign of life.
   */
  default boolean beats() {
    return false;
  }

  /**
   * Position of the oldest entry that {@link #read} still gives. What is older is only in {@link
   * #snapshot}.
   */
  default long oldest() {
    return 1;
  }
}
