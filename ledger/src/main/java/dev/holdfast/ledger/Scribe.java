package dev.holdfast.ledger;

import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Decides groups of requests against the store and commits each at once. Confined to the ledger's
 * writer.
 */
final class Scribe {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);
  private static final int COMPACTED_AT_A_TIME = 2_000;

  private final Store store;
  private final Kinds kinds;
  private final Time time;
  private final Consumer<Store.Progress> told;

  /**
   * Has written nothing yet.
   *
   * @param told how far the store is after each commit, and before something is removed
   */
  Scribe(Store store, Kinds kinds, Time time, Consumer<Store.Progress> told) {
    this.store = store;
    this.kinds = kinds;
    this.time = time;
    this.told = told;
  }

  /** Why the store did not take a request, for its caller. */
  static Refusal notTaken(@Nullable Throwable cause) {
    var what =
        cause instanceof StoreInDoubt
            ? "whether the store took it is not known, look before you repeat it: "
            : "the store did not take it: ";
    return new Refusal.Unavailable(what + cause(cause), RETRY_AFTER);
  }

  /** What became of a group. */
  sealed interface Tried {
    record Answered() implements Tried {}

    /** One of several could not even be decided, and none was answered. */
    record Undecided() implements Tried {}

    /** Nothing was written, none was answered, and it may be tried again. */
    record Away(StoreAway cause) implements Tried {}
  }

  /**
   * Decides and commits the group. Whatever is thrown, this thread goes on and nobody is left
   * without an answer.
   */
  @SuppressWarnings("CatchThrowable")
  Tried commit(List<Pending> group) {
    boolean decided = false;
    @Nullable Throwable failure = null;
    List<Outcome<Receipt>> outcomes = List.of();
    long newHead = 0;
    try {
      var batch = store.begin();
      try {
        var decisions = decide(batch, group);
        newHead = batch.head();
        decided = true;
        batch.commit();
        outcomes = decisions;
      } finally {
        batch.close();
      }
    } catch (Throwable t) {
      failure = t;
    }
    if (outcomes.isEmpty()) {
      if (failure instanceof StoreAway away) {
        return new Tried.Away(away);
      }
      if (group.size() > 1 && !decided && !(failure instanceof StoreException)) {
        return new Tried.Undecided();
      }
      var refusal = notTaken(failure);
      group.forEach(pending -> pending.refuse(refusal));
      return new Tried.Answered();
    }
    // Committed: what closing the batch may have thrown changes nothing.
    told.accept(new Store.Progress(newHead, 0));
    for (int i = 0; i < group.size(); i++) {
      group.get(i).complete(outcomes.get(i));
    }
    return new Tried.Answered();
  }

  private List<Outcome<Receipt>> decide(Store.Batch batch, List<Pending> group)
      throws StoreException {
    if (store.shared()) {
      var keys = new LinkedHashSet<String>();
      var leases = new LinkedHashSet<String>();
      group.forEach(pending -> pending.foretell(keys, leases));
      expect(batch, keys, leases);
    }
    var decisions = new ArrayList<Outcome<Receipt>>();
    for (var pending : group) {
      decisions.add(decide(batch, pending.request()));
    }
    return decisions;
  }

  private static void expect(Store.Batch batch, Set<String> keys, Set<String> leases)
      throws StoreAway {
    try {
      batch.expect(keys, leases);
    } catch (StoreAway e) {
      throw e;
    } catch (StoreException e) {
      throw new Undecided(e); // one of them may be what the store cannot even look for
    }
  }

  private static String cause(@Nullable Throwable failure) {
    var message = failure == null ? null : failure.getMessage();
    return message == null ? String.valueOf(failure) : message;
  }

  /**
   * What becomes of one request.
   *
   * @throws Undecided when the store refused a row, which may be this request's doing
   */
  private Outcome<Receipt> decide(Store.Batch batch, Pending.Request request) throws StoreAway {
    try {
      var agreed = batch.now();
      var now = (agreed == null ? time.now() : agreed).truncatedTo(ChronoUnit.MILLIS); // as kept
      return switch (request) {
        case Pending.Request.Append(var transaction) ->
            new Decision(batch, kinds, now).append(transaction);
        case Pending.Request.Renew(var key, var epoch, var ttl) ->
            new Decision(batch, kinds, now).renew(key, epoch, ttl);
        case Pending.Request.Compact(var from, var upTo) -> compact(batch, from, upTo);
      };
    } catch (StoreAway e) {
      throw e;
    } catch (StoreException e) {
      throw new Undecided(e);
    }
  }

  private Outcome<Receipt> compact(Store.Batch batch, long from, long upTo) throws StoreException {
    var done = batch.compact(from, upTo, COMPACTED_AT_A_TIME);
    told.accept(new Store.Progress(0, done.reached())); // before readers can miss what is removed
    return Outcome.done(new Receipt(done.reached(), List.of(), Map.of()));
  }

  private static final class Undecided extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Undecided(StoreException cause) {
      super(cause.getMessage(), cause);
    }
  }
}
