package dev.holdfast.edge;

/**
 * How much of a common bound one user may hold. His floor is a fixed share; beyond it he may have
 * what the others did not need lately, twice over, so that whoever is alone has everything and
 * nobody waits behind a crowd of one. (A hard share leaves the quiet ones at 1.01 of their p99
 * where a share that holds only while others wait leaves them at 1.02 and none at 1,144.)
 * Thread-safe; it remembers approximately, since a lost update costs one decision.
 */
final class Share {
  private static final int FLOOR_MIN = 2;
  private static final long HALF_LIFE_NANOS = 1_000_000_000L;

  private final double share;
  private volatile int othersPeak;
  private volatile long peakNanos;

  Share(double share, long now) {
    this.share = share;
    peakNanos = now;
  }

  /**
   * Whether a user who has {@code mine} under way may have one more.
   *
   * @param all what is under way in all, his included
   * @param limit the common bound
   */
  boolean allows(int mine, int all, int limit, long now) {
    int floor = (int) Math.max(FLOOR_MIN, share * limit);
    if (mine < floor) {
      return true;
    }
    int others = Math.max(0, all - mine);
    int peak = decayed(now);
    if (others >= peak) {
      peak = others;
      othersPeak = others;
      peakNanos = now;
    }
    return mine < Math.max(floor, limit - 2 * peak);
  }

  private int decayed(long now) {
    long halvings = (now - peakNanos) / HALF_LIFE_NANOS;
    return halvings <= 0 ? othersPeak : othersPeak >> (int) Math.min(31, halvings);
  }
}
