package dev.holdfast.ledger;

import dev.holdfast.ledger.FollowerReport.Blocked;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Looks ahead for a mass deletion before any of it is applied. What is read ahead is counted and
 * let go, apart from the hashes of the keys, at most {@value #AHEAD_MAX} entries. Confined to the
 * follower's thread.
 *
 * <p>Deletions that come so slowly that each is applied before the next one is written are counted
 * as well, and stop the run at the bound, not at its beginning.
 */
final class Survey {
  static final int AHEAD_MAX = 131_072;

  private final Feed feed;
  private final Guard guard;
  private final Verdicts verdicts;
  private final FollowerConfig config;
  private long surveyedTo;

  Survey(Feed feed, FollowerConfig config, Verdicts verdicts) {
    this.feed = feed;
    this.config = config;
    this.verdicts = verdicts;
    guard = new Guard(config);
  }

  private static final class Run {
    final HashSet<Long> gone = new HashSet<>();
    long first;
    long last;
    long endMillis;

    void add(Entry entry) {
      first = first == 0 ? entry.position() : first;
      last = entry.position();
      gone.add(Digest.ofKey(entry.key()));
      endMillis = entry.time().toEpochMilli();
    }

    void writtenAgain(Entry entry) {
      gone.remove(Digest.ofKey(entry.key()));
    }

    int count() {
      return gone.size();
    }
  }

  boolean guards(Entry entry) {
    return guard.counts(entry);
  }

  void applied(Entry entry) {
    guard.applied(entry);
  }

  /** Where the batch has to stop because what comes there deletes too much, or null. */
  @Nullable Blocked of(List<Envelope.Decoded> batch, Book<?> book)
      throws StoreException, InterruptedException {
    var runs = new HashMap<String, Run>();
    long last = 0;
    for (var decoded : batch) {
      if (decoded instanceof Envelope.Decoded.Good(var entry)) {
        last = entry.position();
        count(entry, book, runs);
      }
    }
    for (var run : runs.entrySet()) {
      var kind = run.getKey();
      int recent = guard.recent(kind, run.getValue().endMillis);
      if (run.getValue().last <= surveyedTo || !guard.many(recent + run.getValue().count())) {
        continue;
      }
      long end = ahead(last, book, runs);
      long before = (long) book.live(kind) + recent;
      if (guard.suspicious(recent + run.getValue().count(), before)) {
        return blocked(kind, run.getValue(), recent, before);
      }
      surveyedTo = end;
    }
    return null;
  }

  /** What a rebuilt view would lose on a suspicious scale, or null. */
  @Nullable Blocked loss(Book<?> book, Book<?> rebuilt) {
    for (var kind : config.guarded()) {
      long before = book.live(kind);
      long lost = before - rebuilt.live(kind);
      if (lost > 0 && guard.suspicious(lost, before)) {
        long at = Math.max(1, rebuilt.position());
        return new Blocked(
            at, at, "the ledger as of " + at + " lacks " + of(lost, before, kind) + " served here");
      }
    }
    return null;
  }

  private void count(Entry entry, Book<?> book, Map<String, Run> runs) {
    if (entry.position() <= book.position() || !guard.guards(entry.kind())) {
      return;
    }
    if (!entry.deleted()) {
      var run = runs.get(entry.kind());
      if (run != null) {
        run.writtenAgain(entry);
      }
    } else if (!verdicts.decided(entry.position()) && book.lives(entry.key())) {
      runs.computeIfAbsent(entry.kind(), _ -> new Run()).add(entry);
    }
  }

  /** Counts on beyond the batch; the position up to which it did. */
  private long ahead(long from, Book<?> book, Map<String, Run> runs)
      throws StoreException, InterruptedException {
    long at = from;
    for (int read = 0; read < AHEAD_MAX; ) {
      if (feed.awaitBeyond(at, Duration.ZERO) <= at) {
        break; // a feed may wait for more instead of saying that there is none
      }
      var entries = feed.read(at, Pursuit.READ_MAX);
      if (entries.isEmpty()) {
        break;
      }
      for (var sealed : entries) {
        if (Envelope.open(sealed) instanceof Envelope.Decoded.Good(var entry)
            && entry.position() > at
            && runs.containsKey(entry.kind())) {
          count(entry, book, runs);
        }
      }
      read += entries.size();
      long reached = entries.getLast().position();
      if (reached <= at) {
        break;
      }
      at = reached;
    }
    return at;
  }

  private static Blocked blocked(String kind, Run run, int recent, long before) {
    return new Blocked(
        run.first,
        run.last,
        "the entries from "
            + run.first
            + " to "
            + run.last
            + " delete "
            + of(run.count() + recent, before, kind)
            + (recent == 0 ? "" : ", " + recent + " just before included"));
  }

  private static String of(long count, long before, String kind) {
    return count + " of " + before + " keys of kind " + kind;
  }
}
