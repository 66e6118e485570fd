package dev.holdfast.server;

import dev.holdfast.ledger.Beacon;
import dev.holdfast.ledger.Feed;
import dev.holdfast.ledger.Sealed;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.KnownRod;
import dev.holdfast.limits.RodView;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A feed that has nothing new while the control rod {@code freeze-stream} is in: its follower
 * serves what it has. A follower that begins reads all the same up to {@link #heed}, since it has
 * nothing to serve without. Thread-safe.
 */
final class HeldFeed implements Feed {
  private static final Duration GLANCE = Duration.ofMillis(50);

  private final Feed feed;
  private final Supplier<RodView> rods;
  private final Time time;
  private volatile boolean heeding;
  private long withheld; // confined to the one follower

  HeldFeed(Feed feed, Supplier<RodView> rods, Time time) {
    this.feed = feed;
    this.rods = rods;
    this.time = time;
  }

  /** From now on the rod counts: who starts has to come to the ledger's head first. */
  void heed() {
    heeding = true;
  }

  @Override
  public long snapshot(Consumer<Sealed> each) throws StoreException {
    return feed.snapshot(each);
  }

  @Override
  public List<Sealed> read(long after, int max) throws StoreException {
    if (frozen()) {
      throw new StoreException("the stream is frozen"); // it came in since the head moved
    }
    return feed.read(after, max);
  }

  @Override
  public long awaitBeyond(long position, Duration wait) throws InterruptedException {
    var deadline = Deadline.after(time, wait);
    while (true) {
      long head = feed.awaitBeyond(position, frozen() ? Duration.ZERO : deadline.left());
      var rod = rod(); // asked again: it may have come in during the wait
      if (rod == null && (head > position || deadline.passed())) {
        return head;
      }
      if (rod != null && head > Math.max(position, withheld)) {
        withheld = head;
        rod.felt();
      }
      if (deadline.passed()) {
        return position;
      }
      if (rod != null) {
        time.sleep(GLANCE);
      }
    }
  }

  /** Beacons come on: a follower that is held knows how far behind it is. */
  @Override
  public @Nullable Beacon beacon() {
    return feed.beacon();
  }

  @Override
  public boolean beats() {
    return feed.beats();
  }

  @Override
  public long oldest() {
    return feed.oldest();
  }

  /** Whether it has nothing new now. */
  boolean frozen() {
    return rod() != null;
  }

  private RodView.@Nullable Inserted rod() {
    return heeding ? rods.get().find(KnownRod.FREEZE_STREAM, time.now().toEpochMilli()) : null;
  }
}
