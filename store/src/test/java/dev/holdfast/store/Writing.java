package dev.holdfast.store;

import static dev.holdfast.ledger.Transaction.ANY;
import static dev.holdfast.ledger.Transaction.PRESENT;

import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Receipt;
import dev.holdfast.ledger.Service;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;

/** One writer, which tells the history what it was told. Confined to its thread. */
record Writing(Ledger ledger, String name, long seed, History history) {

  /** So many writes, every fifth of which cannot pass. */
  boolean write(int count) {
    var random = new Random(seed);
    for (int i = 0; i < count; i++) {
      var mark = name + "-" + i;
      boolean impossible = random.nextInt(5) == 0;
      var transaction = put(mark, "s" + random.nextInt(20));
      if (impossible) {
        transaction.require("service/nowhere", PRESENT);
      }
      long began = System.nanoTime();
      note(mark, began, ledger.append(transaction));
    }
    return true;
  }

  /** Writes until it is told to end; how many the store refused. */
  int writeWhile(AtomicBoolean on) {
    int refused = 0;
    for (int i = 0; on.get(); i++) {
      var mark = name + "-" + i;
      long began = System.nanoTime();
      var outcome = ledger.append(put(mark, "s" + i % 20));
      refused += outcome instanceof Outcome.Done ? 0 : 1;
      note(mark, began, outcome);
    }
    return refused;
  }

  private void note(String mark, long began, Outcome<Receipt> outcome) {
    switch (outcome) {
      case Outcome.Done<Receipt>(var receipt) ->
          history.acknowledged(mark, receipt.entries().getFirst().position(), began);
      case Outcome.Refused<Receipt>(var refusal) -> {
        if (refusal.message().contains("not known")) {
          history.unknown(mark);
        } else {
          history.refused(mark);
        }
      }
    }
  }

  static Transaction put(String mark, String name) {
    return Transaction.by(mark)
        .put(Service.KIND, Service.key(name), new Service(name, true, 1), ANY);
  }

  static Refusal refusal(Outcome<Receipt> outcome) {
    return switch (outcome) {
      case Outcome.Refused<Receipt>(var refusal) -> refusal;
      case Outcome.Done<Receipt>(var receipt) ->
          throw new AssertionError("not refused: " + receipt);
    };
  }
}
