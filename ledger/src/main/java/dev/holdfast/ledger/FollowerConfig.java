package dev.holdfast.ledger;

import dev.holdfast.limits.Check;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A follower's bounds. Immutable.
 *
 * @param staleAfter how long no beacon may agree before the follower calls itself stale
 * @param gapWait how long a missing entry is asked for before its absence freezes the follower
 * @param guarded kinds of which a mass deletion freezes the follower before it is applied
 * @param deletionsMin fewer deletions than this are never suspicious
 * @param deletionsShare share of a kind's live keys that may be deleted within {@code
 *     deletionsWindow}, in (0, 1]
 * @param deletionsMax deletions within {@code deletionsWindow} that are suspicious whatever the
 *     share
 * @param deletionsWindow length of the run in which deletions are counted, by the entries' times
 * @param shelf folder in which a copy of the live entries is kept, or null for none
 * @param shelfBytesPerSecond how fast that copy is written anew in the background
 */
public record FollowerConfig(
    Duration staleAfter,
    Duration gapWait,
    Set<String> guarded,
    int deletionsMin,
    double deletionsShare,
    int deletionsMax,
    Duration deletionsWindow,
    @Nullable Path shelf,
    long shelfBytesPerSecond) {

  /** Refuses bounds that mean nothing. */
  public FollowerConfig {
    Check.that(staleAfter.isPositive(), "staleAfter", staleAfter, "> 0");
    Check.that(!gapWait.isNegative(), "gapWait", gapWait, ">= 0");
    Check.that(deletionsMin >= 1, "deletionsMin", deletionsMin, ">= 1");
    Check.that(
        deletionsShare > 0 && deletionsShare <= 1, "deletionsShare", deletionsShare, "in (0, 1]");
    Check.that(deletionsMax >= deletionsMin, "deletionsMax", deletionsMax, ">= " + deletionsMin);
    Check.that(deletionsWindow.isPositive(), "deletionsWindow", deletionsWindow, "> 0");
    Check.that(shelfBytesPerSecond >= 1, "shelfBytesPerSecond", shelfBytesPerSecond, ">= 1");
    guarded = Set.copyOf(guarded);
  }

  /**
   * Stale after 5 s; a gap is asked for during 2 s; of routes and services at least 50 and more
   * than 30 % of them, or more than 50,000, within 60 s are suspicious; nothing on disk.
   */
  public static FollowerConfig defaults() {
    return new FollowerConfig(
        Duration.ofSeconds(5),
        Duration.ofSeconds(2),
        Set.of(Route.KIND.name(), Service.KIND.name()),
        50,
        0.30,
        50_000,
        Duration.ofSeconds(60),
        null,
        32L << 20);
  }

  /** The same with a copy of the live entries in that folder. */
  public FollowerConfig withShelf(Path folder) {
    return new FollowerConfig(
        staleAfter,
        gapWait,
        guarded,
        deletionsMin,
        deletionsShare,
        deletionsMax,
        deletionsWindow,
        folder,
        shelfBytesPerSecond);
  }

  /** The same with other thresholds of the mass-deletion guard. */
  public FollowerConfig withDeletions(int min, double share, int max) {
    return new FollowerConfig(
        staleAfter, gapWait, guarded, min, share, max, deletionsWindow, shelf, shelfBytesPerSecond);
  }

  /** The same with other patience. */
  public FollowerConfig withPatience(Duration staleAfter, Duration gapWait) {
    return new FollowerConfig(
        staleAfter,
        gapWait,
        guarded,
        deletionsMin,
        deletionsShare,
        deletionsMax,
        deletionsWindow,
        shelf,
        shelfBytesPerSecond);
  }
}
