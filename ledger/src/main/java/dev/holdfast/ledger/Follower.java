package dev.holdfast.ledger;

import dev.holdfast.limits.Backoff;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.HashMap;
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
 * later good entry of the key heals it. An envelope that cannot be read, or a gap that reading
 * again does not fill, freezes it: it goes on serving what it has. A feed that does not answer is
 * asked again with growing waits, for ever.
 */
public final class Follower<V> implements AutoCloseable {
  /** Most keys that are in quarantine at a time; one more freezes the follower. */
  public static final int QUARANTINE_MAX = 1_000;

  private static final int READ_MAX = 512;
  private static final int TRIES_PER_ENTRY = 2; // the first failure may be its neighbour's doing
  private static final Duration IDLE = Duration.ofSeconds(1);
  private static final Backoff RETRY =
      Backoff.fullJitter(Duration.ofMillis(100), Duration.ofSeconds(5));

  private final Feed feed;
  private final Fold<V> fold;
  private final Time time;
  private final Thread thread;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition published = lock.newCondition();

  private final Parts parts = new Parts(); // of the digest, by live key
  private final HashMap<String, String> quarantine = new HashMap<>();
  private V value;
  private long position;
  private long digest;

  private volatile View<V> view;
  private volatile Standing standing = new Standing.Warming();
  private final AtomicBoolean started = new AtomicBoolean();
  private volatile boolean closed;

  /** A follower that has read nothing yet; {@link #start} sets it going. */
  public Follower(String name, Feed feed, Fold<V> fold, Time time) {
    this.feed = feed;
    this.fold = fold;
    this.time = time;
    value = fold.start();
    view = new View<>(0, 0, value);
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
    return standing;
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
      while ((view.position() < at || standing instanceof Standing.Warming) && leftNanos > 0) {
        leftNanos = published.awaitNanos(leftNanos);
      }
      return view.position() >= at && !(standing instanceof Standing.Warming);
    } finally {
      lock.unlock();
    }
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

  @SuppressWarnings("CatchThrowable") // a feed that throws an error is a feed that does not answer
  private void run() {
    int failures = 0;
    boolean loaded = false;
    while (!closed && !(standing instanceof Standing.Frozen)) {
      try {
        if (!loaded) {
          load();
          loaded = true;
        }
        follow();
        failures = 0;
      } catch (InterruptedException e) {
        return;
      } catch (Throwable t) {
        failures++;
        pause(RETRY.delay(failures, time.random()));
      }
    }
  }

  private void pause(Duration wait) {
    try {
      time.sleep(wait);
    } catch (InterruptedException e) {
      closed = true;
    }
  }

  private void load() throws StoreException {
    value = fold.start();
    digest = 0;
    parts.clear();
    quarantine.clear();
    long head =
        feed.snapshot(sealed -> {
          if (!(standing instanceof Standing.Frozen)) {
            open(sealed);
          }
        });
    if (!(standing instanceof Standing.Frozen)) {
      position = head;
    }
    publish();
  }

  private void follow() throws StoreException, InterruptedException {
    if (feed.awaitBeyond(position, IDLE) <= position) {
      return;
    }
    var entries = feed.read(position, READ_MAX);
    if (entries.isEmpty()) {
      throw new StoreException("nothing after " + position + " although the head is beyond");
    }
    for (var sealed : entries) {
      if (sealed.position() <= position) {
        continue; // read already
      }
      if (sealed.position() != position + 1 && !fill(sealed.position())) {
        freeze(
            "the entries from "
                + (position + 1)
                + " to "
                + (sealed.position() - 1)
                + " are missing");
      }
      if (!(standing instanceof Standing.Frozen)) {
        open(sealed);
      }
      if (standing instanceof Standing.Frozen) {
        break;
      }
      position = sealed.position();
    }
    publish();
  }

  /** Reads a gap again; false when it is still there. */
  private boolean fill(long before) throws StoreException {
    while (position + 1 < before) {
      var missing = feed.read(position, 1);
      if (missing.isEmpty() || missing.getFirst().position() != position + 1) {
        return false;
      }
      open(missing.getFirst());
      if (standing instanceof Standing.Frozen) {
        return true;
      }
      position++;
    }
    return true;
  }

  private void open(Sealed sealed) {
    switch (Envelope.decode(sealed.envelope())) {
      case Envelope.Decoded.Good(var entry) when entry.position() == sealed.position() ->
          apply(entry);
      case Envelope.Decoded.Good(var entry) ->
          freeze("the entry stored at " + sealed.position() + " says " + entry.position());
      case Envelope.Decoded.Unreadable(var cause) ->
          freeze("the envelope at " + sealed.position() + " cannot be read: " + cause);
    }
  }

  // Whatever a fold throws, a stack overflow in a parser included, is one entry's fault.
  @SuppressWarnings("CatchThrowable")
  private void apply(Entry entry) {
    @Nullable Throwable failure = null;
    for (int i = 0; i < TRIES_PER_ENTRY; i++) {
      try {
        value = fold.apply(value, entry);
        failure = null;
        break;
      } catch (Throwable t) {
        failure = t;
      }
    }
    if (failure != null) {
      if (quarantine.size() >= QUARANTINE_MAX && !quarantine.containsKey(entry.key())) {
        freeze("more than " + QUARANTINE_MAX + " keys in quarantine");
      } else {
        quarantine.put(
            entry.key(), "position " + entry.position() + ": " + Check.printable("" + failure));
      }
      return;
    }
    quarantine.remove(entry.key());
    if (entry.deleted() || !fold.reads(entry.kind())) {
      digest -= parts.size() == 0 ? 0 : parts.remove(entry.key());
    } else {
      long part = part(entry);
      digest += part - parts.put(entry.key(), part);
    }
  }

  private static long part(Entry entry) {
    return Digest.of(entry.key(), entry.revision(), Envelope.crc(entry.payload()));
  }

  private void freeze(String cause) {
    standing = new Standing.Frozen(position, cause);
  }

  private void publish() {
    if (!(standing instanceof Standing.Frozen)) {
      standing =
          quarantine.isEmpty() ? new Standing.Following() : new Standing.Quarantining(quarantine);
    }
    view = new View<>(position, digest, value);
    lock.lock();
    try {
      published.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
