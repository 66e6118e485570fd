package dev.holdfast.ledger;

import dev.holdfast.ledger.FollowerReport.Blocked;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Fills a new book from a feed's snapshot and writes what it keeps to a draft on the way, so that a
 * million entries are in memory once. Confined to one thread; used once.
 */
final class Filling<V> {
  private final Verdicts verdicts;
  private final Shelf.Draft draft;
  private final Book<V> book;
  private final Map<String, Shelf.Frame> bad = new LinkedHashMap<>();
  private final Map<Long, Blocked> stops = new LinkedHashMap<>();

  Filling(Fold<V> fold, Verdicts verdicts, Shelf.Draft draft) {
    this.verdicts = verdicts;
    this.draft = draft;
    book = new Book<>(fold);
  }

  /** Reads the whole snapshot; of keys that the fold cannot take, the last good value on disk. */
  void fill(Feed feed, Shelf shelf) throws StoreException {
    long head = feed.snapshot(this::take);
    reinstate(shelf);
    bad.values().forEach(draft::add);
    book.advance(head);
  }

  Book<V> book() {
    return book;
  }

  /** The first thing in the snapshot about which nobody decided yet, or null. */
  @Nullable Blocked blocked() {
    for (var stop : stops.values()) {
      if (!verdicts.says(Verdict.Action.SKIP, stop.from())) {
        return stop;
      }
    }
    return null;
  }

  private void take(Sealed sealed) {
    switch (Envelope.open(sealed)) {
      case Envelope.Decoded.Good(var entry) -> {
        verdicts.take(entry);
        if (!book.apply(entry)) {
          stop(sealed.position(), "more than " + Follower.QUARANTINE_MAX + " keys in quarantine");
        } else if (book.isQuarantined(entry.key())) {
          bad.put(entry.key(), frame(book, sealed, entry, false));
        } else if (book.touched()) {
          draft.add(frame(book, sealed, entry, false));
        }
      }
      case Envelope.Decoded.Unreadable(var cause) -> stop(sealed.position(), cause);
    }
  }

  private void stop(long position, String cause) {
    if (stops.size() < Verdicts.KEPT_MAX) {
      stops.put(position, new Blocked(position, position, cause));
    }
  }

  private void reinstate(Shelf shelf) {
    if (bad.isEmpty()) {
      return;
    }
    var good = new HashMap<Long, Shelf.Frame>();
    bad.values().forEach(frame -> good.put(frame.keyHash(), frame));
    var found = new HashMap<Long, Shelf.Frame>();
    var mark =
        shelf.load(_ -> {
          found.clear();
          return frame -> {
            if (good.containsKey(frame.keyHash())
                && (frame.flags() & (Shelf.QUARANTINED | Shelf.SKIPPED)) == 0) {
              found.put(frame.keyHash(), frame);
            }
          };
        });
    if (mark == null) {
      return;
    }
    for (var frame : found.values()) {
      if ((frame.flags() & Shelf.DELETED) == 0
          && Envelope.decode(frame.sealed().envelope()) instanceof Envelope.Decoded.Good(var e)) {
        book.reinstate(e);
        draft.add(frame);
      }
    }
  }

  /** What is kept of an entry that the book just took. */
  static Shelf.Frame frame(Book<?> book, Sealed sealed, Entry entry, boolean skipped) {
    int flags =
        (entry.deleted() ? Shelf.DELETED : 0)
            | (book.isQuarantined(entry.key()) ? Shelf.QUARANTINED : 0)
            | (skipped ? Shelf.SKIPPED : 0);
    return new Shelf.Frame(sealed, Digest.ofKey(entry.key()), flags);
  }

  /** Why a key whose newest entry a person decided not to apply is in quarantine. */
  static String passedOver(Entry entry) {
    return "position " + entry.position() + ": passed over by a verdict";
  }
}
