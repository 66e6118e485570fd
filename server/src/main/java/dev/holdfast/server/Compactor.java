package dev.holdfast.server;

import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Receipt;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.MetricSource;
import dev.holdfast.limits.MetricText;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Supervised;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongUnaryOperator;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Compacts the ledger by itself: once enough was written that can be dropped, at most once an hour,
 * while little is written, and never beyond what a follower has still to read. It yields between
 * steps, and stops when the ledger gets busy; what is left is for the next hour. Thread-safe.
 */
final class Compactor implements MetricSource, AutoCloseable {
  /** How often it looks at most whether it is time. */
  static final Duration EVERY = Duration.ofHours(1);

  /** Entries a minute from which on the ledger is busy. */
  static final long BUSY_PER_MINUTE = 6_000;

  private static final Logger LOG = Logger.getLogger(Compactor.class.getName());
  private static final Duration GLANCE = Duration.ofMinutes(1);
  private static final Duration FIRST = Duration.ofMinutes(10); // by then all edges are heard of
  private static final Duration REST = Duration.ofMillis(20); // between two steps
  private static final double BUSY_LOAD = 0.1; // of the writer's queue

  private final Ledger ledger;
  private final Bounds bounds;
  private final LongUnaryOperator needed;
  private final Time time;
  private final Supervised part;
  private final AtomicLong done = new AtomicLong();
  private long nextNanos; // confined to the part
  private long headBefore; // confined to the part

  /**
   * When it is time.
   *
   * @param on whether it ever is
   * @param entriesMin entries since the last time, of which ...
   * @param deadMin ... that share can be dropped, in (0, 1)
   * @param keep newest entries that are kept whatever they are
   */
  record Bounds(boolean on, long entriesMin, double deadMin, long keep) {

    /**
     * Whether it is worth it.
     *
     * @param keys how many keys there are, deleted ones included: each keeps an entry, perhaps one
     *     of these
     */
    boolean due(long head, long floor, long keys) {
      long entries = head - floor;
      return enough(head, floor) && entries - keys >= deadMin * entries;
    }

    boolean enough(long head, long floor) {
      return on && head - floor >= entriesMin && head - keep > floor;
    }
  }

  /**
   * A compactor that does nothing yet.
   *
   * @param needed up to where entries are not needed any more by any follower, at most its argument
   */
  Compactor(Ledger ledger, Bounds bounds, LongUnaryOperator needed, Time time) {
    this.ledger = ledger;
    this.bounds = bounds;
    this.needed = needed;
    this.time = time;
    nextNanos = time.nanos() + FIRST.toNanos();
    headBefore = ledger.head();
    part = Supervised.virtual("ledger-compactor", time, this::run);
  }

  Compactor start() {
    if (bounds.on()) {
      part.start();
    }
    return this;
  }

  Supervised part() {
    return part;
  }

  private void run(Supervised self) throws InterruptedException {
    while (!self.closed()) {
      time.sleep(GLANCE);
      look();
    }
  }

  /** Looks whether it is time and does it; once a minute. */
  void look() {
    long head = ledger.head();
    long written = head - headBefore;
    headBefore = head;
    long floor = ledger.floor();
    if (time.nanos() - nextNanos < 0
        || written > BUSY_PER_MINUTE
        || busy()
        || !bounds.enough(head, floor)) {
      return;
    }
    nextNanos = time.nanos() + EVERY.toNanos(); // to count takes a look at every key
    try {
      long keys = ledger.counts().stream().mapToLong(kind -> kind.live() + kind.deleted()).sum();
      long upTo = needed.applyAsLong(head - bounds.keep());
      if (bounds.due(head, floor, keys) && upTo > floor) {
        compact(upTo);
      }
    } catch (StoreException e) {
      LOG.log(Level.WARNING, "whether the ledger should be compacted is not known", e);
    }
  }

  private void compact(long upTo) {
    long from = ledger.floor();
    switch (ledger.compact(upTo, this::goesOn)) {
      case Outcome.Done<Receipt>(var receipt) -> {
        done.incrementAndGet();
        LOG.info(
            "the ledger was compacted from position %d to %d of %d"
                .formatted(from, Math.max(from, receipt.position()), ledger.head()));
      }
      case Outcome.Refused<Receipt>(var refusal) ->
          LOG.warning("the ledger was not compacted: " + refusal.message());
    }
  }

  /** Lets others write, and ends when they write much. */
  private boolean goesOn() {
    try {
      time.sleep(REST);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
    return !busy();
  }

  private boolean busy() {
    return ledger.load() > BUSY_LOAD;
  }

  @Override
  public void write(MetricText out) {
    out.gauge("holdfast_ledger_floor", "Position from which on the ledger's history is whole.")
        .sample(ledger.floor());
    out.counter("holdfast_ledger_compactions", "Compactions that the platform did by itself.")
        .sample(done.get());
  }

  @Override
  public void close() {
    part.close();
  }
}
