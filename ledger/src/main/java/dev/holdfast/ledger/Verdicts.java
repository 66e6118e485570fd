package dev.holdfast.ledger;

import java.util.TreeMap;

/** The verdicts that a follower knows, at most {@value #KEPT_MAX}. Confined to its thread. */
final class Verdicts {
  static final int KEPT_MAX = 1_000;

  private final TreeMap<Long, Verdict> byFrom = new TreeMap<>();

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
