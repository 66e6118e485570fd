package dev.holdfast.limits;

import java.time.Duration;
import java.util.Arrays;

/**
 * Which requests a node that is overloaded still takes, found from the queueing delay of its own
 * threads and never from the response time of anybody's app.
 *
 * <p>Every request has a level, the more important the higher: five classes of 64, within a class
 * the light user above the heavy one. At the end of a window the 90th percentile of the delay is
 * compared with the target. Above it the admitted rate is cut by {@code clamp(5 % x (delay / target
 * - 1), 5 %, 50 %)}, unless the delay falls by a tenth per window already: what was cut before then
 * still takes effect, and a second cut would only waste what the node can do. Below it, 2 % of what
 * arrives is added. A walk from the top through the histogram of what arrived finds the level that
 * yields this rate; of the level at the edge only a share is taken, so one heavy user is trimmed
 * and not switched on and off. (DAGOR, Zhou et al., "Overload Control for Scaling WeChat
 * Microservices", SoCC 2018, with a shorter window and a proportional cut.)
 *
 * <p>{@link #admits} may be called by any thread; everything else is guarded by whoever owns this.
 */
public final class ShedLevel {
  /** Levels per class. */
  public static final int SUBS = 64;

  /** All levels. */
  public static final int LEVELS = 5 * SUBS;

  /** From this level on nothing is ever shed: control traffic. */
  public static final int EXEMPT = 4 * SUBS;

  private static final double CUT_PER_OVER = 0.05;
  private static final double CUT_MIN = 0.05;
  private static final double CUT_MAX = 0.50;
  private static final double RAISE = 0.02;

  /** So much is taken however bad it is: without any work done there is no delay to learn from. */
  private static final double SHARE_MIN = 0.01;

  private static final double FALLING = 0.9;
  private static final double LEARN = 0.3;
  private static final double RESUME = 0.9;

  /** A full window may end after that part of its time, when every loop has probed twice. */
  private static final double EARLIEST = 2.5;

  private static final int LAGS = 64;
  private static final int WHOLE = 1 << 16;
  private static final double UNBOUNDED = Double.POSITIVE_INFINITY;

  /**
   * With fewer arrivals it is not the requests that make the node late, and refusing them would not
   * make it any faster: somebody else has the processor.
   */
  private static final int CALM_PER_SECOND = 200;

  /** One long pause of the machine is no overload: only a delay that lasts is shed. */
  private static final long PATIENCE_NANOS = 400_000_000L;

  private final long targetNanos;
  private final long windowNanos;
  private final int windowRequests;
  private final int[] arrivals = new int[EXEMPT];
  private final double[] shape = new double[EXEMPT];
  private final long[] lags = new long[LAGS];
  private int lagCount;
  private long arrived;
  private long admitted;
  private long startNanos;
  private double expected = UNBOUNDED;
  private long overSinceNanos;
  private double saturated; // admitted per second while the node was overloaded
  private long lastLagNanos;
  private boolean seen;
  private volatile double over;
  private volatile int edge; // level << 16 | share of it that is refused

  /**
   * Takes everything.
   *
   * @param target the delay that is still good
   * @param window how long at most between two decisions
   * @param windowRequests after so many requests the decision comes early
   * @param now the monotonic clock
   */
  public ShedLevel(Duration target, Duration window, int windowRequests, long now) {
    Check.that(target.isPositive(), "target", target, "> 0");
    Check.that(window.isPositive(), "window", window, "> 0");
    Check.that(windowRequests >= 1, "windowRequests", windowRequests, ">= 1");
    targetNanos = target.toNanos();
    windowNanos = window.toNanos();
    this.windowRequests = windowRequests;
    startNanos = now;
  }

  /** The standard: 20 ms, decided every 250 ms or 500 requests. */
  public static ShedLevel standard(long now) {
    return new ShedLevel(Duration.ofMillis(20), Duration.ofMillis(250), 500, now);
  }

  /**
   * The level of a request.
   *
   * @param rank 0 for the class that is shed first to 4 for the one that never is
   * @param quantile how heavy the user is, in [0, 1)
   */
  public static int level(int rank, double quantile) {
    return rank * SUBS + SUBS - 1 - (int) ((SUBS - 1) * quantile);
  }

