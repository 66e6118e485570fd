package dev.holdfast.ledger;

import dev.holdfast.limits.Check;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Folds a feed into immutable views on a thread of its own. {@link #view} is one volatile read,
 * from any thread; everything else is confined to the follower's thread.
 *
 * <p>Nothing that stands in the ledger can end it. An entry whose envelope is whole but which the
 * fold cannot take quarantines that key: the last good value stays, everything else moves on, a
 * later good entry of the key heals it. An envelope that cannot be read, a gap that reading again
 * does not fill, more keys in quarantine than its bound, or a mass deletion freezes it: it goes on
 * serving what it has, hears beacons, knows how far behind it is, and goes on when a {@link
 * Verdict} comes through the ledger or {@link #rule}, or when what was missing is there after all.
 * A feed that does not answer is asked again with growing waits, for ever.
 *
 * <p><b>What is compared.</b> Once a second the ledger says what the digest of its live keys is
 * ({@link Beacon}). A follower that lost, doubled or mixed up an entry disagrees when it reaches
 * that position, says so in {@link FollowerReport#divergence}, builds a second view in the shadow
 * and swaps when that one agrees. A digest is about entries, not about what the fold made of them;
 * that each entry is also shown is asked of the fold itself right after it was applied ({@link
 * Fold#shows}). {@link #unshown} asks about all of them, which is what finds a fold that changes
 * what belongs to another key later on.
 */
public final class Follower<V> implements AutoCloseable {
  /** Most keys that are in quarantine at a time; one more freezes the follower. */
  public static final int QUARANTINE_MAX = 1_000;

  private final String name;
  private final Feed feed;
  private final Fold<V> fold;
  private final Time time;
  private final Pursuit<V> pursuit;
  private final Set<String> guarded;
  private final Shelf shelf;
  private final Thread thread;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition published = lock.newCondition();
  private final ConcurrentLinkedQueue<Runnable> orders = new ConcurrentLinkedQueue<>();

  private volatile View<V> view;
  private volatile FollowerReport report;
  private final AtomicBoolean started = new AtomicBoolean();
  private volatile boolean closed;

  /** A follower that has read nothing yet; {@link #start} sets it going. */
  public Follower(String name, Feed feed, Fold<V> fold, Time time) {
    this(name, feed, fold, FollowerConfig.defaults(), time);
  }

  /** A follower that has read nothing yet; {@link #start} sets it going. */
  public Follower(String name, Feed feed, Fold<V> fold, FollowerConfig config, Time time) {
    this.name = name;
    this.feed = feed;
    this.fold = fold;
    this.time = time;
    guarded = config.guarded();
    var folder = config.shelf();
    shelf = folder == null ? Shelf.NONE : new FileShelf(folder, config.shelfBytesPerSecond(), time);
    pursuit = new Pursuit<>(name, feed, fold, config, shelf, time.random());
    report = pursuit.report();
    view = pursuit.view(); // who waits for a position finds what is said of it
    thread = Thread.ofPlatform().name("follower-" + name).daemon().unstarted(this::run);
  }

  /** Starts to follow. Idempotent. */
  public void start() {
    if (started.compareAndSet(false, true)) {
      thread.start();
    }
  }

  /** The newest view. */
  public View<V> view() {
    return view;
  }

  /** How it is doing. */
  public Standing standing() {
    return report.standing();
  }

  /** Everything that it can say of itself, as of its last round. */
  public FollowerReport report() {
    return report;
  }

  /**
   * Stops applying until {@link #release}, as an operator's rod does; what is served stays. Takes
   * effect within a second, before any entry that was not being applied already.
   */
  public void hold(String reason) {
    orders.add(() -> pursuit.hold(reason));
  }

  /** Ends what {@link #hold} began, within a second. */
  public void release() {
    orders.add(pursuit::release);
  }

  /** Decides for this follower alone, when the ledger cannot be written. Within a second. */
  public void rule(Verdict verdict) {
    orders.add(() -> pursuit.rule(verdict));
  }

  /**
   * Whether what came to this follower is what the beacon says, or null when it does not stand at
   * that position now. Any thread.
   */
  public @Nullable Boolean agrees(Beacon beacon) {
    var now = report;
    return now.position() == beacon.position()
        ? Boolean.valueOf(now.seen() == Hearing.expected(fold, beacon))
        : null;
  }

  /**
   * Live keys whose newest entry the served value does not show, at most {@code max}. Reads the
   * whole truth and asks the fold about each entry ({@link Fold#shows}); entries that are newer
   * than the view are let pass. Any thread.
   *
   * @throws StoreException when the truth cannot be read now
   */
  public List<String> unshown(Feed truth, int max) throws StoreException {
    var served = view;
    var keys = new ArrayList<String>();
    var _ =
        truth.snapshot(sealed -> {
          if (sealed.position() <= served.position()
              && keys.size() < max
              && Envelope.open(sealed) instanceof Envelope.Decoded.Good(var entry)
              && Book.reads(fold, entry.kind())
              && !shown(served.value(), entry)) {
            keys.add(entry.key());
          }
        });
    return keys;
  }

  private boolean shown(V value, Entry entry) {
    try {
      return fold.shows(value, entry);
    } catch (RuntimeException e) {
      return false; // it cannot even read it
    }
  }

  /** Whether it put the entry at that position in quarantine, as far as it remembers. */
  boolean refused(long position) {
    return pursuit.verdicts.isRefused(position);
  }

  /**
   * Whether this follower keeps what the entry deletes, since a mass deletion stopped it there and
   * a person said so. Any thread.
   */
  boolean passedOver(Entry entry) {
    return guarded.contains(entry.kind()) && pursuit.verdicts.passedOver(entry.position());
  }

  /** Whether a person said to go on without what cannot be read or is missing there. Any thread. */
  boolean passedOver(long position) {
    return pursuit.verdicts.says(Verdict.Action.SKIP, position);
  }

  /** Why this follower's fold would not take one of the entries, or null. Any thread. */
  @SuppressWarnings("CatchThrowable") // as when it is applied
  @Nullable String objection(List<Entry> entries) {
    var now = view.value();
    for (var entry : entries) {
      if (!Book.reads(fold, entry.kind())) {
        continue;
      }
      try {
        now = fold.apply(now, entry);
        if (!fold.shows(now, entry)) {
          return Check.message(entry.key(), "not shown after it was applied", "by " + name);
        }
      } catch (Throwable t) {
        return Check.message(entry.key(), "" + t, "something that " + name + " can apply");
      }
    }
    return null;
  }

  /**
   * Waits until everything up to {@code at} is in the view, or a later entry is.
   *
   * @return whether it came so far within {@code wait}
   * @throws InterruptedException when the thread is asked to end
   */
  public boolean awaitApplied(long at, Duration wait) throws InterruptedException {
    lock.lock();
    try {
      long leftNanos = wait.toNanos();
      while (!applied(at) && leftNanos > 0) {
        leftNanos = published.awaitNanos(leftNanos);
      }
      return applied(at);
    } finally {
      lock.unlock();
    }
  }

  private boolean applied(long at) {
    return view.position() >= at && !(standing() instanceof Standing.Warming);
  }

  /** Stops following; the last view can still be read. Idempotent. */
  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    try {
      thread.join(TimeUnit.SECONDS.toMillis(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @SuppressWarnings("CatchThrowable") // whatever it is, the thread goes on
  private void run() {
    try {
      while (!closed) {
        try {
          round();
        } catch (InterruptedException e) {
          return;
        } catch (Throwable t) {
          pause();
        }
      }
    } finally {
      shelf.close();
    }
  }

  private void round() throws InterruptedException {
    for (var order = orders.poll(); order != null; order = orders.poll()) {
      order.run();
    }
    var next = pursuit.step(time.nanos(), time.now());
    publish();
    if (next.beyond() < 0) {
      time.sleep(next.atMost());
    } else if (!next.atMost().isZero()) {
      feed.awaitBeyond(next.beyond(), next.atMost());
    }
  }

  private void pause() {
    try {
      time.sleep(Pursuit.IDLE);
    } catch (InterruptedException e) {
      closed = true;
    }
  }

  private void publish() {
    view = pursuit.view();
    report = pursuit.report();
    lock.lock();
    try {
      published.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
