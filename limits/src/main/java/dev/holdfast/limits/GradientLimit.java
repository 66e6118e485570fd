package dev.holdfast.limits;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How many requests one app can work on at once, learnt from how long it takes to answer.
 * Thread-safe, lock-free; a sample is three atomic steps.
 *
 * <pre>
 * Once per window (1 s, at least 10 samples), with short = mean of the window and long = baseline:
 *
 *   wanted &lt; limit/2      nothing changes; the window teaches the baseline
 *   wanted &lt; 0.9 limit     in half of the samples: nothing changes, unless the last line applies
 *   short &lt;= 1.1 long      limit += max(0.1 limit, 0.2 sqrt(limit)); by half, and five times
 *                          as often, while short &lt;= 1.03 long, until the app was slow once
 *   short &lt;= 1.15 long     try a fifth more, which is kept if throughput follows
 *   short &lt;= tol long      in doubt: try a fifth less, or limit long/short if that is less, and a
 *                          tenth more; if throughput stays, that was queueing;
 *                          if it falls, try a fifth more, which is kept if throughput follows
 *   short &gt;  tol long      limit = 0.8 limit + 0.2 limit max(0.5, tol long/short)
 * </pre>
 *
 * <p>Wanted is what is under way and what waits for it. A request that was sent before the limit
 * last changed says nothing about the limit of now, and 5 ms more than at rest are not a queue
 * worth a refusal. Answers that take ten times the baseline are another kind of request (a long
 * poll, a report) and are left out, unless half of all are such.
 *
 * <p>The last line and the bounds are Gradient2 of Netflix' concurrency-limits. Its known weakness
 * is that the baseline is an average of everything, so a long overload becomes the new normal and
 * the limit grows without end. Here a window in which the app is busy may lower the baseline, never
 * raise it. What if the app itself became slower? Then the limit shrinks, and shrinking is an
 * experiment: with queueing the time falls with the limit, with a slower app it does not, and that
 * alone raises the baseline. The same question, does throughput follow concurrency, is asked by
 * Uber's Cinnamon (covariance) and by failsafe-go (correlation windows); an experiment needs two
 * numbers.
 */
public final class GradientLimit {
  private static final double SMOOTHING = 0.2;
  private static final double UNTOUCHED = 1.03;
  private static final double CALM = 1.1;
  private static final double DOUBTFUL = 1.15;

  /** A queue that costs less is none. */
  private static final double QUEUE_NANOS_MIN = 5_000_000;

  private static final int OUTLIER = 10;
  private static final double GRADIENT_MIN = 0.5;
  private static final double BUSY = 0.9;
  private static final double RISE = 1.0 / 600;
  private static final double FALL = 1.0 / 100;
  private static final double RELAX = 0.9;
  private static final int WARM_WINDOWS = 10;
  private static final double GROWTH = 0.1;
  private static final double GROWTH_START = 0.5;

  /** While nothing is known the window is that much shorter, if it has that many more samples. */
  private static final int START_FASTER = 5;

  private static final double STEP = 1.2;
  private static final double FOLLOWS_UP = 1.1;
  private static final double STAYS_DOWN = 0.96;
  private static final double SHRUNK = 0.6;
  private static final double UNMOVED = 0.85;
  private static final double RAISE_MAX = 2;
  private static final int REST_WINDOWS = 10;

  private final int perInstanceMin;
  private final int perInstanceInitial;
  private final int max;
  private final double tolerance;
  private final long windowNanos;
  private final int samplesMin;

  private final AtomicLong sumNanos = new AtomicLong();
  private final AtomicInteger samples = new AtomicInteger();
  private final AtomicInteger answers = new AtomicInteger();
  private final AtomicInteger busyAnswers = new AtomicInteger();
  private final AtomicLong outlierNanos = new AtomicLong();
  private final AtomicInteger outliers = new AtomicInteger();
  private final AtomicInteger peak = new AtomicInteger();
  private final AtomicBoolean updating = new AtomicBoolean();
  private volatile long startNanos;
  private volatile long changedNanos;
  private volatile boolean crowded;
  private volatile long restNanos; // the baseline, for those who do not hold "updating"
  private volatile int limit;
  private volatile int instances = 1;

  // What follows is touched only by who holds "updating".
  private double exact;
  private double baselineNanos;
  private int warm;
  private double triedFrom;
  private double rateBefore;
  private boolean settling;
  private boolean upwards;
  private int failures;
  private volatile boolean starting = true;
  private double shrunkFrom;
  private double shortBefore;
  private int resting;
  private int atFloor;

