package dev.holdfast.ledger;

import dev.holdfast.limits.Check;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A list of changes that happen together or not at all, each under a precondition. Built by one
 * thread, then handed to {@link Ledger#append} and not touched again.
 */
public final class Transaction {
  /** Most changes in one transaction. */
  public static final int STEPS_MAX = 2_000;

  /** What must be true of a key for a change to happen. */
  public sealed interface Expect {
    /** The key may be in any state. */
    record Any() implements Expect {}

    /** The key was never written, or is deleted. */
    record Absent() implements Expect {}

    /** The key exists, at any revision. */
    record Present() implements Expect {}

    /** The key is still at this revision. */
    record Revision(long revision) implements Expect {}
  }

  /** Any state will do. */
  public static final Expect ANY = new Expect.Any();

  /** The key must not exist. */
  public static final Expect ABSENT = new Expect.Absent();

  /** The key must exist. */
  public static final Expect PRESENT = new Expect.Present();

  /** The key must be at this revision. */
  public static Expect at(long revision) {
    return new Expect.Revision(revision);
  }

  sealed interface Step {
    String key();

    record Put(Kind<?> kind, String key, Payload payload, Expect expect) implements Step {}

    record Delete(String key, Expect expect) implements Step {}

    record Require(String key, Expect expect) implements Step {}

    record Grant(
        String key, String holder, @Nullable String parent, @Nullable Duration ttl, Expect expect)
        implements Step {}

    record End(String key, long epoch) implements Step {}

    record Fence(String key, long epoch) implements Step {}
  }

  private final String actor;
  private final List<Step> steps = new ArrayList<>();
  private @Nullable String meant;

  private Transaction(String actor) {
    this.actor = actor;
  }

  /**
   * An empty transaction.
   *
   * @param actor who asks, as it will stand in the ledger
   */
  public static Transaction by(String actor) {
    return new Transaction(actor);
  }

  /**
   * Says that all of its deletions are wanted, however many they are: with many of them a verdict
   * is written that lets followers apply them, who would take them for an accident otherwise.
   *
   * @param reason why, as it will stand in the ledger
   */
  public Transaction meant(String reason) {
    meant = reason;
    return this;
  }

  /** Why its deletions are wanted, or null. */
  @Nullable String meant() {
    return meant;
  }

  /** Sets the key's full state. */
  public <T> Transaction put(Kind<T> kind, String key, T value, Expect expect) {
    return add(new Step.Put(kind, key, kind.encode(value), expect));
  }

  /** Deletes the key; a key that is absent already stays as it is unless {@code expect} forbids. */
  public Transaction delete(String key, Expect expect) {
    return add(new Step.Delete(key, expect));
  }

  /** Changes nothing, but the whole transaction depends on it. */
  public Transaction require(String key, Expect expect) {
    return add(new Step.Require(key, expect));
  }

  /**
   * Takes a free or expired lease with a deadline of its own.
   *
   * @param expect what {@link Lease#entryKey} of the lease must be at; the new epoch is one more,
   *     so that a caller who names the revision knows the epoch beforehand
   */
  public Transaction grant(String key, String holder, Duration ttl, Expect expect) {
    Check.that(ttl.isPositive(), "ttl of " + key, ttl, "> 0");
    return add(new Step.Grant(key, holder, null, ttl, expect));
  }

  /** As {@link #grant}, for a lease that lives as long as its parent. */
  public Transaction grantChild(String key, String holder, String parent, Expect expect) {
    return add(new Step.Grant(key, holder, parent, null, expect));
  }

  /** Gives a lease back; refused as stale when the epoch is not the current one. */
  public Transaction end(String key, long epoch) {
    return add(new Step.End(key, epoch));
  }

  /** The whole transaction depends on this lease being held in this epoch. */
  public Transaction fence(String key, long epoch) {
    return add(new Step.Fence(key, epoch));
  }

  /** Whether nothing would happen. */
  public boolean isEmpty() {
    return steps.isEmpty();
  }

  String actor() {
    return actor;
  }

  List<Step> steps() {
    return steps;
  }

  private Transaction add(Step step) {
    Check.that(steps.size() < STEPS_MAX, "steps", steps.size() + 1, "at most " + STEPS_MAX);
    steps.add(step);
    return this;
  }
}
