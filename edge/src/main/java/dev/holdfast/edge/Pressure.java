package dev.holdfast.edge;

import dev.holdfast.limits.ShedLevel;

/**
 * How late one event loop is, and what the node's overload level makes of its requests. It counts
 * on its own and hands its counts over when nobody else does just then. Confined to its event loop.
 */
final class Pressure {
  /** How long after one {@link #probe} the next is due. */
  static final long PROBE_NANOS = 50_000_000L;

  /** A sequence that runs evenly through 16 bits: the golden ratio's multiples. */
  private static final int ROLL = 0x9E37;

  private final Admission admission;
  private final int windowRequests;
  private final int[] arrivals = new int[ShedLevel.EXEMPT];
  private long arrived;
  private long taken;
  private long worstLagNanos;
  private boolean lagged;
  private int roll;
  private long probeNanos;
  private long handedNanos;
  private long lagNanos; // the worse of the last probe and half of what was before

  Pressure(Admission admission, long now) {
    this.admission = admission;
    windowRequests = admission.config.node().windowRequests();
    handedNanos = now;
    probeNanos = now + PROBE_NANOS;
  }

  /** Whether the node's overload leaves a request of that level in. */
  boolean admits(int level, long now) {
    arrivals[level]++;
    long overdue = now - probeNanos;
    if (overdue > worstLagNanos) {
      worstLagNanos = overdue; // the probe itself waits: the delay is known before it runs
      lagged = true;
    }
    if (++arrived >= windowRequests || now - handedNanos >= PROBE_NANOS) {
      handOver(now);
    }
    roll += ROLL;
    if (!admission.shed.admits(level, roll) && admission.refuses(Limiter.NODE)) {
      return false;
    }
    taken++;
    return true;
  }

  void probe(long lateNanos, long now) {
    worstLagNanos = Math.max(worstLagNanos, lateNanos);
    lagNanos = Math.max(lateNanos, lagNanos / 2);
    lagged = true;
    probeNanos = now + PROBE_NANOS;
    handOver(now);
  }

  /** How late this loop is, as far as it knows now. */
  long lagNanos(long now) {
    return Math.max(lagNanos, now - probeNanos);
  }

  private void handOver(long now) {
    handedNanos = now;
    if (!admission.shedding.tryLock()) {
      return; // another loop decides just now; these counts go with the next
    }
    try {
      admission.shed.arrived(arrivals, taken);
      arrived = 0;
      taken = 0;
      if (lagged) {
        admission.shed.lag(worstLagNanos);
        worstLagNanos = 0;
        lagged = false;
      }
      admission.shed.decide(now);
      if (admission.shed.over() > 1 || admission.shed.shedding()) {
        admission.stressed(now);
      }
    } finally {
      admission.shedding.unlock();
    }
  }
}
