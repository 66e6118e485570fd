package dev.holdfast.limits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BackoffTest {
  private static final Duration FIRST = Duration.ofMillis(100);
  private static final Duration CAP = Duration.ofSeconds(5);

  @Test
  void fullJitterStaysInsideItsGrowingWindow() {
    var backoff = Backoff.fullJitter(FIRST, CAP);
    var random = new Random(7);
    for (int failures = 1; failures < 100; failures++) {
      var window = Math.min(CAP.toMillis(), 100L << Math.min(failures - 1, 20));
      assertThat(backoff.delay(failures, random))
          .isBetween(Duration.ZERO, Duration.ofMillis(window));
    }
  }

  @Test
  void fullJitterUsesTheWholeWindow() {
    var backoff = Backoff.fullJitter(FIRST, CAP);
    var random = new Random(7);
    var longest = Duration.ZERO;
    for (int i = 0; i < 1000; i++) {
      var delay = backoff.delay(50, random);
      longest = delay.compareTo(longest) > 0 ? delay : longest;
    }
    assertThat(longest).isGreaterThan(Duration.ofMillis(4900));
  }

  @Test
  void stepsFollowTheTableAndRepeatItsEnd() {
    var backoff = Backoff.steps(0, Duration.ZERO, Duration.ofSeconds(10), Duration.ofSeconds(30));
    var random = new Random(7);
    assertThat(backoff.delay(1, random)).isZero();
    assertThat(backoff.delay(2, random)).isEqualTo(Duration.ofSeconds(10));
    assertThat(backoff.delay(3, random)).isEqualTo(Duration.ofSeconds(30));
    assertThat(backoff.delay(999, random)).isEqualTo(Duration.ofSeconds(30));
  }

  @Test
  void stepsJitterBothWaysWithinTheirShare() {
    var backoff = Backoff.steps(0.2, Duration.ofSeconds(10));
    var random = new Random(7);
    for (int i = 0; i < 1000; i++) {
      assertThat(backoff.delay(1, random)).isBetween(Duration.ofSeconds(8), Duration.ofSeconds(12));
    }
  }

  @Test
  void refusesWaitsThatWouldSpin() {
    assertThatThrownBy(() -> Backoff.fullJitter(Duration.ZERO, CAP))
        .hasMessage("first: PT0S (expected: > 0)");
    assertThatThrownBy(() -> Backoff.steps(1.0, FIRST)).hasMessageContaining("in [0, 1)");
  }
}