  /**
   * Whether a request of that level is taken. Thread-safe; one volatile read.
   *
   * @param roll 16 bits that run evenly through their range
   */
  public boolean admits(int level, int roll) {
    int at = edge;
    int cut = at >>> 16;
    return level > cut || (level == cut && (roll & 0xffff) >= (at & 0xffff));
  }

  /** Whether anything is refused now. Thread-safe. */
  public boolean shedding() {
    return edge != 0;
  }

  /** The delay in targets at the last decision; above 1 the node is overloaded. Thread-safe. */
  public double over() {
    return over;
  }

  /** Takes over what somebody counted, and sets his counts to 0. */
  public void arrived(int[] counts, long admittedCount) {
    for (int i = 0; i < EXEMPT; i++) {
      arrivals[i] += counts[i];
      arrived += counts[i];
    }
    Arrays.fill(counts, 0);
    admitted += admittedCount;
  }

  /** How late something ran that was due. */
  public void lag(long nanos) {
    // When there are too many the last place takes the worst.
    if (lagCount < LAGS) {
      lags[lagCount++] = nanos;
    } else {
      lags[LAGS - 1] = Math.max(lags[LAGS - 1], nanos);
    }
  }

  /** Ends the window when it is long or full enough, and decides; answers whether it did. */
  public boolean decide(long now) {
    long passed = now - startNanos;
    boolean full = arrived >= windowRequests && passed >= windowNanos / EARLIEST;
    if (lagCount == 0 || passed <= 0 || (passed < windowNanos && !full)) {
      return false;
    }
    double seconds = passed / 1e9;
    double arrivalRate = arrived / seconds;
    double admittedRate = admitted / seconds;
    long lag = p90();
    double late = (double) lag / targetNanos;
    double ratio = arrivalRate < CALM_PER_SECOND ? Math.min(1, late) : late;
    shape();
    if (ratio > 1) {
      saturated += (admittedRate - saturated) * (saturated == 0 ? 1 : LEARN);
      if (over <= 1) {
        overSinceNanos = startNanos;
      }
      boolean stands = now - overSinceNanos >= PATIENCE_NANOS;
      if (shedding() ? lag > lastLagNanos * FALLING : stands) {
        double cut = Math.clamp(CUT_PER_OVER * (ratio - 1), CUT_MIN, CUT_MAX);
        expected = Math.min(expected, admittedRate) * (1 - cut);
      }
    } else if (over > 1) {
      expected = Math.max(expected, RESUME * saturated);
    } else {
      double ease = Math.min(1, 2 * (1 - ratio)); // no haste just below the target
      expected += RAISE * arrivalRate * ease * passed / windowNanos;
    }
    expected = Math.max(expected, SHARE_MIN * arrivalRate);
    over = ratio;
    edge = walk(arrivalRate);
    lastLagNanos = lag;
    lagCount = 0;
    arrived = 0;
    admitted = 0;
    startNanos = now;
    return true;
  }

  private int walk(double arrivalRate) {
    if (expected >= arrivalRate) {
      expected = UNBOUNDED;
      return 0;
    }
    double wanted = expected / arrivalRate;
    double sum = 0;
    for (int level = EXEMPT - 1; level >= 0; level--) {
      if (shape[level] > 0 && sum + shape[level] >= wanted) {
        double taken = (wanted - sum) / shape[level];
        return level << 16 | Math.clamp((long) ((1 - taken) * WHOLE), 0, WHOLE - 1);
      }
      sum += shape[level];
    }
    return 0;
  }

  /** What part of the requests has which level: half of what was and half of what is. */
  private void shape() {
    if (arrived == 0) {
      return;
    }
    double keep = seen ? 0.5 : 0;
    seen = true;
    for (int i = 0; i < EXEMPT; i++) {
      shape[i] = keep * shape[i] + (1 - keep) * arrivals[i] / arrived;
    }
    Arrays.fill(arrivals, 0);
  }

  private long p90() {
    Arrays.sort(lags, 0, lagCount); // in place: at most 64 numbers
    return lags[(lagCount - 1) * 9 / 10];
  }
}
