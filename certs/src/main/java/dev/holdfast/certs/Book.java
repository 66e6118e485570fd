package dev.holdfast.certs;

import dev.holdfast.ledger.Envelope;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.Kind;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Receipt;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Outcome;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What the ledger says right now, and writing that counts only while this node leads. Thread-safe.
 */
final class Book {
  private static final Duration APPLIED_WAIT = Duration.ofSeconds(10);

  private final Ledger ledger;
  private final Follower<Wallet> follower;
  private final Leadership leadership;
  private final String node;

  Book(Ledger ledger, Follower<Wallet> follower, Leadership leadership, String node) {
    this.ledger = ledger;
    this.follower = follower;
    this.leadership = leadership;
    this.node = node;
  }

  /**
   * What a key holds, and the revision that a writer must name to replace it.
   *
   * @param value null when the key does not exist
   */
  record Page<T>(long revision, @Nullable T value) {
    Transaction.Expect unchanged() {
      return Transaction.at(revision);
    }
  }

  /** The ledger cannot be read or written now, or somebody else leads or was faster. */
  static final class Lost extends Exception {
    private static final long serialVersionUID = 1L;

    Lost(String message) {
      super(message);
    }
  }

  /** What stands there now; not what some view has seen. */
  <T> Page<T> read(Kind<T> kind, String key) throws Lost {
    try {
      var sealed = ledger.latest(key);
      if (sealed == null) {
        return new Page<>(0, null);
      }
      return switch (Envelope.decode(sealed.envelope())) {
        case Envelope.Decoded.Good(var entry) ->
            new Page<>(entry.revision(), entry.deleted() ? null : kind.decode(entry));
        case Envelope.Decoded.Unreadable(var cause) ->
            throw new Lost(key + " cannot be read: " + cause);
      };
    } catch (StoreException | IllegalArgumentException e) {
      throw new Lost(key + " cannot be read: " + e.getMessage());
    }
  }

  /** An empty transaction that counts only while this node leads. */
  Transaction write() {
    return Transaction.by(node).fence(Leadership.LEASE, leadership.epoch());
  }

  /** Returns when it is on disk and our own edge answers with it. */
  void append(Transaction transaction) throws Lost, InterruptedException {
    switch (ledger.append(transaction)) {
      case Outcome.Done<Receipt>(var receipt) -> {
        if (!follower.awaitApplied(receipt.position(), APPLIED_WAIT)) {
          throw new Lost("position " + receipt.position() + " was not applied in " + APPLIED_WAIT);
        }
      }
      case Outcome.Refused<Receipt>(var refusal) -> throw new Lost(refusal.message());
    }
  }
}
