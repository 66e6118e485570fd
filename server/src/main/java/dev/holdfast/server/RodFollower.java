package dev.holdfast.server;

import dev.holdfast.ledger.Feed;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.FollowerConfig;
import dev.holdfast.limits.Supervised;
import dev.holdfast.limits.Time;
import java.time.Duration;

/**
 * Brings the ledger's control rods onto the {@link RodBoard}, by a follower of their own: one that
 * makes anything else may be frozen, by itself or by a rod, and then rods are needed most.
 * Thread-safe.
 */
final class RodFollower implements AutoCloseable {
  private static final Duration GLANCE = Duration.ofMillis(250);

  private final RodBoard board;
  private final Follower<RodTable> follower;
  private final Supervised watch;

  RodFollower(RodBoard board, Feed feed, FollowerConfig config, Time time) {
    this.board = board;
    follower = new Follower<>("rods", feed, RodTable.FOLD, config, time);
    watch = Supervised.platform("rods-watch", time, this::watch);
  }

  /**
   * Heeds what the ledger says from now on.
   *
   * @return whether it is known up to that position, within {@code wait}
   * @throws InterruptedException when the thread is asked to end
   */
  boolean start(long upTo, Duration wait) throws InterruptedException {
    follower.start();
    boolean known = follower.awaitApplied(upTo, wait);
    board.decidedBy(() -> follower.view().value());
    watch.start();
    return known;
  }

  Follower<RodTable> follower() {
    return follower;
  }

  Supervised part() {
    return watch;
  }

  @SuppressWarnings("ReferenceEquality") // a table is replaced, never changed
  private void watch(Supervised self) throws InterruptedException {
    RodTable seen = null;
    while (!self.closed()) {
      var view = follower.view();
      if (view.value() != seen) {
        seen = view.value();
        board.publish();
      }
      follower.awaitApplied(view.position() + 1, GLANCE);
    }
  }

  @Override
  public void close() {
    watch.close();
    follower.close();
  }
}
