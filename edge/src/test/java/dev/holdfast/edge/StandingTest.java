package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.edge.Standing.State;
import dev.holdfast.limits.Gcra;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class StandingTest {
  private static final int ACCOUNTS = 100;
  private static final AdmissionConfig.Blame BLAME = AdmissionConfig.defaults().blame();

  private final Standing[] standings = new Standing[ACCOUNTS];
  private final @Nullable Gcra[] brakes = new Gcra[ACCOUNTS];
  private long now;

  StandingTest() {
    for (int i = 0; i < ACCOUNTS; i++) {
      standings[i] = new Standing();
    }
  }

  /** One second in which each account asks for so many requests of 10 ms. */
  private void second(double[] requests, boolean stressed, int active) {
    now += World.SECOND;
    double sum = 0;
    double cost = 0;
    for (int i = 0; i < active; i++) {
      standings[i].second(requests[i] * 10_000_000);
      sum += requests[i];
      cost += standings[i].cost();
    }
    var whole = new Standing.Whole(stressed, active, cost, sum * 10_000_000 / active, sum / active);
    for (int i = 0; i < active; i++) {
      brakes[i] = standings[i].judge(requests[i], whole, BLAME, brakes[i], now);
    }
  }

  private static double[] quiet(Random random) {
    var requests = new double[ACCOUNTS];
    for (int i = 0; i < ACCOUNTS; i++) {
      requests[i] = 5 + random.nextInt(3);
    }
    return requests;
  }

  @Test
  void aFloodUnderStressIsNamedWithinTenSecondsAndThrottledWithinThirty() {
    var random = new Random(1);
    for (int i = 0; i < 600; i++) {
      second(quiet(random), false, ACCOUNTS);
    }
    int named = -1;
    int throttled = -1;
    for (int i = 1; i <= 60; i++) {
      var requests = quiet(random);
      requests[42] = 600;
      second(requests, true, ACCOUNTS);
      if (named < 0 && standings[42].state() == State.SUSPECT) {
        named = i;
      }
      if (throttled < 0 && standings[42].state() == State.THROTTLED) {
        throttled = i;
      }
    }
    assertThat(named).isBetween(1, 10);
    assertThat(throttled).isBetween(10, 30);
    assertThat(standings[42].rate()).isBetween(10.0, 15.0); // 1.5 times what was normal
    assertThat(brakes[42]).isNotNull();
    for (int i = 0; i < ACCOUNTS; i++) {
      assertThat(standings[i].state()).isEqualTo(i == 42 ? State.THROTTLED : State.NORMAL);
    }
    for (int i = 0; i < 400; i++) {
      second(quiet(random), false, ACCOUNTS);
    }
    assertThat(standings[42].state()).isEqualTo(State.NORMAL);
    assertThat(brakes[42]).isNull();
  }

  @Test
  void aNewcomersFloodIsNotItsNormal() {
    var random = new Random(2);
    for (int i = 0; i < 600; i++) {
      second(quiet(random), false, ACCOUNTS - 1);
    }
    for (int i = 0; i < 30; i++) {
      var requests = quiet(random);
      requests[ACCOUNTS - 1] = 2000;
      second(requests, true, ACCOUNTS);
    }
    assertThat(standings[ACCOUNTS - 1].state()).isEqualTo(State.THROTTLED);
  }

  /** A day with its tides, and a launch that brings one account five times its visitors. */
  @Test
  void aDayWithALegitimateSurgeSuspectsNobody() {
    var random = new Random(3);
    var seen = new boolean[1];
    for (int i = 0; i < 86_400; i++) {
      double tide = 1 + 0.6 * Math.sin(2 * Math.PI * i / 86_400);
      var requests = quiet(random);
      for (int a = 0; a < ACCOUNTS; a++) {
        requests[a] *= tide;
      }
      boolean launch = i >= 40_000 && i < 47_200;
      if (launch) {
        requests[7] *= 5;
      }
      // The node has a bad moment now and then, also during the launch.
      second(requests, i % 1000 < 15, ACCOUNTS);
      for (var standing : standings) {
        seen[0] |= standing.state() != State.NORMAL;
      }
    }
    assertThat(seen[0]).isFalse();
  }

  @Test
  void withFewerThanThreeActiveAccountsNobodyIsSuspected() {
    for (int i = 0; i < 100; i++) {
      second(new double[] {5, 5}, false, 2);
    }
    for (int i = 0; i < 60; i++) {
      second(new double[] {5, 5000}, true, 2);
    }
    assertThat(standings[1].state()).isEqualTo(State.NORMAL);
  }
}
