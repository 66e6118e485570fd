package dev.holdfast.ledger;

import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Everything that a follower can say of itself. Immutable.
 *
 * @param name which follower
 * @param standing how it is doing
 * @param position last entry that is in its view
 * @param head the ledger's head as far as it knows, also when it is frozen
 * @param digest sum over what it serves
 * @param seen sum over what came; differs from {@code digest} by the keys in quarantine only
 * @param quarantine why, by key
 * @param blocked first and last position that stopped it, or null when nothing does
 * @param agreedAt last position at which it agreed with a beacon; 0 when none was compared
 * @param divergence since when it disagrees with the ledger, or null when it does not
 * @param counts what happened since it started
 * @param knownAt when the view was last known to be right, or null when it never was
 * @param trouble what is wrong with its feed or its copy on disk, or null
 */
public record FollowerReport(
    String name,
    Standing standing,
    long position,
    long head,
    long digest,
    long seen,
    Map<String, String> quarantine,
    @Nullable Blocked blocked,
    long agreedAt,
    @Nullable Divergence divergence,
    Counts counts,
    @Nullable Instant knownAt,
    @Nullable String trouble) {

  /** What stops a frozen follower. A {@link Verdict} that covers {@code from} sets it free. */
  public record Blocked(long from, long through, String cause) {}

  /** A beacon that the follower's digest did not agree with, or that it could not be held to. */
  public record Divergence(long position, Instant since, String cause) {}

  /**
   * What happened since the start.
   *
   * @param divergences beacons that it disagreed with
   * @param rebuilds views that were built anew from a snapshot
   * @param swaps rebuilt views that agreed and took the place of the old one
   * @param misapplied entries after which the fold did not show what they say
   * @param duplicates entries that came again
   * @param gaps times that an entry was missing and had to be asked for again
   * @param failures times that the feed did not answer
   */
  public record Counts(
      long divergences,
      long rebuilds,
      long swaps,
      long misapplied,
      long duplicates,
      long gaps,
      long failures) {}

  /** Entries that it has yet to apply, as far as it knows. */
  public long lag() {
    return Math.max(0, head - position);
  }
}
