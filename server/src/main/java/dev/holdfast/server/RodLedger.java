package dev.holdfast.server;

import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.FollowerConfig;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Receipt;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Gcra;
import dev.holdfast.limits.KnownRod;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Rod;
import dev.holdfast.limits.RodOrder;
import dev.holdfast.limits.Supervised;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.function.Function;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The control rods that stand in the ledger: sets and lifts them, follows them onto the {@link
 * RodBoard}, ends those whose time is over, and brings what happened locally into the ledger once
 * it takes it. Thread-safe.
 */
final class RodLedger implements AutoCloseable {
  /** Most rods in the ledger. */
  static final int RODS_MAX = 1_000;

  private static final Logger LOG = Logger.getLogger(RodLedger.class.getName());
  private static final Duration TICK = Duration.ofSeconds(1);
  private static final Duration APPLY_WAIT = Duration.ofSeconds(5);
  private static final Duration WARM_UP = Duration.ofSeconds(30);
  private static final int TRIES_MAX = 5;
  private static final int BATCH_MAX = 50;

  private final RodBoard board;
  private final Ledger ledger;
  private final Time time;
  private final RodFollower follower;
  private final Gcra complaints;
  private final Supervised scribe;

  RodLedger(RodBoard board, Ledger ledger, Time time) {
    this.board = board;
    this.ledger = ledger;
    this.time = time;
    follower = new RodFollower(board, ledger, FollowerConfig.defaults(), time);
    complaints = new Gcra(1, Duration.ofMinutes(1), 1, time.nanos());
    scribe = Supervised.virtual("rods-scribe", time, this::scribe);
  }

  /**
   * Heeds what the ledger says from now on.
   *
   * @throws InterruptedException when the thread is asked to end
   */
  void start() throws InterruptedException {
    if (!follower.start(ledger.head(), WARM_UP)) {
      LOG.warning("the control rods could not be read in " + WARM_UP + "; it goes on");
    }
    scribe.start();
  }

  /** Who folds the rods, for who reports how followers are. */
  Follower<RodTable> follower() {
    return follower.follower();
  }

  /** The background parts, for who reports how they are. */
  List<Supervised> parts() {
    return List.of(follower.part(), scribe);
  }

  /** Sets a rod for everybody whom its scope names. */
  Outcome<Rod> set(String actor, RodOrder order) {
    var decided =
        order.decide(board.config(), board.node(), actor, Rod.Source.OPERATOR, time.now());
    return switch (decided) {
      case Outcome.Refused<Rod> refused -> refused;
      case Outcome.Done<Rod>(var rod) ->
          append(
                  table -> {
                    if (table.rods().size() >= RODS_MAX && table.rod(rod.key()) == null) {
                      return Outcome.refused(
                          new Refusal.OverBudget(
                              Check.message(
                                  "rods", RODS_MAX + 1, "at most " + RODS_MAX + "; lift some"),
                              Duration.ofMinutes(1)));
                    }
                    var transaction =
                        Transaction.by(actor).put(RodTable.KIND, rod.key(), rod, Transaction.ANY);
                    var note = RodNote.of(RodNote.Event.SET, rod, rod.setAt(), actor, null, null);
                    note(transaction, table, List.of(note.with(0, order.drill())));
                    return Outcome.done(transaction);
                  })
              .map(_ -> rod);
    };
  }

  /** Takes a rod out, whichever way it came; answers those that were in. */
  Outcome<List<RodBoard.Lifted>> lift(
      String actor, String name, String scope, @Nullable String why) {
    var key = Rod.key(name, scope);
    var lifted = new ArrayList<>(board.liftHere(actor, name, scope, why));
    var found = board.table().rod(key);
    if (found == null) {
      return lifted.isEmpty()
          ? Outcome.refused(
              new Refusal.NotFound(
                  Check.message("rod", name + " " + scope, "one that `holdfast rods list` shows")))
          : Outcome.done(lifted);
    }
    long effect = board.effectEverywhere(found);
    var done =
        append(table -> {
          var transaction = Transaction.by(actor);
          var now = table.rod(key);
          if (now != null) {
            transaction.delete(key, Transaction.ANY);
            var note = RodNote.of(RodNote.Event.LIFTED, now, time.now(), actor, why, null);
            note(transaction, table, List.of(note.with(effect, false)));
          }
          return Outcome.done(transaction);
        });
    lifted.add(new RodBoard.Lifted(found, effect));
    return done.map(_ -> lifted);
  }

  /** A drill saw that the rod works. */
  Outcome<RodDrill> drilled(String actor, KnownRod rod, String by, String effect) {
    var drill = new RodDrill(rod.word(), time.now(), by, effect);
    return append(_ ->
            Outcome.done(
                Transaction.by(actor)
                    .put(RodDrill.KIND, RodDrill.key(rod), drill, Transaction.ANY)))
        .map(_ -> drill);
  }

