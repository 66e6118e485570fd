package dev.holdfast.ledger;

import dev.holdfast.limits.Check;
import java.util.Objects;

/**
 * What a person decided about entries that followers would not take by themselves. It stands in the
 * ledger as an entry, and that entry is the command: a frozen follower reads on, without applying
 * anything, until it finds one that covers what stopped it. Immutable.
 *
 * @param from first position that it is about
 * @param through last position that it is about
 * @param action what followers do there
 * @param reason why, in the words of who decided
 */
public record Verdict(long from, long through, Action action, String reason) {

  /** What followers do with the entries. */
  public enum Action {
    /**
     * What cannot be read, is missing, or deletes on a suspicious scale is passed over. A key whose
     * deletion was passed over keeps its last value and is in quarantine until it is written again.
     */
    SKIP,
    /** What deletes on a suspicious scale is applied after all. */
    APPLY
  }

  /** Longest reason in characters. */
  public static final int REASON_CHARS_MAX = 1_000;

  /** Verdicts as they stand in the ledger. */
  public static final Kind<Verdict> KIND = Kind.open("verdict", 1, Verdict.class);

  /** Refuses a range that is none and a reason that is too long or missing. */
  public Verdict {
    Check.that(from >= 1, "from", from, ">= 1");
    Check.that(through >= from, "through", through, ">= " + from);
    Objects.requireNonNull(action, "action");
    Check.that(
        !reason.isBlank() && reason.length() <= REASON_CHARS_MAX,
        "reason",
        reason,
        "1 to " + REASON_CHARS_MAX + " characters");
  }

  /** Where the verdict that begins at that position stands in the ledger. */
  public static String key(long from) {
    return "verdict/" + from;
  }

  boolean covers(long position) {
    return from <= position && position <= through;
  }
}
