package dev.holdfast.ledger;

import dev.holdfast.limits.Check;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The exclusive right of a holder to a key until a deadline, with an epoch that fences the past.
 * Immutable.
 *
 * <p>A lease ends when it is given back or when somebody else takes it after its deadline; until
 * then its holder may renew it, even late. A child lease has no deadline of its own: it lives as
 * long as its parent does.
 *
 * @param key what is held, such as {@code drone/d7}
 * @param holder who holds it
 * @param epoch number of this grant; of two grants of one key, the later has the higher epoch
 * @param parent key of the lease that this one hangs on, or null
 * @param deadline when others may take it; null exactly for a child
 */
public record Lease(
    String key, String holder, long epoch, @Nullable String parent, @Nullable Instant deadline) {

  /** Grants and ends as they stand in the ledger. */
  public static final Kind<State> KIND = Kind.open("lease", 1, State.class);

  /** What the ledger says of a lease; renewals are not entries. */
  public record State(
      String holder, long epoch, boolean held, @Nullable String parent, long ttlMillis) {
    /** Refuses a state without a holder. */
    public State {
      Objects.requireNonNull(holder, "holder");
    }
  }

  /** Refuses a lease that has both a parent and a deadline, or neither. */
  public Lease {
    Check.that(!holder.isEmpty(), "holder of " + key, holder, "somebody");
    Check.that(
        (parent == null) != (deadline == null),
        "parent of " + key,
        "" + parent,
        "either a parent or a deadline");
  }

  /** Where the lease's grants and ends stand in the ledger. */
  public static String entryKey(String leaseKey) {
    return "lease/" + leaseKey;
  }

  /** The same lease with a later deadline. */
  Lease renewed(Instant now, Duration ttl) {
    return new Lease(key, holder, epoch, null, now.plus(ttl));
  }
}
