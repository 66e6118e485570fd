package dev.holdfast.ledger;

import java.util.HashMap;
import java.util.LinkedHashMap;

/**
 * Counts the keys of a kind that are gone within a run of time and says when that is suspicious. A
 * key that was deleted and written again is not gone. Time is that of the entries, so that every
 * follower counts alike. Confined to the follower's thread; it holds at most {@link
 * FollowerConfig#deletionsMax} keys per kind.
 */
final class Guard {
  private final FollowerConfig config;
  private final long windowMillis;
  private final HashMap<String, LinkedHashMap<Long, Long>> applied = new HashMap<>(); // time by key

  Guard(FollowerConfig config) {
    this.config = config;
    windowMillis = config.deletionsWindow().toMillis();
  }

  /** Whether deletions of that kind are counted at all. */
  boolean guards(String kind) {
    return config.guarded().contains(kind);
  }

  /** Whether the entry is a deletion that is counted. */
  boolean counts(Entry entry) {
    return entry.deleted() && guards(entry.kind());
  }

  /** The entry was applied. */
  void applied(Entry entry) {
    if (!guards(entry.kind())) {
      return;
    }
    var gone = applied.computeIfAbsent(entry.kind(), _ -> new LinkedHashMap<>());
    long hash = Digest.ofKey(entry.key());
    gone.remove(hash);
    if (entry.deleted()) {
      gone.put(hash, entry.time().toEpochMilli());
      if (gone.size() > config.deletionsMax()) {
        gone.pollFirstEntry();
      }
    }
  }

  /** How many keys of that kind were deleted in the run that ends at that time, and not written. */
  int recent(String kind, long endMillis) {
    var gone = applied.get(kind);
    if (gone == null) {
      return 0;
    }
    for (var first = gone.firstEntry(); first != null; first = gone.firstEntry()) {
      if (first.getValue() >= endMillis - windowMillis) {
        break;
      }
      gone.pollFirstEntry();
    }
    return gone.size();
  }

  /** Whether so many deletions are worth a look ahead. */
  boolean many(int deletions) {
    return deletions >= config.deletionsMin();
  }

  /**
   * Whether losing so many of what lived before is suspicious.
   *
   * @param before how many keys of the kind lived before the run
   */
  boolean suspicious(long deletions, long before) {
    return many((int) Math.min(deletions, Integer.MAX_VALUE))
        && (deletions > config.deletionsMax() || deletions > config.deletionsShare() * before);
  }
}
