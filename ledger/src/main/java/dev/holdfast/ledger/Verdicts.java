package dev.holdfast.ledger;

import dev.holdfast.ledger.FollowerReport.Blocked;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;

/**
 * The verdicts that a follower knows, and where it was stopped, at most {@value #KEPT_MAX} of each.
 * Written by its thread, read by any.
 */
final class Verdicts {
  static final int KEPT_MAX = 1_000;

  private final ConcurrentSkipListMap<Long, Verdict> byFrom = new ConcurrentSkipListMap<>();
  private final ConcurrentSkipListMap<Long, Long> stops = new ConcurrentSkipListMap<>();
  private final ConcurrentSkipListSet<Long> refused = new ConcurrentSkipListSet<>();

  /** Takes what the entry says when it is a verdict that can be read. */
  boolean take(Entry entry) {
    if (!entry.kind().equals(Verdict.KIND.name()) || entry.deleted()) {
      return false;
    }
    try {
      return take(Verdict.KIND.decode(entry));
    } catch (IllegalArgumentException e) {
      return false; // a verdict that says nothing decides nothing
    }
  }

  boolean take(Verdict verdict) {
    boolean news = !verdict.equals(byFrom.put(verdict.from(), verdict));
    while (byFrom.size() > KEPT_MAX) {
      byFrom.pollFirstEntry();
    }
    return news;
  }

  /** The follower put what stands there in quarantine, whatever became of its key since. */
  void refused(long position) {
    refused.add(position);
    while (refused.size() > KEPT_MAX) {
      refused.pollFirst();
    }
  }

  boolean isRefused(long position) {
    return refused.contains(position);
  }

  /** The follower was stopped there. */
  void stopped(Blocked by) {
    stops.merge(by.from(), by.through(), Math::max);
    while (stops.size() > KEPT_MAX) {
      stops.pollFirstEntry();
    }
  }

  /**
   * Whether the follower was stopped there and a person said to go on without what stands there.
   */
  boolean passedOver(long position) {
    var stop = stops.floorEntry(position);
    return stop != null && position <= stop.getValue() && says(Verdict.Action.SKIP, position);
  }

  boolean says(Verdict.Action action, long from, long through) {
    for (var verdict : byFrom.headMap(from, true).descendingMap().values()) {
      if (verdict.action() == action && verdict.covers(from) && verdict.covers(through)) {
        return true;
      }
    }
    return false;
  }

  boolean says(Verdict.Action action, long position) {
    return says(action, position, position);
  }

  /** Whether anybody decided anything about that position. */
  boolean decided(long position) {
    return says(Verdict.Action.SKIP, position) || says(Verdict.Action.APPLY, position);
  }
}