  /** The bounds that the reference gives: 4, 20 per instance, 1,000 in all, tolerance 2. */
  public static GradientLimit standard(long now) {
    return new GradientLimit(4, 20, 1000, 2.0, Duration.ofSeconds(1), 10, now);
  }

  /**
   * A limit for one instance.
   *
   * @param perInstanceMin it never falls below that, times instances
   * @param perInstanceInitial where it starts, times instances
   * @param max it never grows beyond that
   * @param tolerance how many times slower than at rest an answer may be
   * @param window how long samples are collected
   * @param samplesMin fewer say nothing, so the window goes on
   * @param now the monotonic clock
   */
  public GradientLimit(
      int perInstanceMin,
      int perInstanceInitial,
      int max,
      double tolerance,
      Duration window,
      int samplesMin,
      long now) {
    Check.that(perInstanceMin >= 1, "perInstanceMin", perInstanceMin, ">= 1");
    Check.that(
        perInstanceInitial >= perInstanceMin,
        "perInstanceInitial",
        perInstanceInitial,
        ">= perInstanceMin " + perInstanceMin);
    Check.that(max >= perInstanceInitial, "max", max, ">= initial " + perInstanceInitial);
    Check.that(tolerance > CALM, "tolerance", tolerance, "> " + CALM);
    Check.that(window.isPositive(), "window", window, "> 0");
    Check.that(samplesMin >= 1, "samplesMin", samplesMin, ">= 1");
    this.perInstanceMin = perInstanceMin;
    this.perInstanceInitial = perInstanceInitial;
    this.max = max;
    this.tolerance = tolerance;
    windowNanos = window.toNanos();
    this.samplesMin = samplesMin;
    startNanos = now;
    changedNanos = now;
    exact = perInstanceInitial;
    limit = perInstanceInitial;
  }

  /** How many requests may be under way. */
  public int limit() {
    return limit;
  }

  /** How long an answer takes at rest, as far as that is known; 0 when nothing is. */
  public long baselineNanos() {
    return restNanos;
  }

  /**
   * How many processes answer for the app. When that changes the limit changes in proportion; a
   * newcomer is expected to do what the others do.
   */
  public void instances(int count) {
    int next = Math.max(1, count);
    if (next != instances && updating.compareAndSet(false, true)) {
      exact = Math.max(exact * next / instances, Math.min(perInstanceInitial, exact));
      instances = next;
      publish();
      updating.set(false);
    }
  }

  /**
   * An answer began.
   *
   * @param nanos since the request was sent to the app
   * @param wanted how many were under way, itself included, or waited for it
   */
  public void sample(long nanos, int wanted, long now) {
    pressed(wanted, now);
    answers.incrementAndGet();
    if (wanted >= BUSY * limit) {
      busyAnswers.incrementAndGet();
    }
    if (now - nanos - changedNanos < 0) {
      return;
    }
    int count = count(nanos);
    long passed = now - startNanos;
    boolean early =
        starting && passed >= windowNanos / START_FASTER && count >= samplesMin * START_FASTER;
    if ((early || (passed >= windowNanos && count >= samplesMin))
        && updating.compareAndSet(false, true)) {
      update(now);
      updating.set(false);
    }
  }

  private int count(long nanos) {
    long rest = restNanos;
    if (rest > 0 && nanos > OUTLIER * rest + QUEUE_NANOS_MIN) {
      outlierNanos.addAndGet(nanos);
      return samples.get() + outliers.incrementAndGet();
    }
    sumNanos.addAndGet(nanos);
    return samples.incrementAndGet() + outliers.get();
  }

  private void pressed(int wanted, long now) {
    int seen = peak.get();
    while (wanted > seen && !peak.compareAndSet(seen, wanted)) {
      seen = peak.get();
    }
    if (!crowded && wanted >= BUSY * limit && updating.compareAndSet(false, true)) {
      crowded = true; // what was sent before knows nothing of the crowd
      begin(now);
      updating.set(false);
    }
  }

  private void begin(long now) {
    changedNanos = now;
    startNanos = now;
    answers.set(0);
    busyAnswers.set(0);
    samples.set(0);
    sumNanos.set(0);
    outliers.set(0);
    outlierNanos.set(0);
  }

  /**
   * A request found no room. As long as the app never answered there is nothing that speaks against
   * more: it may be one that makes everybody wait, by design.
   */
  public void wanting(int wanted, long now) {
    pressed(wanted, now);
    if (restNanos == 0
        && now - startNanos >= windowNanos / START_FASTER
        && updating.compareAndSet(false, true)) {
      if (restNanos == 0) {
        startNanos = now;
        exact += GROWTH_START * exact;
        publish();
      }
      updating.set(false);
    }
  }

