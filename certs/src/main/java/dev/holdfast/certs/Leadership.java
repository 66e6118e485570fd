package dev.holdfast.certs;

import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Receipt;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.logging.Logger;

/**
 * The one lease under which orders are driven, so that two nodes never ask an authority for the
 * same thing. What is written while it is held names its epoch: a node that lost it without
 * noticing writes nothing. Confined to the steward's thread, but for {@link #epoch}.
 */
final class Leadership {
  static final String LEASE = "certs/leader";

  private static final Logger LOG = Logger.getLogger(Leadership.class.getName());
  private static final Duration TTL = Duration.ofSeconds(60);
  private static final Duration RENEW_EVERY = Duration.ofSeconds(20);
  private static final Duration ASK_EVERY = Duration.ofSeconds(10);
  private static final long NOBODY = -1;

  private final Ledger ledger;
  private final Time time;
  private final String node;
  private volatile long epoch = NOBODY;
  private long askedNanos;
  private boolean asked;

  Leadership(Ledger ledger, Time time, String node) {
    this.ledger = ledger;
    this.time = time;
    this.node = node;
  }

  /** Whether this node leads; takes or renews the lease where it is time to. */
  boolean held() {
    long now = time.nanos();
    var every = epoch == NOBODY ? ASK_EVERY : RENEW_EVERY;
    if (asked && now - askedNanos < every.toNanos()) {
      return epoch != NOBODY;
    }
    asked = true;
    askedNanos = now;
    try {
      epoch = take();
    } catch (StoreException e) {
      LOG.warning("the lease " + LEASE + " was not renewed: " + e.getMessage());
      epoch = NOBODY;
    }
    return epoch != NOBODY;
  }

  /** The epoch that writes are fenced with; the ledger refuses it when the lease is lost. */
  long epoch() {
    return epoch;
  }

  /** Gives it back, so that another node need not wait for its end. */
  void release() {
    if (epoch != NOBODY) {
      var _ = ledger.append(Transaction.by(node).end(LEASE, epoch));
      epoch = NOBODY;
    }
  }

  /** After a restart the same node takes its own lease up again, in the same epoch. */
  private long take() throws StoreException {
    for (var lease : ledger.leases(LEASE)) {
      if (lease.key().equals(LEASE)
          && lease.holder().equals(node)
          && ledger.renew(LEASE, lease.epoch(), TTL) instanceof Outcome.Done<Receipt>) {
        return lease.epoch();
      }
    }
    return switch (ledger.append(Transaction.by(node).grant(LEASE, node, TTL, Transaction.ANY))) {
      case Outcome.Done<Receipt>(var receipt) -> receipt.epochs().getOrDefault(LEASE, NOBODY);
      case Outcome.Refused<Receipt> _ -> NOBODY; // somebody else leads, or nothing can be written
    };
  }
}