  /** What happened last, newest first; what the ledger does not know yet has the number 0. */
  List<RodNote> history() {
    var all = new ArrayList<>(board.local().waiting(LocalRods.NOTES_MAX).reversed());
    all.addAll(board.table().history());
    return all;
  }

  /** Takes over what an edge says of its own rods; said twice, it is noted once. */
  void noted(String edge, List<RodNote> notes) {
    var known = new HashSet<RodNote>();
    board.table().history().forEach(note -> known.add(note.numbered(0)));
    known.addAll(board.local().waiting(LocalRods.NOTES_MAX));
    boolean any = false;
    for (var note : notes) {
      var own = note.of(edge);
      if (known.add(own)) {
        board.local().note(own);
        any = true;
      }
    }
    if (any) {
      var _ = board.local().save();
    }
  }

  private void note(Transaction transaction, RodTable table, List<RodNote> notes) {
    table.note(transaction, notes);
    var drills = new HashMap<String, RodDrill>();
    for (var note : notes) {
      if (note.drill()) {
        var name = note.rod().name();
        drills.put(RodDrill.key(name), new RodDrill(name, note.at(), note.by(), "set by hand"));
      }
    }
    drills.forEach((key, drill) -> transaction.put(RodDrill.KIND, key, drill, Transaction.ANY));
  }

  /** Appends what is decided against the table, again when somebody else was faster. */
  private Outcome<Long> append(Function<RodTable, Outcome<Transaction>> change) {
    for (int tries = 1; ; tries++) {
      var before = follower().view();
      Transaction transaction;
      switch (change.apply(before.value())) {
        case Outcome.Refused<Transaction>(var refusal) -> {
          return Outcome.refused(refusal);
        }
        case Outcome.Done<Transaction>(var made) -> transaction = made;
      }
      if (transaction.isEmpty()) {
        return Outcome.done(before.position());
      }
      switch (ledger.append(transaction)) {
        case Outcome.Done<Receipt>(var receipt) -> {
          settle(receipt.position());
          return Outcome.done(receipt.position());
        }
        case Outcome.Refused<Receipt>(var refusal) -> {
          if (tries == TRIES_MAX || !meanwhile(refusal)) {
            return Outcome.refused(refusal);
          }
          settle(ledger.head());
        }
      }
    }
  }

  private static boolean meanwhile(Refusal refusal) {
    return switch (refusal) {
      case Refusal.Stale _, Refusal.Conflict _, Refusal.NotFound _ -> true;
      case Refusal.Invalid _, Refusal.OverBudget _, Refusal.Unavailable _ -> false;
    };
  }

  /** Who sets a rod finds that it acts here when he is told that it is set. */
  private void settle(long position) {
    try {
      follower().awaitApplied(position, APPLY_WAIT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    board.publish();
  }

  private void scribe(Supervised self) throws InterruptedException {
    while (!self.closed()) {
      deliver();
      bury();
      time.sleep(TICK);
    }
  }

  /** Brings into the ledger what happened while it could not be told. */
  private void deliver() {
    var waiting = board.local().waiting(BATCH_MAX);
    if (waiting.isEmpty()) {
      return;
    }
    var actor = "node " + board.node();
    var outcome =
        append(table -> {
          var transaction = Transaction.by(actor);
          note(transaction, table, waiting);
          return Outcome.done(transaction);
        });
    switch (outcome) {
      case Outcome.Done<Long> _ -> {
        board.local().written(waiting);
        var _ = board.local().save();
      }
      case Outcome.Refused<Long>(var refusal) -> {
        if (complaints.reserve(time.nanos()) == 0) {
          LOG.warning(
              "what happened to rods is not in the ledger yet: "
                  + refusal.message()
                  + "; it is kept and tried again");
        }
      }
    }
  }

  /** Rods of the ledger whose time is over leave it. */
  private void bury() {
    var now = time.now();
    var over = board.table().all().stream().filter(rod -> !rod.acts(now)).limit(BATCH_MAX).toList();
    if (over.isEmpty()) {
      return;
    }
    var _ =
        append(table -> {
          var transaction = Transaction.by("clock");
          var notes = new ArrayList<RodNote>();
          for (var rod : over) {
            var found = table.rods().get(rod.key());
            if (found != null && found.value().equals(rod)) {
              transaction.delete(rod.key(), Transaction.at(found.revision()));
              var note = RodNote.of(RodNote.Event.EXPIRED, rod, now, "clock", null, null);
              notes.add(note.with(board.effectEverywhere(rod), false));
            }
          }
          note(transaction, table, notes);
          return Outcome.done(transaction);
        });
  }

  @Override
  public void close() {
    scribe.close();
    follower.close();
  }
}
