package dev.holdfast.ledger;

import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A request that waits for the ledger's writer, and its caller with it. Thread-safe. */
final class Pending {

  /** What is asked. */
  sealed interface Request {
    /** Entries and leases, all or none. */
    record Append(Transaction transaction) implements Request {}

    /** A later deadline for a lease. */
    record Renew(String key, long epoch, Duration ttl) implements Request {}

    /** A step of a compaction. */
    record Compact(long from, long upTo) implements Request {}
  }

  private enum Turn {
    WAITING,
    TAKEN,
    GIVEN_UP
  }

  private final Request request;
  private final Deadline deadline;
  private final AtomicReference<Turn> turn = new AtomicReference<>(Turn.WAITING);
  private final CountDownLatch done = new CountDownLatch(1);
  private volatile @Nullable Outcome<Receipt> outcome;

  Pending(Request request, Deadline deadline) {
    this.request = request;
    this.deadline = deadline;
  }

  Request request() {
    return request;
  }

  /** Until when the caller waits. */
  Deadline deadline() {
    return deadline;
  }

  /** The writer takes it, unless its caller gave up before. */
  boolean take() {
    return turn.compareAndSet(Turn.WAITING, Turn.TAKEN);
  }

  void complete(Outcome<Receipt> result) {
    outcome = result;
    done.countDown();
  }

  void refuse(Refusal refusal) {
    complete(Outcome.refused(refusal));
  }

  /** Waits for the writer to take it; a sentence says that it never will. */
  @Nullable String awaitTurn(Duration wait) {
    String cause;
    try {
      if (done.await(deadline.leftNanos(), TimeUnit.NANOSECONDS)) {
        return null;
      }
      cause = "the ledger's writer did not come to it in " + wait;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      cause = "interrupted before the ledger's writer came to it";
    }
    return turn.compareAndSet(Turn.WAITING, Turn.GIVEN_UP) ? cause : null;
  }

  /**
   * The answer. Waits through interrupts: an answer of "perhaps" would be worse than one commit's
   * wait.
   */
  Outcome<Receipt> awaitOutcome() {
    boolean interrupted = false;
    while (true) {
      try {
        done.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    var answer = outcome;
    if (answer == null) {
      throw new IllegalStateException("completed without an outcome");
    }
    return answer;
  }

  /** Tells the batch what {@link Decision} will look at. */
  void foretell(Collection<String> keys, Collection<String> leases) {
    switch (request) {
      case Request.Append(var transaction) ->
          transaction.steps().forEach(step -> foretell(step, keys, leases));
      case Request.Renew(var key, _, _) -> leases.add(key);
      case Request.Compact _ -> {}
    }
  }

  private static void foretell(
      Transaction.Step step, Collection<String> keys, Collection<String> leases) {
    switch (step) {
      case Transaction.Step.Put s -> keys.add(s.key());
      case Transaction.Step.Delete s -> keys.add(s.key());
      case Transaction.Step.Require s -> keys.add(s.key());
      case Transaction.Step.Grant s -> {
        lease(s.key(), keys, leases);
        var parent = s.parent();
        if (parent != null) {
          lease(parent, keys, leases);
        }
      }
      case Transaction.Step.End s -> lease(s.key(), keys, leases);
      case Transaction.Step.Fence s -> leases.add(s.key());
    }
  }

  private static void lease(String key, Collection<String> keys, Collection<String> leases) {
    leases.add(key);
    keys.add(Lease.entryKey(key));
  }
}
