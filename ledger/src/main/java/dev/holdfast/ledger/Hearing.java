package dev.holdfast.ledger;

import dev.holdfast.ledger.FollowerReport.Divergence;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a follower knows of the ledger beside its entries: how far it is, whether their digests
 * agree, and when the view was last known to be right. Of a feed with beacons only a beacon that
 * agrees says so: neither entries that come without beacons nor beacons that cannot be compared do.
 * Confined to the follower's thread.
 */
final class Hearing {
  private static final int PENDING_MAX = 16; // beacons that wait for their position
  private static final int BEHIND_MAX = 3; // one beacon may be late, three in a row are not

  private final Fold<?> fold;
  private final long staleNanos;
  private final ArrayDeque<Beacon> pending = new ArrayDeque<>();
  private @Nullable Beacon last;
  private long positionAtLast;
  private int behind;
  private long head;
  private boolean known;
  private long knownNanos;
  private @Nullable Instant knownAt;
  private long agreedAt;
  private @Nullable Divergence divergence;
  private long divergences;

  Hearing(Fold<?> fold, FollowerConfig config) {
    this.fold = fold;
    staleNanos = config.staleAfter().toNanos();
  }

  /** Takes the feed's newest beacon. */
  @SuppressWarnings("ReferenceEquality") // another one with equal content is news all the same
  void listen(@Nullable Beacon beacon, long position) {
    if (beacon == null || beacon == last) {
      return;
    }
    last = beacon;
    head = beacon.head();
    behind = beacon.head() < positionAtLast ? behind + 1 : 0;
    positionAtLast = position;
    pending.add(beacon);
    if (pending.size() > PENDING_MAX) {
      pending.poll();
    }
  }

  /** The view is right now, as far as anybody can say. */
  void known(long nanos, Instant wall) {
    known = true;
    knownNanos = nanos;
    knownAt = wall;
  }

  /** Before anything was heard: what is served was right then. */
  void knownAsOf(Instant at) {
    knownAt = at;
  }

  void head(long at) {
    head = Math.max(head, at);
  }

  long head() {
    return head;
  }

  boolean known() {
    return known;
  }

  @Nullable Instant knownAt() {
    return knownAt;
  }

  boolean fresh(long nanos) {
    return known && nanos - knownNanos <= staleNanos;
  }

  /** When the view was last known to be right, or {@code wall} when nothing is known at all. */
  Instant lastKnown(Instant wall) {
    var at = knownAt;
    return at == null ? wall : at;
  }

  /** Since when the view is not known to be right, or null while it is. */
  @Nullable Instant silentSince(long nanos) {
    return fresh(nanos) ? null : knownAt;
  }

  /** The beacons whose positions were reached. */
  List<Beacon> due(Book<?> book, @Nullable Book<?> shadow) {
    long reached = shadow == null ? book.position() : shadow.position();
    var due = new ArrayList<Beacon>();
    pending.removeIf(beacon -> beacon.position() <= reached && due.add(beacon));
    return due;
  }

  /** Whether the view agrees with the ledger, or null when that cannot be said. */
  @Nullable Boolean compare(Beacon beacon, Book<?> book, long nanos, Instant wall) {
    if (behind >= BEHIND_MAX) {
      return diverged(beacon, wall, "it is at " + beacon.head() + ", behind " + book.position());
    }
    var same = agrees(beacon, book);
    if (Boolean.TRUE.equals(same)) {
      agreed(beacon.position());
      known(nanos, wall);
    } else if (Boolean.FALSE.equals(same)) {
      return diverged(
          beacon,
          wall,
          "its digest is "
              + Long.toHexString(expected(beacon))
              + ", not "
              + Long.toHexString(orZero(book.seenAt(beacon.position()))));
    }
    return same;
  }

  private static long orZero(@Nullable Long digest) {
    return digest == null ? 0 : digest;
  }

  private Boolean diverged(Beacon beacon, Instant wall, String how) {
    divergences++;
    var known = divergence;
    divergence =
        new Divergence(
            beacon.position(),
            known == null ? wall : known.since(),
            "the ledger says of itself at " + beacon.position() + " that " + how);
    return Boolean.FALSE;
  }

  /** Whether the book had the beacon's digest at its position, or null when it does not know. */
  @Nullable Boolean agrees(Beacon beacon, Book<?> book) {
    var seen = book.seenAt(beacon.position());
    return seen == null ? null : seen == expected(beacon);
  }

  private void agreed(long position) {
    agreedAt = position;
    divergence = null;
  }

  /** Another view is in place, which may be at an earlier position. */
  void swapped(long position, long nanos, Instant wall) {
    agreed(position);
    known(nanos, wall);
    behind = 0;
    positionAtLast = 0;
  }

  private long expected(Beacon beacon) {
    return expected(fold, beacon);
  }

  /** What a follower with that fold must have seen. */
  static long expected(Fold<?> fold, Beacon beacon) {
    long sum = 0;
    for (var digest : beacon.digests().entrySet()) {
      if (Book.reads(fold, digest.getKey())) {
        sum += digest.getValue();
      }
    }
    return sum;
  }

  long agreedAt() {
    return agreedAt;
  }

  @Nullable Divergence divergence() {
    return divergence;
  }

  long divergences() {
    return divergences;
  }
}
