package dev.holdfast.ledger;

import dev.holdfast.limits.Check;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import org.jspecify.annotations.Nullable;

/**
 * Decides one transaction against an open batch: first every precondition, then every write, so
 * that a refusal has touched nothing. Confined to the writer thread; used once.
 */
final class Decision {
  /** Fewer deletions of one transaction need no word of their own. */
  private static final int NOTABLE_MIN = 10;

  private final Store.Batch batch;
  private final Kinds kinds;
  private final Instant now;
  private final ArrayList<Entry> entries = new ArrayList<>();
  private final HashMap<String, Long> epochs = new HashMap<>();

  Decision(Store.Batch batch, Kinds kinds, Instant now) {
    this.batch = batch;
    this.kinds = kinds;
    this.now = now;
  }

  Outcome<Receipt> append(Transaction transaction) throws StoreException {
    for (var step : transaction.steps()) {
      var refusal = refusal(step);
      if (refusal != null) {
        return Outcome.refused(refusal);
      }
    }
    for (var step : transaction.steps()) {
      write(step, transaction.actor());
    }
    var reason = transaction.meant();
    if (reason != null && entries.stream().filter(Decision::notable).count() >= NOTABLE_MIN) {
      confirm(transaction.actor(), reason);
    }
    return Outcome.done(new Receipt(batch.head(), entries, epochs));
  }

  private static boolean notable(Entry entry) {
    return entry.deleted()
        && (entry.kind().equals(Route.KIND.name()) || entry.kind().equals(Service.KIND.name()));
  }

  private void confirm(String actor, String reason) throws StoreException {
    long from = entries.getFirst().position();
    var verdict = new Verdict(from, entries.getLast().position(), Verdict.Action.APPLY, reason);
    var kind = Verdict.KIND;
    write(Verdict.key(from), kind.name(), kind.schema(), actor, kind.encode(verdict), false);
  }

  Outcome<Receipt> renew(String key, long epoch, Duration ttl) throws StoreException {
    var lease = batch.lease(key);
    if (lease == null || lease.epoch() != epoch) {
      return Outcome.refused(lost(key, epoch, lease));
    }
    if (lease.parent() != null) {
      return Outcome.refused(
          new Refusal.Invalid(Check.message("lease " + key, "a child", "a lease with a deadline")));
    }
    batch.renew(lease.renewed(now, ttl));
    return Outcome.done(new Receipt(batch.head(), entries, epochs));
  }

  private @Nullable Refusal refusal(Transaction.Step step) throws StoreException {
    return switch (step) {
      case Transaction.Step.Put s -> refusal(s.key(), s.expect());
      case Transaction.Step.Delete s -> refusal(s.key(), s.expect());
      case Transaction.Step.Require s -> refusal(s.key(), s.expect());
      case Transaction.Step.Grant s -> {
        var moved = refusal(Lease.entryKey(s.key()), s.expect());
        if (moved != null) {
          yield moved;
        }
        var lease = batch.lease(s.key());
        yield lease != null && alive(lease)
            ? new Refusal.Conflict("lease " + s.key() + ": held by " + lease.holder())
            : orphan(s);
      }
      case Transaction.Step.End s -> fence(s.key(), s.epoch());
      case Transaction.Step.Fence s -> fence(s.key(), s.epoch());
    };
  }

  private @Nullable Refusal orphan(Transaction.Step.Grant grant) throws StoreException {
    var parent = grant.parent();
    return parent != null && batch.lease(parent) == null
        ? new Refusal.Stale("lease " + grant.key() + ": its parent " + parent + " is not held")
        : null;
  }

  private @Nullable Refusal fence(String key, long epoch) throws StoreException {
    var lease = batch.lease(key);
    return lease == null || lease.epoch() != epoch ? lost(key, epoch, lease) : null;
  }

  private static Refusal lost(String key, long epoch, @Nullable Lease lease) {
    return new Refusal.Stale(
        Check.message(
            "epoch of lease " + key,
            epoch,
            lease == null ? "none, nobody holds it" : lease.epoch() + " of " + lease.holder()));
  }

