package dev.holdfast.edge;

import dev.holdfast.limits.KnownRod;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;

/**
 * When a client may finish its handshake. A crowd that reconnects is held, each at its own slot,
 * and not refused: a refusal makes it come again, an accept-and-close resets its back-off. Who
 * would wait too long is told when his slot is, and finds the same slot when he comes again; slots
 * are kept per identity, once, and never for strangers, or else clients that ignore the answer
 * would push all slots away without end. Thread-safe; the lock is held for a few dozen
 * instructions, and only by handshakes.
 */
final class ConnectPace {
  private static final long SECOND_NANOS = 1_000_000_000L;
  private static final int SPREAD_SECONDS = 3;

  /** With no share left: come again after so many seconds, or up to as many more. */
  private static final int CLOSED_SECONDS = 10;

  private record Slot(long atNanos, long endsNanos) {}

  private final AdmissionConfig.Connect config;
  private final RandomGenerator random;
  private final long intervalNanos;
  private final long toleranceNanos;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Long, Slot> reserved = new HashMap<>(); // guarded by lock
  private long arrivalNanos; // guarded by lock
  private int parked; // guarded by lock

  /**
   * Nobody waits.
   *
   * @param random spreads the answers of those who are told to come again
   */
  ConnectPace(AdmissionConfig.Connect config, RandomGenerator random, long now) {
    this.config = config;
    this.random = random;
    intervalNanos = SECOND_NANOS / config.perSecond();
    toleranceNanos = intervalNanos * (config.burst() - 1L);
    arrivalNanos = now;
  }

  /**
   * What to do with a handshake.
   *
   * @param identity key of a verified identity, or 0 for a stranger
   * @param share of the configured rate that is left, 0 to 100 percent
   * @return nanoseconds to hold it before it is answered, after which {@link #unpark} is owed; or a
   *     negative number, the seconds after which it shall come again, negated
   */
  long pace(long identity, long now, int share) {
    if (share <= 0) {
      return -(CLOSED_SECONDS + random.nextInt(CLOSED_SECONDS));
    }
    long interval = intervalNanos * KnownRod.WHOLE / share;
    lock.lock();
    try {
      var slot = identity == 0 ? null : reserved.get(identity);
      if (slot != null && slot.endsNanos - now <= 0) {
        reserved.remove(identity);
        slot = null;
      }
      long at = slot != null ? slot.atNanos : next(now);
      long wait = Math.max(0, at - now);
      if (wait <= config.parkMax().toNanos() && parked < config.parkedMax()) {
        if (slot != null) {
          reserved.remove(identity);
        } else {
          take(now, interval);
        }
        parked++;
        return wait;
      }
      if (slot == null && identity != 0 && reservable(now)) {
        take(now, interval);
        reserved.put(identity, new Slot(at, at + config.grace().toNanos()));
      }
      long seconds = Math.ceilDiv(wait, SECOND_NANOS) + random.nextInt(SPREAD_SECONDS);
      return -Math.max(1, seconds);
    } finally {
      lock.unlock();
    }
  }

  /** As the other, at the whole configured rate. */
  long pace(long identity, long now) {
    return pace(identity, now, KnownRod.WHOLE);
  }

  /** A handshake that was held is answered, or gone. */
  void unpark() {
    lock.lock();
    try {
      parked = Math.max(0, parked - 1);
    } finally {
      lock.unlock();
    }
  }

  /** How many are held. */
  int parked() {
    lock.lock();
    try {
      return parked;
    } finally {
      lock.unlock();
    }
  }

  /** Forgets slots that nobody came for; to be called about once a second. */
  void sweep(long now) {
    lock.lock();
    try {
      reserved.values().removeIf(slot -> slot.endsNanos - now <= 0);
    } finally {
      lock.unlock();
    }
  }

  private long next(long now) {
    long slot = arrivalNanos - toleranceNanos;
    return slot - now > 0 ? slot : now;
  }

  private void take(long now, long interval) {
    arrivalNanos = (arrivalNanos - now > 0 ? arrivalNanos : now) + interval;
  }

  private boolean reservable(long now) {
    return arrivalNanos - now <= config.horizon().toNanos() && reserved.size() < config.parkedMax();
  }
}
