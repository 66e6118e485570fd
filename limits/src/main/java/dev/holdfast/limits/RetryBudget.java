package dev.holdfast.limits;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How many retries an upstream may get: a share of its first tries of the last seconds, plus a
 * small reserve so that a quiet upstream may be retried at all (the budget of Finagle, {@code
 * RetryBudget.scala}: every first try pays in, every retry takes out, both expire). A budget ends a
 * retry storm where back-off alone only delays it. Thread-safe; a deposit is one or two atomic
 * steps.
 */
public final class RetryBudget {
  private static final long SLOT_NANOS = 1_000_000_000L;
  private static final long BALANCE = 0xffff_ffffL;

  private final AtomicLongArray slots; // second of birth << 32 | signed balance of that second
  private final int cost;
  private final long reserve;
  private final long bornNanos;
  private final ReentrantLock withdrawing = new ReentrantLock();

  /**
   * A budget that holds its reserve only.
   *
   * @param percent retries per hundred first tries, 1 to 100
   * @param ttl how long a first try counts, whole seconds, 1 to 60
   * @param perSecondMin retries per second that are always allowed
   * @param now the monotonic clock
   */
  public RetryBudget(int percent, Duration ttl, int perSecondMin, long now) {
    Check.that(percent >= 1 && percent <= 100, "percent", percent, "1 to 100");
    Check.that(ttl.toSeconds() >= 1 && ttl.toSeconds() <= 60, "ttl", ttl, "1 s to 60 s");
    Check.that(perSecondMin >= 0, "perSecondMin", perSecondMin, ">= 0");
    cost = 100 / percent;
    int seconds = (int) ttl.toSeconds();
    slots = new AtomicLongArray(seconds);
    reserve = (long) perSecondMin * seconds * cost;
    bornNanos = now;
  }

  /** One retry per ten first tries of the last ten seconds, and one per second in any case. */
  public static RetryBudget standard(long now) {
    return new RetryBudget(10, Duration.ofSeconds(10), 1, now);
  }

  /** A first try was sent. */
  public void deposit(long now) {
    add(second(now), 1);
  }

  /** Takes a retry's room, or answers false: then the failure is the answer. */
  public boolean withdraw(long now) {
    // Retries are rare; the lock keeps two of them from spending the same token.
    withdrawing.lock();
    try {
      int second = second(now);
      if (balance(second) < cost) {
        return false;
      }
      add(second, -cost);
      return true;
    } finally {
      withdrawing.unlock();
    }
  }

  /** How many retries could be made now. */
  public long retries(long now) {
    return Math.max(0, balance(second(now)) / cost);
  }

  private int second(long now) {
    return (int) ((now - bornNanos) / SLOT_NANOS) + 1;
  }

  private long balance(int second) {
    long sum = reserve;
    for (int i = 0; i < slots.length(); i++) {
      long slot = slots.get(i);
      int age = second - (int) (slot >>> 32);
      if (age >= 0 && age < slots.length()) {
        sum += (int) (slot & BALANCE);
      }
    }
    return sum;
  }

  private void add(int second, int change) {
    int index = Math.floorMod(second, slots.length());
    while (true) {
      long slot = slots.get(index);
      int balance = (int) (slot >>> 32) == second ? (int) (slot & BALANCE) : 0;
      long next = ((long) second << 32) | ((balance + change) & BALANCE);
      if (slots.compareAndSet(index, slot, next)) {
        return;
      }
    }
  }
}
