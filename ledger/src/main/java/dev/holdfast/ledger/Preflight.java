package dev.holdfast.ledger;

import dev.holdfast.limits.Check;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What can be said of a transaction before the writer has it. Confined to its caller. */
final class Preflight {
  private static final Payload ANY_STATE =
      Lease.KIND.encode(new Lease.State("nobody", 1, false, null, 0));

  private final Kinds kinds;
  private final Transaction transaction;

  Preflight(Kinds kinds, Transaction transaction) {
    this.kinds = kinds;
    this.transaction = transaction;
  }

  /** What is wrong with the transaction whatever the ledger holds, or null. */
  @Nullable String objection() {
    try {
      var keys = new HashSet<String>();
      for (var step : transaction.steps()) {
        Check.that(keys.add(place(step)), "key", step.key(), "at most once in a transaction");
        switch (step) {
          case Transaction.Step.Put put -> check(put.kind(), put.key(), put.payload());
          case Transaction.Step.Grant grant -> {
            var state = new Lease.State(grant.holder(), 1, true, grant.parent(), 1);
            var payload = Lease.KIND.encode(state);
            check(Lease.KIND, Lease.entryKey(grant.key()), payload);
            Check.that(!grant.holder().isEmpty(), "holder of " + grant.key(), "", "somebody");
          }
          case Transaction.Step.Delete _, Transaction.Step.End _ ->
              check(Lease.KIND, place(step), ANY_STATE);
          case Transaction.Step.Require _, Transaction.Step.Fence _ -> {}
        }
      }
      return null;
    } catch (IllegalArgumentException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private void check(Kind<?> kind, String key, Payload payload) {
    kinds.check(
        new Entry(
            1,
            key,
            kind.name(),
            kind.schema(),
            1,
            Instant.EPOCH,
            transaction.actor(),
            false,
            payload));
  }

  /** What the transaction would write of keys that are put, as far as it can be known before. */
  List<Entry> entries(long head, Instant now) {
    var entries = new ArrayList<Entry>();
    for (var step : transaction.steps()) {
      if (step instanceof Transaction.Step.Put put) {
        entries.add(
            new Entry(
                head + 1 + entries.size(),
                put.key(),
                put.kind().name(),
                put.kind().schema(),
                1,
                now.truncatedTo(ChronoUnit.MILLIS),
                transaction.actor(),
                false,
                put.payload()));
      }
    }
    return entries;
  }

  private static String place(Transaction.Step step) {
    return switch (step) {
      case Transaction.Step.Put s -> s.key();
      case Transaction.Step.Delete s -> s.key();
      case Transaction.Step.Require s -> s.key();
      case Transaction.Step.Grant s -> Lease.entryKey(s.key());
      case Transaction.Step.End s -> Lease.entryKey(s.key());
      case Transaction.Step.Fence s -> Lease.entryKey(s.key());
    };
  }
}
