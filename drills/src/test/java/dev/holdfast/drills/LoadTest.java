package dev.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.drills.TestApp.Capacity;
import dev.holdfast.drills.Visitors.Rate;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class LoadTest {
  private static final int SECONDS = 2;

  @Test
  void chargesTheServerForEverybodyWhoCameWhileItWasBusy()
      throws IOException, InterruptedException {
    // Twice the capacity: after two seconds the last one waits for about two more. A generator that
    // waited for answers would see 20 ms.
    try (var app = new TestApp(Time.system(), Capacity.of(1, 20), 0);
        var load = new Load(Time.system(), 1)) {
      var tally = load.add(visitors(app).withRates(new Rate(0, 100)));
      load.start(SECONDS);
      load.await();
      var sum = tally.between(0, SECONDS);
      assertThat(sum.good()).as("%s", sum).isEqualTo(sum.offered()).isBetween(150L, 250L);
      assertThat(sum.millis(99)).as("%s", sum).isGreaterThan(1_000);
      assertThat(app.served("/visit")).isEqualTo(sum.good());
    }
  }

  @Test
  void countsWhoGivesUpAndAsksAgain() throws IOException, InterruptedException {
    try (var app = new TestApp(Time.system(), Capacity.of(1, 60_000), 0);
        var load = new Load(Time.system(), 1)) {
      var tally =
          load.add(
              visitors(app)
                  .withRates(new Rate(0, 50))
                  .withPatience(Duration.ofMillis(100), new Retries.Immediate(2)));
      load.start(SECONDS);
      load.await();
      var sum = tally.between(0, SECONDS + 1);
      assertThat(sum.late()).as("%s", sum).isEqualTo(sum.offered()).isPositive();
      assertThat(sum.tries()).isEqualTo(3 * sum.offered());
      assertThat(sum.admittedMillis(50)).isGreaterThan(10_000);
    }
  }

  @Test
  void aBudgetKeepsRetriesToAShare() throws IOException, InterruptedException {
    try (var app = new TestApp(Time.system(), Capacity.of(1, 60_000), 0);
        var load = new Load(Time.system(), 1)) {
      var tally =
          load.add(
              visitors(app)
                  .withRates(new Rate(0, 100))
                  .withPatience(Duration.ofMillis(100), new Retries.Budget(10)));
      load.start(SECONDS);
      load.await();
      var sum = tally.between(0, SECONDS + 1);
      assertThat(sum.tries() - sum.offered()).isBetween(1L, sum.offered() / 10);
    }
  }

  @Test
  void tellsRefusalsFromFailures() throws IOException, InterruptedException {
    try (var app = new TestApp(Time.system(), Capacity.of(1, 500).defended(1, 0), 0);
        var load = new Load(Time.system(), 1)) {
      var tally = load.add(visitors(app).withRates(new Rate(0, 50)));
      load.start(SECONDS);
      load.await();
      var sum = tally.between(0, SECONDS);
      assertThat(sum.good()).as("%s", sum).isBetween(1L, 10L);
      assertThat(sum.refused()).isEqualTo(sum.offered() - sum.good());
      assertThat(tally.firstRefusalAfter(0)).isLessThan(1);
    }
  }

  private static Visitors visitors(TestApp app) {
    return Visitors.of("visit", app.address(), Front.HOST, 1, 10);
  }
}
