package dev.holdfast.ledger;

import dev.holdfast.ledger.FollowerReport.Blocked;
import dev.holdfast.limits.Backoff;
import java.time.Duration;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The shadow: a second view that is built from the feed's snapshot when the one that serves cannot
 * be trusted, takes every entry as that one does, and replaces it once a beacon agrees. Waits
 * between two of them grow, so that many followers that differ do not storm the ledger. Confined to
 * the follower's thread.
 */
final class Rebuild<V> {
  private static final Backoff WAITS =
      Backoff.fullJitter(Duration.ofSeconds(1), Duration.ofMinutes(5));
  private static final long JUDGED_WITHIN_NANOS = Duration.ofSeconds(30).toNanos();
  private static final long CALM_NANOS = Duration.ofMinutes(10).toNanos();

  private final Feed feed;
  private final Fold<V> fold;
  private final Shelf shelf;
  private final Verdicts verdicts;
  private final RandomGenerator random;
  private @Nullable String reason;
  private long dueNanos;
  private @Nullable Book<V> shadow;
  private Shelf.@Nullable Draft draft;
  private long builtNanos;
  private int inARow;
  private boolean lossAllowed;
  private long rebuilds;
  private long swaps;

  Rebuild(Feed feed, Fold<V> fold, Shelf shelf, Verdicts verdicts, RandomGenerator random) {
    this.feed = feed;
    this.fold = fold;
    this.shelf = shelf;
    this.verdicts = verdicts;
    this.random = random;
  }

  @Nullable Book<V> shadow() {
    return shadow;
  }

  /** How long there is nothing to do here, at most {@code most}. */
  Duration wait(long nanos, Duration most) {
    if (reason == null || shadow != null) {
      return most;
    }
    return Duration.ofNanos(Math.clamp(dueNanos - nanos, 1_000_000, most.toNanos()));
  }

  void want(String why, long nanos) {
    if (reason == null && shadow == null) {
      reason = why;
      dueNanos = nanos + WAITS.delay(inARow + 1, random).toNanos();
    }
  }

  /** As {@link #want}, but not when there was one lately. */
  void wantSeldom(String why, long nanos) {
    if (rebuilds == 0 || nanos - builtNanos >= CALM_NANOS) {
      want(why, nanos);
    }
  }

  /** The view that serves agrees with the ledger. */
  void agreed(long nanos) {
    if (rebuilds > 0 && nanos - builtNanos >= CALM_NANOS) {
      inARow = 0;
    }
  }

  boolean due(long nanos) {
    if (shadow != null && nanos - builtNanos >= JUDGED_WITHIN_NANOS) {
      refuse(nanos); // no beacon came that it could be held to
    }
    return reason != null && shadow == null && nanos - dueNanos >= 0;
  }

  /** Builds it; what in the snapshot a person has to decide about first, or null. */
  @Nullable Blocked build(long nanos) throws StoreException {
    rebuilds++;
    inARow++;
    builtNanos = nanos;
    dueNanos = nanos + WAITS.delay(inARow, random).toNanos();
    var fresh = shelf.draft();
    var filling = new Filling<>(fold, verdicts, fresh);
    try {
      filling.fill(feed, shelf);
    } catch (StoreException | RuntimeException | Error e) {
      fresh.drop();
      throw e;
    }
    var stop = filling.blocked();
    if (stop == null) {
      shadow = filling.book();
      draft = fresh;
    } else {
      fresh.drop();
    }
    return stop;
  }

  /** What the shadow applied. */
  void add(Shelf.Frame frame) {
    var open = draft;
    var book = shadow;
    if (open != null && book != null && book.touched()) {
      open.add(frame);
    }
  }

  /** It does not agree either, or may not be trusted: another one is tried later. */
  void refuse(long nanos) {
    drop();
    dueNanos = nanos + WAITS.delay(inARow + 1, random).toNanos();
  }

  void drop() {
    var open = draft;
    if (open != null) {
      open.drop();
    }
    draft = null;
    shadow = null;
  }

  /** The shadow, which serves from now on. */
  Book<V> swap(Shelf.Mark mark) {
    var book = shadow;
    var open = draft;
    if (book == null || open == null) {
      throw new IllegalStateException("nothing was rebuilt");
    }
    open.finish(mark);
    shadow = null;
    draft = null;
    reason = null;
    lossAllowed = false;
    swaps++;
    return book;
  }

  /** A person decided that the next one may lose as much as it does. */
  void allowLoss() {
    lossAllowed = true;
  }

  boolean lossAllowed() {
    return lossAllowed;
  }

  long rebuilds() {
    return rebuilds;
  }

  long swaps() {
    return swaps;
  }
}
