package dev.holdfast.server;

import dev.holdfast.ledger.Ledger;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Everything through which others follow the ledger over HTTP. Thread-safe. */
final class LedgerFeeds implements AutoCloseable {
  private final StreamOuts outs;
  private final StreamRing ring;
  private final List<Operation> operations;

  LedgerFeeds(Ledger ledger, Home home, Time time) {
    this(ledger, home, StreamOuts.STALL, time);
  }

  LedgerFeeds(Ledger ledger, Home home, Duration stall, Time time) {
    var lines = new StreamLines(ledger.id(), ledger.kinds());
    outs = new StreamOuts(time, stall);
    ring = new StreamRing(ledger, lines, outs, () -> sums(ledger), time).start();
    var snapshots = new LedgerSnapshots(ledger, lines, home.stream(), time);
    var all = new ArrayList<Operation>();
    all.addAll(new StreamOperations(ledger, ring, outs, snapshots, time).all());
    all.addAll(new CouchOperations(ledger, ring, outs, time).all());
    operations = List.copyOf(all);
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
  }
}
