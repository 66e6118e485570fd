package dev.holdfast.ledger;

import dev.holdfast.limits.Backoff;
import dev.holdfast.limits.Supervised;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link Beacon} once a second, also when nothing happens, on a thread of its own. Costs 20
 * to 25 bytes for each live key. Thread-safe.
 */
final class Auditor implements AutoCloseable {
  private static final Duration BEAT = Duration.ofSeconds(1);
  private static final Backoff RETRY =
      Backoff.fullJitter(Duration.ofMillis(100), Duration.ofSeconds(5));

  private final Feed feed;
  private final BooleanSupplier sure;
  private final Time time;
  private final Supervised part;
  private Audit audit = new Audit();
  private boolean loaded;
  private volatile @Nullable Beacon beacon;
  private volatile boolean closed;

  /**
   * One that is not started.
   *
   * @param sure whether the feed's head is the ledger's; there is no beacon while it is not
   */
  Auditor(Feed feed, BooleanSupplier sure, Time time) {
    this.feed = feed;
    this.sure = sure;
    this.time = time;
    part = Supervised.platform("ledger-auditor", time, _ -> run());
  }

  void start() {
    part.start();
  }

  @Nullable Beacon beacon() {
    return beacon;
  }

  Supervised part() {
    return part;
  }

  private void run() throws InterruptedException {
    loaded = false; // it may have died between two entries
    int failures = 0;
    while (!closed) {
      try {
        if (failures > 0) {
          time.sleep(RETRY.delay(failures, time.random()));
        }
        beat();
        failures = 0;
      } catch (HistoryGone e) {
        failures++;
        loaded = false; // another process compacted: from a snapshot
      } catch (StoreException e) {
        failures++; // a ledger that cannot be read now is read later
      }
    }
  }

  private void beat() throws StoreException, InterruptedException {
    if (!loaded) {
      var fresh = new Audit();
      fresh.at(feed.snapshot(fresh::begin));
      audit = fresh;
      loaded = true;
    }
    long end = time.nanos() + BEAT.toNanos();
    long head = catchUp(0);
    if (sure.getAsBoolean()) {
      beacon =
          new Beacon(
              Math.max(head, audit.position()), audit.position(), audit.digests(), time.now());
    }
    for (long left = BEAT.toNanos(); left > 0; left = end - time.nanos()) {
      catchUp(left);
    }
  }

  private long catchUp(long waitNanos) throws StoreException, InterruptedException {
    long head = feed.awaitBeyond(audit.position(), Duration.ofNanos(waitNanos));
    while (head > audit.position()) {
      var entries = feed.read(audit.position(), Pursuit.READ_MAX);
      if (entries.isEmpty()) {
        throw new StoreException(
            "nothing after " + audit.position() + " although the head is " + head);
      }
      entries.forEach(audit::take);
    }
    return head;
  }

  /** Makes no more beacons. Idempotent. */
  @Override
  public void close() {
    part.end();
    closed = true;
    part.close();
  }
}
