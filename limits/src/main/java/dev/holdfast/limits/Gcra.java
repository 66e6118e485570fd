package dev.holdfast.limits;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A rate limit in eight bytes: the generic cell rate algorithm (ITU-T I.371, virtual scheduling
 * form). One number, the theoretical arrival time of the next permitted event, replaces bucket,
 * refill and timer, and a refusal knows exactly how long to wait. Thread-safe, lock-free.
 */
public final class Gcra {
  private final long intervalNanos;
  private final long toleranceNanos;
  private final AtomicLong arrivalNanos;

  /**
   * A cell that admits {@code burst} events at once and {@code events} per {@code per} for ever.
   *
   * @param now the monotonic clock at birth; the cell starts with its whole burst
   */
  public Gcra(int events, Duration per, int burst, long now) {
    Check.that(events >= 1, "events", events, ">= 1");
    Check.that(burst >= 1, "burst", burst, ">= 1");
    Check.that(per.isPositive(), "per", per, "> 0");
    intervalNanos = Math.max(1, per.toNanos() / events);
    toleranceNanos = Math.multiplyExact(intervalNanos, burst - 1L);
    arrivalNanos = new AtomicLong(now);
  }

  /**
   * Takes one event's room.
   *
   * @return 0 when admitted, otherwise the nanoseconds after which this very call would succeed if
   *     nobody else came first; nothing is taken then
   */
  public long reserve(long now) {
    return reserve(now, 1);
  }

  /** As {@link #reserve(long)}, for an event that costs {@code cost} ordinary ones. */
  public long reserve(long now, int cost) {
    Check.that(cost >= 1, "cost", cost, ">= 1");
    while (true) {
      long arrival = arrivalNanos.get();
      // Differences only: the monotonic clock may be negative or wrap.
      long start = arrival - now > 0 ? arrival : now;
      long ahead = start - now + intervalNanos * (cost - 1L);
      if (ahead > toleranceNanos) {
        return ahead - toleranceNanos;
      }
      if (arrivalNanos.compareAndSet(arrival, start + intervalNanos * cost)) {
        return 0;
      }
    }
  }
}