  /** A child is alive while the parent's grant that it hangs on is; else it may be taken. */
  private boolean alive(Lease lease) throws StoreException {
    var deadline = lease.deadline();
    if (deadline != null) {
      return now.isBefore(deadline);
    }
    var parent = lease.parent() == null ? null : batch.lease(lease.parent());
    return parent != null && alive(parent) && granted(parent) < granted(lease);
  }

  /**
   * Position of a held lease's grant, its last entry. A child that is older than its parent's grant
   * hung on an earlier holder and died with that.
   */
  private long granted(Lease lease) throws StoreException {
    var head = batch.head(Lease.entryKey(lease.key()));
    return head == null ? 0 : head.position();
  }

  private @Nullable Refusal refusal(String key, Transaction.Expect expect) throws StoreException {
    var head = batch.head(key);
    boolean present = head != null && !head.deleted();
    return switch (expect) {
      case Transaction.Expect.Any _ -> null;
      case Transaction.Expect.Absent _ ->
          present ? new Refusal.Conflict(key + ": exists already") : null;
      case Transaction.Expect.Present _ ->
          present ? null : new Refusal.NotFound(key + ": does not exist");
      case Transaction.Expect.Revision(var revision) -> {
        long actual = head == null ? 0 : head.revision();
        yield actual == revision
            ? null
            : new Refusal.Stale(Check.message("revision of " + key, revision, "" + actual));
      }
    };
  }

  private void write(Transaction.Step step, String actor) throws StoreException {
    switch (step) {
      case Transaction.Step.Put s ->
          write(s.key(), s.kind().name(), s.kind().schema(), actor, s.payload(), false);
      case Transaction.Step.Delete s -> {
        var head = batch.head(s.key());
        if (head != null && !head.deleted()) {
          write(s.key(), head.kind(), 1, actor, Payload.EMPTY, true);
        }
      }
      case Transaction.Step.Grant s -> grant(s, actor);
      case Transaction.Step.End s -> {
        var lease = batch.lease(s.key());
        if (lease != null) {
          batch.end(s.key());
          write(lease, false, 0, actor);
        }
      }
      case Transaction.Step.Require _, Transaction.Step.Fence _ -> {}
    }
  }

  private void grant(Transaction.Step.Grant step, String actor) throws StoreException {
    if (batch.lease(step.key()) != null) {
      batch.end(step.key()); // expired: the entry that follows says who holds it now
    }
    var entryKey = Lease.entryKey(step.key());
    var head = batch.head(entryKey);
    long epoch = head == null ? 1 : head.revision() + 1;
    var ttl = step.ttl();
    var lease =
        new Lease(
            step.key(), step.holder(), epoch, step.parent(), ttl == null ? null : now.plus(ttl));
    batch.grant(lease);
    write(lease, true, ttl == null ? 0 : ttl.toMillis(), actor);
    epochs.put(step.key(), epoch);
  }

  private void write(Lease lease, boolean held, long ttlMillis, String actor)
      throws StoreException {
    var state = new Lease.State(lease.holder(), lease.epoch(), held, lease.parent(), ttlMillis);
    write(
        Lease.entryKey(lease.key()),
        Lease.KIND.name(),
        Lease.KIND.schema(),
        actor,
        Lease.KIND.encode(state),
        false);
  }

  private void write(
      String key, String kind, int schema, String actor, Payload payload, boolean deleted)
      throws StoreException {
    var head = batch.head(key);
    var entry =
        new Entry(
            batch.head() + 1,
            key,
            kind,
            schema,
            head == null ? 1 : head.revision() + 1,
            now,
            actor,
            deleted,
            payload);
    var envelope = Envelope.encode(entry);
    switch (Envelope.decode(envelope)) {
      case Envelope.Decoded.Good(var back) -> kinds.check(back);
      case Envelope.Decoded.Unreadable(var cause) ->
          throw new IllegalStateException("own envelope of " + key + " cannot be read: " + cause);
    }
    batch.append(entry, envelope);
    entries.add(entry);
  }
}
