package dev.holdfast.edge;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Whether one endpoint is left out for a while because its last answers were none: connects that
 * failed, connections that broke, errors that the edge had to invent. Three in a row put it out for
 * 5 s, the next three for twice as long, up to 60 s; a good answer ends the row, and a good minute
 * is forgiven everything. An app's own errors are no reason: they say nothing about this endpoint
 * that another would do better. Thread-safe.
 */
final class Quarantine {
  private static final int FAILURES = 3;
  private static final long FIRST_NANOS = 5_000_000_000L;
  private static final long LONGEST_NANOS = 60_000_000_000L;

  private final AtomicInteger failures = new AtomicInteger();
  private final AtomicInteger times = new AtomicInteger();
  private volatile long untilNanos;
  private volatile boolean out;

  /** A connect failed, a connection broke, or no valid answer came. */
  void failed(long now) {
    if (failures.incrementAndGet() >= FAILURES && !out(now)) {
      failures.set(0);
      int before = Math.min(times.getAndIncrement(), 8);
      untilNanos = now + Math.min(FIRST_NANOS << before, LONGEST_NANOS);
      out = true;
    }
  }

  /** A whole answer came. */
  void succeeded(long now) {
    if (failures.get() != 0) {
      failures.set(0);
    }
    if (times.get() != 0 && now - untilNanos >= LONGEST_NANOS) {
      times.set(0);
    }
  }

  /** Whether it is left out. */
  boolean out(long now) {
    return out && untilNanos - now > 0;
  }
}
