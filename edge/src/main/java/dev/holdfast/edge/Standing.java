package dev.holdfast.edge;

import dev.holdfast.limits.Gcra;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What is thought of one account, from what it cost in each of the last seconds. Guarded by whoever
 * merges.
 *
 * <pre>
 * NORMAL -> SUSPECT      node stressed, share of 10 s > 20 %, > 5 times its normal
 * SUSPECT -> NORMAL      not so for 5 s
 * SUSPECT -> THROTTLED   so for 10 s: rate = max(floor, 1.5 times its normal), for 5 min
 * THROTTLED -> PROBATION the rate grows by 10 % per second
 * PROBATION -> NORMAL    it asks for less than its rate, or 60 s passed
 * PROBATION -> SUSPECT   as from NORMAL
 * </pre>
 *
 * What is normal is learnt while the account is NORMAL, as an average over an hour; until it has
 * lived that long the average of the other accounts stands in with the weight of a minute, so that
 * a newcomer's flood is not its normal. More than throttled is for a person to decide.
 */
final class Standing {
  /** Where an account stands. */
  enum State {
    /** Nothing to say. */
    NORMAL,
    /** It seems to cause the overload. */
    SUSPECT,
    /** It is slowed down for a while. */
    THROTTLED,
    /** It is let back step by step. */
    PROBATION
  }

  /** What the node as a whole did in the same second. */
  record Whole(boolean stressed, int active, double cost, double meanCost, double meanRequests) {}

  static final int SECONDS = 10;
  private static final int HOUR_SECONDS = 3600;
  private static final int STRANGER_SECONDS = 60;
  private static final int CALM_SECONDS = 5;
  private static final double RAMP = 1.10;
  private static final double BURST_SECONDS = 0.2;

  private final double[] costs = new double[SECONDS];
  private int second;
  private double normalCost;
  private double normalRequests;
  private double lived;
  private State state = State.NORMAL;
  private long sinceNanos;
  private long confirmedNanos;
  private double rate;
  private double times;

  State state() {
    return state;
  }

  long sinceNanos() {
    return sinceNanos;
  }

  /** Cost of the last ten seconds. */
  double cost() {
    return Arrays.stream(costs).sum();
  }

  /** How many times its normal cost it has now. */
  double times() {
    return times;
  }

  /** Allowed requests per second while it is throttled or on probation. */
  double rate() {
    return rate;
  }

  /** Takes in what the account did in the second that ended. */
  void second(double cost) {
    second = (second + 1) % SECONDS;
    costs[second] = cost;
  }

  /**
   * Thinks again, once per second, after {@link #second}.
   *
   * @param before the brake so far
   * @return the brake from now on
   */
  @Nullable Gcra judge(
      double requests, Whole whole, AdmissionConfig.Blame blame, @Nullable Gcra before, long now) {
    boolean guilty = guilty(whole, blame);
    if (guilty) {
      confirmedNanos = now;
    }
    return switch (state) {
      case NORMAL -> {
        if (guilty) {
          go(State.SUSPECT, now);
        } else {
          learn(costs[second], requests, whole);
        }
        yield null;
      }
      case SUSPECT -> {
        if (now - confirmedNanos >= Duration.ofSeconds(CALM_SECONDS).toNanos()) {
          go(State.NORMAL, now);
          yield null;
        }
        if (guilty && now - sinceNanos >= blame.throttleAfter().toNanos()) {
          go(State.THROTTLED, now);
          rate = Math.max(blame.throttlePerSecondMin(), blame.throttleTimes() * normalRequests);
          yield brake(now);
        }
        yield before;
      }
      case THROTTLED -> {
        if (now - sinceNanos >= blame.throttleFor().toNanos()) {
          go(State.PROBATION, now);
        }
        yield before;
      }
      case PROBATION -> {
        if (guilty) {
          go(State.SUSPECT, now);
          yield before;
        }
        if (requests < rate || now - sinceNanos >= blame.probation().toNanos()) {
          go(State.NORMAL, now);
          yield null;
        }
        rate *= RAMP;
        yield brake(now);
      }
    };
  }

  private boolean guilty(Whole whole, AdmissionConfig.Blame blame) {
    double mine = cost();
    double normal = lived > 0 ? normalCost : whole.meanCost;
    times = normal <= 0 ? 1 : mine / SECONDS / normal;
    return whole.stressed
        && whole.active >= blame.accountsMin()
        && mine > blame.share() * whole.cost
        && times > blame.times();
  }

  private void learn(double cost, double requests, Whole whole) {
    if (lived == 0) {
      normalCost = whole.meanCost;
      normalRequests = whole.meanRequests;
      lived = STRANGER_SECONDS;
    }
    lived = Math.min(HOUR_SECONDS, lived + 1);
    normalCost += (cost - normalCost) / lived;
    normalRequests += (requests - normalRequests) / lived;
  }

  private Gcra brake(long now) {
    int perMinute = (int) Math.clamp(rate * 60, 1, 6e8);
    int burst = (int) Math.max(1, rate * BURST_SECONDS);
    return new Gcra(perMinute, Duration.ofMinutes(1), burst, now);
  }

  private void go(State next, long now) {
    state = next;
    sinceNanos = now;
  }
}
