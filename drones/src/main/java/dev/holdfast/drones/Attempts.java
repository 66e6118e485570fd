package dev.holdfast.drones;

import dev.holdfast.ledger.Envelope;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Optimistic changes: decide against the view, append under the preconditions that the decision
 * rests on, and decide again when somebody else was faster. Thread-safe.
 */
final class Attempts {
  private static final int TRIES_MAX = 50;
  private static final Duration APPLY_WAIT = Duration.ofSeconds(5);

  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final Ledger ledger;
  private final Follower<Fleet> follower;
  private final ReentrantLock again = new ReentrantLock(true);

  /** A transaction and what the caller gets when it is done; no transaction: nothing to do. */
  record Attempt<T>(@Nullable Transaction transaction, T value) {}

  /** A change of an app that exists. */
  interface OnApp<T> {
    Outcome<Attempt<T>> apply(Fleet fleet, Fleet.Versioned<App> app);
  }

  Attempts(Ledger ledger, Follower<Fleet> follower) {
    this.ledger = ledger;
    this.follower = follower;
  }

  static <T> Outcome<Attempt<T>> ok(@Nullable Transaction transaction, T value) {
    return Outcome.done(new Attempt<>(transaction, value));
  }

  <T> Outcome<T> onApp(String name, OnApp<T> change) {
    return run(fleet -> {
      var app = fleet.versioned(name);
      return app == null
          ? Outcome.refused(
              new Refusal.NotFound("app " + Check.printable(name) + ": does not exist"))
          : change.apply(fleet, app);
    });
  }

  <T> Outcome<T> run(Function<Fleet, Outcome<Attempt<T>>> change) {
    Outcome<T> last = Outcome.refused(new Refusal.Stale("nothing was tried"));
    try {
      for (int i = 0; i < TRIES_MAX; i++) {
        var view = follower.view();
        Outcome<Attempt<T>> attempt;
        try {
          attempt = change.apply(view.value());
        } catch (IllegalArgumentException e) {
          return Outcome.refused(new Refusal.Invalid(String.valueOf(e.getMessage())));
        }
        var transaction =
            attempt instanceof Outcome.Done<Attempt<T>>(var ready) ? ready.transaction() : null;
        if (transaction == null || transaction.isEmpty()) {
          if (i == 0 && view.position() < ledger.head() && settle()) {
            continue; // nothing to do, or a refusal, but of a past that is over
          }
          return attempt.map(Attempt::value);
        }
        last = ledger.append(transaction).map(_ -> attempt.orThrow().value());
        if (!settle() || !somebodyWasFaster(last)) {
          return last; // without what was decided meanwhile, another try would not help
        }
        if (!again.isHeldByCurrentThread()) {
          again.lock(); // who lost stands in line, or a crowd would use up everybody's tries
        }
      }
      return last;
    } finally {
      if (again.isHeldByCurrentThread()) {
        again.unlock();
      }
    }
  }

  private static boolean somebodyWasFaster(Outcome<?> outcome) {
    return outcome instanceof Outcome.Refused<?>(var refusal)
        && (refusal instanceof Refusal.Stale
            || refusal instanceof Refusal.Conflict
            || refusal instanceof Refusal.NotFound);
  }

  /** Why the host cannot be had, or null; asks the ledger, since a fleet knows no addresses. */
  @Nullable Refusal taken(String host) {
    try {
      var route = route(host);
      return route == null
          ? null
          : new Refusal.Conflict(
              "host "
                  + host
                  + ": routed already, to "
                  + (route.service() == null ? route.address() : "app " + route.service()));
    } catch (StoreException e) {
      return new Refusal.Unavailable(String.valueOf(e.getMessage()), RETRY_AFTER);
    }
  }

  private @Nullable Route route(String host) throws StoreException {
    var sealed = ledger.latest(Route.key(host));
    if (sealed == null) {
      return null;
    }
    return switch (Envelope.decode(sealed.envelope())) {
      case Envelope.Decoded.Good(var entry) -> entry.deleted() ? null : Route.KIND.decode(entry);
      case Envelope.Decoded.Unreadable(var cause) ->
          throw new StoreException("the route of " + host + " cannot be read: " + cause);
    };
  }

  /**
   * Waits until what is in the ledger now is in the view, so that a caller reads its own writes;
   * false when it did not come so far.
   */
  boolean settle() {
    try {
      return follower.awaitApplied(ledger.head(), APPLY_WAIT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
