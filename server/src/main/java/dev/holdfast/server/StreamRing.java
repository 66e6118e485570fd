package dev.holdfast.server;

import dev.holdfast.ledger.Feed;
import dev.holdfast.ledger.HistoryGone;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Backoff;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The newest lines of the stream, made once for all who listen. Who is at the head waits here; who
 * is behind it reads the store, a few at a time. Entries come as the feed lets them through,
 * beacons come on whether it does or not. Thread-safe.
 */
final class StreamRing implements AutoCloseable {
  /** Lines that are kept. */
  static final int LINES_MAX = 4_096;

  /** Bytes that are kept. */
  static final int BYTES_MAX = 8 << 20;

  private static final Logger LOG = Logger.getLogger(StreamRing.class.getName());
  private static final int BATCH = 512;
  private static final int READERS_MAX = 2; // of the store's four, which others need as well
  private static final Duration LOOK = Duration.ofSeconds(1);
  private static final Backoff RETRY =
      Backoff.fullJitter(Duration.ofMillis(100), Duration.ofSeconds(5));

  private final Ledger ledger;
  private final Feed feed;
  private final StreamLines lines;
  private final StreamOuts outs;
  private final Supplier<StreamLines.Sums> sums;
  private final Time time;
  private final Thread pump;
  private final Semaphore readers = new Semaphore(READERS_MAX);

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition moved = lock.newCondition();
  private final ArrayDeque<byte[]> kept = new ArrayDeque<>(); // guarded by lock
  private long bytes; // guarded by lock
  private long head; // guarded by lock; position of the last line
  private byte[] beacon; // guarded by lock
  private boolean closed; // guarded by lock

  /**
   * A ring that begins behind a position.
   *
   * @param feed what of the ledger may be streamed
   */
  StreamRing(
      Ledger ledger,
      Feed feed,
      long from,
      StreamLines lines,
      StreamOuts outs,
      Supplier<StreamLines.Sums> sums,
      Time time) {
    this.ledger = ledger;
    this.feed = feed;
    this.lines = lines;
    this.outs = outs;
    this.sums = sums;
    this.time = time;
    head = from;
    beacon = lines.beacon(head, StreamLines.Sums.NONE, time.now());
    pump = Thread.ofVirtual().name("stream-ring").unstarted(this::run);
  }

  StreamRing start() {
    pump.start();
    return this;
  }

  /** Whether what follows that position is here, or is still to come. */
  boolean holds(long position) {
    lock.lock();
    try {
      return position >= head - kept.size() && position <= head;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until something follows that position, and answers some of it; nothing when the wait
   * passed or the position is not here any more.
   */
  List<byte[]> after(long position, Duration wait) throws InterruptedException {
    lock.lock();
    try {
      long left = wait.toNanos();
      while (head <= position && left > 0 && !closed) {
        left = moved.awaitNanos(left);
      }
      long first = head - kept.size() + 1;
      if (position + 1 < first) {
        return List.of();
      }
      var found = new ArrayList<byte[]>();
      long at = first;
      for (var line : kept) {
        if (at > position && found.size() < BATCH) {
          found.add(line);
        }
        at++;
      }
      return found;
    } finally {
      lock.unlock();
    }
  }

  /** Whether there is something beyond that position, after that wait at the latest. */
  boolean awaitBeyond(long position, Duration wait) throws InterruptedException {
    lock.lock();
    try {
      long left = wait.toNanos();
      while (head <= position && left > 0 && !closed) {
        left = moved.awaitNanos(left);
      }
      return head > position;
    } finally {
      lock.unlock();
    }
  }

  /** Lines that follow that position, from the store. */
  List<byte[]> read(long position) throws StoreException, InterruptedException {
    readers.acquire();
    try {
      return lines.entries(position, feed.read(position, BATCH));
    } finally {
      readers.release();
    }
  }

  /** The newest beacon's line. */
  byte[] beacon() {
    lock.lock();
    try {
      return beacon;
    } finally {
      lock.unlock();
    }
  }

  /** Refuses whoever comes when it has ended: they would be back at once, again and again. */
  void requireOpen() {
    if (closed()) {
      throw Problem.of(new Refusal.Unavailable("the platform ends", LOOK));
    }
  }

  boolean closed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  /** Ends every stream. Idempotent. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      moved.signalAll();
    } finally {
      lock.unlock();
    }
    pump.interrupt();
  }

  @SuppressWarnings("CatchThrowable") // whatever it is, the next look may find it gone
  private void run() {
    int failures = 0;
    while (!closed()) {
      try {
        outs.look();
        pump();
        failures = 0;
      } catch (InterruptedException e) {
        return;
      } catch (Throwable t) {
        failures++;
        LOG.log(Level.FINE, "the ledger cannot be streamed now", t);
        try {
          time.sleep(RETRY.delay(failures, time.random()));
        } catch (InterruptedException e) {
          return;
        }
      }
    }
  }

  private void pump() throws StoreException, InterruptedException {
    long from = position();
    if (feed.awaitBeyond(from, LOOK) > from) {
      try {
        lines.entries(from, feed.read(from, BATCH)).forEach(this::add);
      } catch (HistoryGone e) {
        skip(feed.awaitBeyond(ledger.head(), Duration.ZERO)); // the others read the store
      }
    }
    var now = sums.get();
    lock.lock();
    try {
      beacon = lines.beacon(ledger.head(), now, time.now());
      moved.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private long position() {
    lock.lock();
    try {
      return head;
    } finally {
      lock.unlock();
    }
  }

  private void add(byte[] line) {
    lock.lock();
    try {
      kept.add(line);
      bytes += line.length;
      head++;
      while (kept.size() > LINES_MAX || (bytes > BYTES_MAX && kept.size() > 1)) {
        bytes -= kept.remove().length;
      }
    } finally {
      lock.unlock();
    }
  }

  private void skip(long to) {
    lock.lock();
    try {
      kept.clear();
      bytes = 0;
      head = to;
    } finally {
      lock.unlock();
    }
  }
}
