package dev.holdfast.drones;

import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Receipt;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Supervised;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * This machine's own lease, on which the leases of all its drones and ports hang, so that the work
 * of staying alive does not grow with what runs. It is renewed while the platform runs; after a
 * restart the same node takes it up again in the same epoch. Thread-safe.
 */
final class NodeLease implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(NodeLease.class.getName());
  private static final Duration TTL = Duration.ofSeconds(60);
  private static final Duration RENEW_EVERY = Duration.ofSeconds(20);

  private final Ledger ledger;
  private final Time time;
  private final String node;
  private final Supervised renewer;

  NodeLease(Ledger ledger, Time time, String node) {
    this.ledger = ledger;
    this.time = time;
    this.node = node;
    renewer = Supervised.virtual("node-lease", time, _ -> keep());
  }

  String key() {
    return "node/" + node;
  }

  /**
   * Takes the lease, or takes it up again. A store that takes nothing now, such as one on a full
   * disk, does not keep a node from serving: the lease is tried again while it does.
   *
   * @throws StoreException when somebody else holds it, or the ledger cannot be read
   */
  void start() throws StoreException {
    switch (take()) {
      case null -> {}
      case Refusal.Unavailable r ->
          LOG.warning("the node serves without its lease: " + r.message());
      case Refusal.OverBudget r -> LOG.warning("the node serves without its lease: " + r.message());
      case Refusal other ->
          throw new StoreException("the lease of node " + node + ": " + other.message());
    }
    renewer.start();
  }

  @Override
  public void close() {
    renewer.close();
  }

  private @Nullable Refusal take() throws StoreException {
    for (var lease : ledger.leases(key())) {
      if (lease.key().equals(key()) && lease.holder().equals(node)) {
        switch (ledger.renew(key(), lease.epoch(), TTL)) {
          case Outcome.Done<Receipt> _ -> {
            return null;
          }
          case Outcome.Refused<Receipt>(var refusal) -> {
            if (!(refusal instanceof Refusal.Stale)) {
              return refusal;
            }
          }
        }
      }
    }
    return switch (ledger.append(Transaction.by(node).grant(key(), node, TTL, Transaction.ANY))) {
      case Outcome.Done<Receipt> _ -> null;
      case Outcome.Refused<Receipt>(var refusal) -> refusal;
    };
  }

  Supervised part() {
    return renewer;
  }

  private void keep() throws InterruptedException {
    while (true) {
      try {
        time.sleep(RENEW_EVERY);
        var refusal = take();
        if (refusal != null) {
          LOG.warning("the lease of node " + node + " was not renewed: " + refusal.message());
        }
      } catch (StoreException e) {
        LOG.warning("the lease of node " + node + " was not renewed: " + e.getMessage());
      }
    }
  }
}
