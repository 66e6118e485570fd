package dev.holdfast.limits;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class GradientLimitTest {
  private static final long SECOND = 1_000_000_000L;
  private final Random random = new Random(7);
  private long now;

  /**
   * An app with so many workers, fed as hard as the limit and {@code demand} allow: what is beyond
   * the workers queues in the app (Little's law, closed form).
   */
  private void second(GradientLimit limit, int workers, double serviceMillis, double demand) {
    double inFlight = Math.min(limit.limit(), demand);
    double nanos = serviceMillis * 1e6 * Math.max(1, inFlight / workers);
    int count = (int) (inFlight / nanos * SECOND);
    for (int i = 0; i < count; i++) {
      now += SECOND / count + 1;
      double noise = 1 + 0.3 * random.nextGaussian();
      limit.sample((long) Math.max(1000, nanos * noise), (int) inFlight, now);
    }
  }

  private void seconds(int n, GradientLimit limit, int workers, double millis, double demand) {
    for (int i = 0; i < n; i++) {
      second(limit, workers, millis, demand);
    }
  }

  @Test
  void growsToWhatTheAppCanDoAndNotMuchFurther() {
    var limit = GradientLimit.standard(now);
    seconds(30, limit, 64, 10, 8);
    seconds(300, limit, 64, 10, 1e6);
    assertThat(limit.limit()).isBetween(60, 110);
  }

  @Test
  void staysWhenNobodyNeedsMore() {
    var limit = GradientLimit.standard(now);
    seconds(300, limit, 64, 10, 9);
    assertThat(limit.limit()).isEqualTo(20);
  }

  @Test
  void shrinksWhenTheAppSlowsDownByQueueing() {
    var limit = GradientLimit.standard(now);
    seconds(30, limit, 64, 10, 8);
    seconds(300, limit, 64, 10, 1e6);
    seconds(60, limit, 8, 10, 1e6);
    assertThat(limit.limit()).isBetween(6, 20);
  }

  @Test
  void hoursOfOverloadDoNotBecomeTheNewNormal() {
    var limit = GradientLimit.standard(now);
    seconds(30, limit, 16, 10, 4);
    seconds(2 * 3600, limit, 16, 10, 1e6);
    assertThat(limit.limit()).isLessThanOrEqualTo(33);
  }

  @Test
  void anAppThatIsSlowerByItselfGetsItsConcurrencyBack() {
    var limit = GradientLimit.standard(now);
    seconds(30, limit, 64, 10, 8);
    seconds(300, limit, 64, 10, 1e6);
    int before = limit.limit();
    seconds(300, limit, 64, 50, 1e6); // a new release takes five times as long
    assertThat(limit.limit()).isGreaterThan(before * 2 / 3);
  }

  @Test
  void moreInstancesMeanMoreAtOnce() {
    var limit = GradientLimit.standard(now);
    limit.instances(3);
    assertThat(limit.limit()).isEqualTo(60);
    limit.instances(1);
    assertThat(limit.limit()).isEqualTo(20);
  }
}
