package dev.holdfast.ledger;

import dev.holdfast.ledger.FollowerReport.Blocked;
import dev.holdfast.limits.Backoff;
import dev.holdfast.limits.Check;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What a follower does next. One call of {@link #step} is one round: load, hear, follow, compare
 * with the beacon, rebuild, keep on disk. It has no thread and no clock, chance is an argument, and
 * feed and disk are ports, so that the simulation drives the very code that runs. Confined to one
 * thread.
 */
final class Pursuit<V> {
  static final int READ_MAX = 512;
  static final Duration IDLE = Duration.ofSeconds(1);
  private static final Duration SOON = Duration.ofMillis(50);
  private static final Duration MARK_EVERY = Duration.ofSeconds(10);
  private static final Backoff RETRY =
      Backoff.fullJitter(Duration.ofMillis(100), Duration.ofSeconds(5));

  /**
   * What to wait for before the next step.
   *
   * @param beyond the head's moving beyond this position ends the wait; negative: nothing does
   */
  record Next(long beyond, Duration atMost) {}

  private final String name;
  private final Feed feed;
  private final Fold<V> fold;
  private final FollowerConfig config;
  private final Shelf shelf;
  private final RandomGenerator random;
  final Verdicts verdicts = new Verdicts();
  private final Survey survey;
  private final Watch watch;
  private final Hearing hearing;
  private final Rebuild<V> rebuild;

  private Book<V> book;
  private boolean loaded;
  private boolean shelfTried;
  private boolean warm;
  private @Nullable String held;
  private @Nullable Blocked blocked;
  private long suspect; // an unreadable envelope that is asked for once more
  private long gapAt;
  private long gapSinceNanos;
  private long markedNanos;
  private final List<Shelf.Frame> frames = new ArrayList<>();
  private int failuresInARow;
  private long failures;
  private @Nullable String failing;
  private long duplicates;
  private long gaps;
  private long nanos;
  private Instant wall = Instant.EPOCH;

  Pursuit(
      String name,
      Feed feed,
      Fold<V> fold,
      FollowerConfig config,
      Shelf shelf,
      RandomGenerator random) {
    this.name = name;
    this.feed = feed;
    this.fold = fold;
    this.config = config;
    this.shelf = shelf;
    this.random = random;
    book = new Book<>(fold);
    survey = new Survey(feed, config, verdicts);
    watch = new Watch(feed, verdicts, survey);
    hearing = new Hearing(fold, config);
    rebuild = new Rebuild<>(feed, fold, shelf, verdicts, random);
  }

  View<V> view() {
    return new View<>(book.position(), book.digest(), book.value());
  }

  /** Stops applying until {@link #release}; beacons go on being heard. */
  void hold(String reason) {
    held = reason;
  }

  /** Ends what {@link #hold} began. */
  void release() {
    held = null;
  }

  /** A decision that did not come through the ledger. */
  void rule(Verdict verdict) {
    verdicts.take(verdict);
  }

  /**
   * One round.
   *
   * @param nanos monotonic time, see {@link dev.holdfast.limits.Time#nanos}
   * @param wall the same moment for people
   * @throws InterruptedException when the thread is asked to end
   */
  @SuppressWarnings("CatchThrowable") // a feed that throws an error is a feed that does not answer
  Next step(long nanos, Instant wall) throws InterruptedException {
    this.nanos = nanos;
    this.wall = wall;
    try {
      var next = round();
      failuresInARow = 0;
      failing = null;
      return next;
    } catch (InterruptedException e) {
      throw e;
    } catch (Throwable t) {
      failures++;
      failuresInARow++;
      failing = "the feed does not answer: " + Check.printable("" + t.getMessage());
      return rest(RETRY.delay(failuresInARow, random));
    } finally {
      keep();
    }
  }

  private Next round() throws StoreException, InterruptedException {
    hearing.listen(feed.beacon(), book.position());
    if (!loaded) {
      load();
    }
    if (held != null) {
      return held();
    }
    if (blocked != null) {
      watch();
      if (blocked != null) {
        return new Next(watch.reached(), IDLE);
      }
    }
    var next = follow();
    keep();
    compare();
    rebuild();
    return next;
  }

  private static Next rest(Duration wait) {
    return new Next(-1, wait);
  }

  private Next held() throws InterruptedException {
    hearing.head(feed.awaitBeyond(book.position(), Duration.ZERO));
    return rest(SOON);
  }

  // ---- loading

  private void load() throws StoreException, InterruptedException {
    if (!shelfTried) {
      shelfTried = true;
      var read = Replay.read(name, fold, verdicts, shelf);
      var mark = read.mark();
      if (mark != null) {
        book = read.book();
        book.advance(mark.position());
        hearing.knownAsOf(Instant.ofEpochMilli(mark.asOfMillis()));
        loaded = true;
        return;
      }
    }
    var draft = shelf.draft();
    var filling = new Filling<>(fold, verdicts, draft);
    try {
      filling.fill(feed, shelf);
    } catch (StoreException | RuntimeException | Error e) {
      draft.drop();
      throw e;
    }
    book = filling.book();
    draft.finish(new Shelf.Mark(book.position(), wall.toEpochMilli()));
    hearing.known(nanos, wall);
    loaded = true;
    warm = true;
    freeze(filling.blocked());
  }

  // ---- following

  private long cursor() {
    var shadow = rebuild.shadow();
    return shadow == null ? book.position() : Math.min(book.position(), shadow.position());
  }

  private Next follow() throws StoreException, InterruptedException {
    long from = cursor();
    long head = feed.awaitBeyond(from, Duration.ZERO);
    hearing.head(head);
    if (head <= from) {
      answered();
      warm |= hearing.known();
      return new Next(from, idle());
    }
    long oldest = feed.oldest();
    if (from + 1 < oldest) {
      rebuild.want("the entries from " + (from + 1) + " to " + (oldest - 1) + " are gone", nanos);
      return rest(SOON);
    }
    var entries = Sealed.inOrder(feed.read(from, READ_MAX));
    if (entries.isEmpty()) {
      throw new StoreException("nothing after " + from + " although the head is " + head);
    }
    answered();
    boolean waits = take(entries);
    warm |= book.position() >= head;
    if (blocked != null) {
      rebuild.drop();
      return new Next(watch.reached(), IDLE);
    }
    return waits ? rest(SOON) : new Next(cursor(), idle());
  }

  private Duration idle() {
    return rebuild.wait(nanos, IDLE);
  }

  private void answered() {
    if (!feed.beats()) {
      hearing.known(nanos, wall);
    }
  }

  /** Takes what can be taken; whether the rest has to be read again. */
  private boolean take(List<Sealed> entries) throws StoreException, InterruptedException {
    var batch = entries.stream().map(Envelope::open).toList();
    var stop = survey.of(batch, book);
    long cursor = cursor();
    for (int i = 0; i < batch.size(); i++) {
      long at = entries.get(i).position();
      if (at <= cursor) {
        duplicates++;
        continue;
      }
      if (at > cursor + 1 && !passGap(cursor + 1, at - 1)) {
        return true;
      }
      switch (batch.get(i)) {
        case Envelope.Decoded.Good(var entry) -> {
          if (stop != null && at == stop.from()) {
            freeze(stop);
          } else {
            verdicts.take(entry);
            apply(entries.get(i), entry);
          }
        }
        case Envelope.Decoded.Unreadable(var cause) -> {
          if (verdicts.says(Verdict.Action.SKIP, at)) {
            pass(at);
          } else if (suspect != at) {
            suspect = at;
            return true;
          } else {
            freeze(new Blocked(at, at, cause));
          }
        }
      }
      if (blocked != null) {
        return false;
      }
      cursor = at;
    }
    return false;
  }

  /** Whether the missing entries may be passed over. Freezes when they were missed for too long. */
  private boolean passGap(long from, long through) {
    if (verdicts.says(Verdict.Action.SKIP, from, through)) {
      pass(through);
      return true;
    }
    if (gapAt != from) {
      gapAt = from;
      gapSinceNanos = nanos;
      gaps++;
    } else if (nanos - gapSinceNanos >= config.gapWait().toNanos()) {
      freeze(
          new Blocked(
              from, through, "the entries from " + from + " to " + through + " are missing"));
    }
    return false;
  }

  private void pass(long to) {
    book.advance(Math.max(book.position(), to));
    var shadow = rebuild.shadow();
    if (shadow != null) {
      shadow.advance(Math.max(shadow.position(), to));
    }
  }

  private void apply(Sealed sealed, Entry entry) {
    boolean skip = survey.guards(entry) && verdicts.says(Verdict.Action.SKIP, entry.position());
    var shadow = rebuild.shadow();
    if (shadow != null && shadow.position() < entry.position()) {
      if (apply(shadow, entry, skip)) {
        shadow.advance(entry.position());
        rebuild.add(Filling.frame(shadow, sealed, entry, skip));
      } else {
        rebuild.drop();
      }
    }
    if (book.position() < entry.position()) {
      if (!apply(book, entry, skip)) {
        freeze(
            new Blocked(
                entry.position(),
                entry.position(),
                "more than " + Follower.QUARANTINE_MAX + " keys in quarantine"));
        return;
      }
      if (!skip) {
        survey.applied(entry);
        if (book.isQuarantined(entry.key())) {
          verdicts.refused(entry.position());
        }
      }
      book.advance(entry.position());
      if (book.touched()) {
        frames.add(Filling.frame(book, sealed, entry, skip));
      }
    }
  }

  private boolean apply(Book<V> to, Entry entry, boolean skip) {
    if (!skip) {
      return to.apply(entry)
          || (verdicts.says(Verdict.Action.SKIP, entry.position()) && passOver(to, entry));
    }
    return passOver(to, entry);
  }

  private static boolean passOver(Book<?> book, Entry entry) {
    book.hold(entry, Filling.passedOver(entry), true);
    return true;
  }

  // ---- frozen

  private void freeze(@Nullable Blocked by) {
    if (by != null) {
      blocked = by;
      verdicts.stopped(by);
      watch.from(book.position());
      gapAt = 0;
      suspect = 0;
    }
  }

  private void watch() throws StoreException, InterruptedException {
    hearing.head(watch.look(book.position()));
    answered();
    var by = blocked;
    if (by != null && (verdicts.decided(by.from()) || watch.isGone(by, book))) {
      if (verdicts.says(Verdict.Action.APPLY, by.from())) {
        rebuild.allowLoss();
      }
      blocked = null;
    }
  }

  // ---- beacons

  private void compare() {
    var shadow = rebuild.shadow();
    for (var beacon : hearing.due(book, shadow)) {
      var agrees = hearing.compare(beacon, book, nanos, wall);
      if (shadow != null && shadow == rebuild.shadow()) {
        var same = hearing.agrees(beacon, shadow);
        if (same != null) {
          judge(same);
        }
      }
      if (Boolean.FALSE.equals(agrees) && hearing.divergence() != null) {
        rebuild.want("the digest at " + beacon.position() + " differs", nanos);
      } else if (Boolean.TRUE.equals(agrees)) {
        rebuild.agreed(nanos);
      }
    }
  }

  private void judge(boolean same) {
    if (!same) {
      rebuild.refuse(nanos);
      return;
    }
    var shadow = rebuild.shadow();
    if (shadow == null) {
      return;
    }
    if (!rebuild.lossAllowed()) {
      var loss = survey.loss(book, shadow);
      if (loss != null) {
        rebuild.refuse(nanos);
        freeze(loss);
        return;
      }
    }
    frames.clear(); // they are in the draft
    book = rebuild.swap(new Shelf.Mark(shadow.position(), wall.toEpochMilli()));
    hearing.swapped(book.position(), nanos, wall);
  }

  private void rebuild() throws StoreException {
    if (blocked != null) {
      return;
    }
    if (shelf.wantsDraft()) {
      rebuild.wantSeldom("the copy on disk cannot be continued", nanos);
    }
    if (!rebuild.due(nanos)) {
      return;
    }
    var stop = rebuild.build(nanos);
    if (stop != null) {
      freeze(stop);
    } else if (feed.beacon() == null && rebuild.shadow() != null) {
      judge(true); // nothing will ever come that it could be compared with
    }
  }

  // ---- disk

  private void keep() {
    if (!loaded) {
      return;
    }
    boolean due = nanos - markedNanos >= MARK_EVERY.toNanos() && hearing.fresh(nanos);
    if (!frames.isEmpty() || due) {
      shelf.append(frames, new Shelf.Mark(book.position(), hearing.lastKnown(wall).toEpochMilli()));
      frames.clear();
      markedNanos = nanos;
    }
  }

  // ---- telling

  Standing standing() {
    var by = blocked;
    if (by != null) {
      return new Standing.Frozen(book.position(), by.cause());
    }
    if (held != null) {
      return new Standing.Frozen(book.position(), "held: " + held);
    }
    if (!loaded) {
      return new Standing.Warming();
    }
    var silence = hearing.silentSince(nanos);
    if (silence != null) {
      return new Standing.Stale(silence);
    }
    if (!warm) {
      return new Standing.Warming();
    }
    return book.causes().isEmpty()
        ? new Standing.Following()
        : new Standing.Quarantining(book.causes());
  }

  FollowerReport report() {
    return new FollowerReport(
        name,
        standing(),
        book.position(),
        Math.max(hearing.head(), book.position()),
        book.digest(),
        book.seen(),
        book.causes(),
        blocked,
        hearing.agreedAt(),
        hearing.divergence(),
        new FollowerReport.Counts(
            hearing.divergences(),
            rebuild.rebuilds(),
            rebuild.swaps(),
            book.misapplied(),
            duplicates,
            gaps,
            failures),
        hearing.knownAt(),
        failing == null ? shelf.trouble() : failing);
  }
}