  private void update(long now) {
    double seconds = (now - startNanos) / 1e9;
    int count = samples.getAndSet(0);
    long sum = sumNanos.getAndSet(0);
    int all = answers.getAndSet(0);
    boolean busy = 2 * busyAnswers.getAndSet(0) >= all;
    double rate = all / seconds;
    int others = outliers.getAndSet(0);
    long othersSum = outlierNanos.getAndSet(0);
    if (others >= count) {
      count += others;
      sum += othersSum;
    }
    int most = peak.getAndSet(0);
    startNanos = now;
    if (count == 0 || seconds <= 0) {
      return; // another thread's window ended in the same instant
    }
    double shortNanos = Math.max(1, (double) sum / count);
    boolean idle = most < exact / 2;
    crowded = busy;
    learn(shortNanos, idle);
    restNanos = (long) baselineNanos;
    if (idle) {
      triedFrom = 0;
      shrunkFrom = 0;
      return;
    }
    double before = exact;
    double slower = shortNanos < baselineNanos + QUEUE_NANOS_MIN ? 1 : shortNanos / baselineNanos;
    if (slower > tolerance) {
      shrink(shortNanos, slower);
    } else {
      shrunkFrom = 0;
      atFloor = 0;
      if (!busy) {
        triedFrom = 0; // the limit was not in the way, so nothing can be learnt about it
      } else if (slower <= CALM) {
        triedFrom = 0;
        grow(shortNanos < baselineNanos * UNTOUCHED + QUEUE_NANOS_MIN / 5);
      } else {
        starting = false;
        doubt(rate, slower);
      }
    }
    publish();
    if (exact != before) {
      changedNanos = now;
    }
  }

  private void learn(double shortNanos, boolean idle) {
    if (warm < WARM_WINDOWS) {
      baselineNanos += (shortNanos - baselineNanos) / ++warm;
    } else if (shortNanos < baselineNanos) {
      baselineNanos += (shortNanos - baselineNanos) * FALL;
    } else if (idle) {
      baselineNanos += (shortNanos - baselineNanos) * RISE;
    }
    if (baselineNanos > 2 * shortNanos) {
      baselineNanos *= RELAX; // as Gradient2: the way back from a long overload
    }
  }

  private void grow(boolean untouched) {
    double step = starting && untouched ? GROWTH_START : GROWTH;
    exact += Math.max(SMOOTHING * Math.sqrt(exact), step * exact);
  }

  /**
   * Tries what would be under way without a queue (Little's law) and a tenth more, and when that
   * costs throughput a fifth more, and when neither is better rests.
   */
  private void doubt(double rate, double slower) {
    boolean upwardsOnly = slower <= DOUBTFUL;
    if (resting > 0) {
      resting--;
    } else if (triedFrom == 0) {
      upwards |= upwardsOnly;
      triedFrom = exact;
      rateBefore = rate;
      exact = upwards ? exact * STEP : exact / Math.max(STEP, slower / CALM);
      settling = true;
    } else if (settling) {
      settling = false;
    } else if (rate >= rateBefore * (upwards ? FOLLOWS_UP : STAYS_DOWN)) {
      triedFrom = 0;
      failures = 0;
    } else {
      exact = triedFrom;
      triedFrom = 0;
      upwards = !upwards;
      if (++failures >= 2 || !upwards) { // the latter: it was upwards that failed
        failures = 0;
        resting = REST_WINDOWS;
      }
    }
  }

  private void shrink(double shortNanos, double slower) {
    starting = false;
    triedFrom = 0;
    if (shrunkFrom == 0) {
      shrunkFrom = exact;
      shortBefore = shortNanos;
    } else if (exact <= SHRUNK * shrunkFrom) {
      if (shortNanos > UNMOVED * shortBefore) {
        baselineNanos *= Math.min(RAISE_MAX, slower); // the app itself is slower now
      }
      shrunkFrom = 0;
    }
    atFloor = exact <= floor() ? atFloor + 1 : 0;
    if (atFloor >= WARM_WINDOWS) {
      baselineNanos = shortNanos; // with so few under way there is no queue to blame
      atFloor = 0;
    }
    double gradient = Math.max(GRADIENT_MIN, tolerance / slower);
    exact = (1 - SMOOTHING) * exact + SMOOTHING * exact * gradient;
  }

  private int floor() {
    return Math.min(max, perInstanceMin * instances);
  }

  private void publish() {
    exact = Math.clamp(exact, floor(), max);
    restNanos = (long) baselineNanos;
    limit = (int) exact;
  }
}
