package dev.holdfast.server;

import dev.holdfast.ledger.Canary;
import dev.holdfast.ledger.Feed;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything through which others follow the ledger over HTTP. Where a follower of this process
 * goes first, they get what it has applied. Thread-safe.
 */
final class LedgerFeeds implements AutoCloseable {
  /** How long what is of a new sort is held back from others. */
  static final Duration HOLD = Duration.ofSeconds(2);

  private final StreamOuts outs;
  private final StreamRing ring;
  private final StreamRing rods;
  private final List<Operation> operations;

  /**
   * Begins to stream.
   *
   * @param first the follower that goes first, or null for none
   * @throws StoreException when the ledger cannot be read
   */
  LedgerFeeds(Ledger ledger, @Nullable Follower<?> first, Home home, Time time)
      throws StoreException {
    this(ledger, first, home, StreamOuts.STALL, time);
  }

  LedgerFeeds(Ledger ledger, @Nullable Follower<?> first, Home home, Duration stall, Time time)
      throws StoreException {
    var lines = new StreamLines(ledger.id(), ledger.kinds());
    outs = new StreamOuts(time, stall);
    long from = first == null ? ledger.head() : first.view().position();
    Feed feed = first == null ? ledger : canary(ledger, first, time);
    ring = new StreamRing(ledger, feed, from, lines, outs, () -> sums(ledger), time).start();
    var whole =
        new LedgerSnapshots(ledger, feed, lines, home.stream().resolve("snapshot.gz"), time);
    // Rods are needed most when something holds the rest.
    var few = new StreamLines(ledger.id(), ledger.kinds(), RodTable.FOLLOWED);
    rods = new StreamRing(ledger, ledger, ledger.head(), few, outs, () -> sums(ledger), time);
    rods.start();
    var rodsOnly = new LedgerSnapshots(ledger, ledger, few, home.stream().resolve("rods.gz"), time);
    var all = new ArrayList<Operation>();
    all.addAll(
        new StreamOperations(
                ledger,
                new StreamOperations.Lane(ring, whole),
                new StreamOperations.Lane(rods, rodsOnly),
                outs,
                time)
            .all());
    all.addAll(new CouchOperations(ledger, ring, outs, time).all());
    operations = List.copyOf(all);
  }

  /** Kinds that stand in the ledger were read by everybody before; a schema may still be new. */
  private static Canary canary(Ledger ledger, Follower<?> first, Time time) throws StoreException {
    var canary = new Canary(ledger, first, HOLD, time);
    ledger.counts().forEach(count -> canary.know(count.kind(), 1));
    return canary;
  }

  private static StreamLines.Sums sums(Ledger ledger) {
    var beacon = ledger.beacon();
    return beacon == null
        ? StreamLines.Sums.NONE
        : new StreamLines.Sums(beacon.position(), beacon.digests());
  }

  List<Operation> operations() {
    return operations;
  }

  /** How many streams are open. */
  int open() {
    return outs.count();
  }

  /** Ends every stream. Idempotent. */
  @Override
  public void close() {
    ring.close();
    rods.close();
  }
}
