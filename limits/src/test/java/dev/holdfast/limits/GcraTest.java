package dev.holdfast.limits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Random;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GcraTest {
  private static final Duration SECOND = Duration.ofSeconds(1);

  static LongStream seeds() {
    var replay = Long.getLong("seed");
    return replay != null ? LongStream.of(replay) : new Random().longs(20);
  }

  @Test
  void admitsTheBurstAndThenTheRate() {
    var cell = new Gcra(10, SECOND, 3, 0);
    assertThat(IntStream.range(0, 4).mapToLong(i -> cell.reserve(0)))
        .containsExactly(0L, 0L, 0L, 100_000_000L);
    assertThat(cell.reserve(99_999_999)).isEqualTo(1);
    assertThat(cell.reserve(100_000_000)).isZero();
  }

  @Test
  void aRefusalTakesNothing() {
    var cell = new Gcra(1, SECOND, 1, 0);
    assertThat(cell.reserve(0)).isZero();
    for (int i = 0; i < 1000; i++) {
      assertThat(cell.reserve(0)).isEqualTo(1_000_000_000L);
    }
    assertThat(cell.reserve(1_000_000_000L)).isZero();
  }

  @Test
  void idleTimeIsWorthAtMostTheBurst() {
    var cell = new Gcra(10, SECOND, 5, 0);
    long muchLater = Duration.ofDays(1).toNanos();
    long admitted = IntStream.range(0, 100).filter(i -> cell.reserve(muchLater) == 0).count();
    assertThat(admitted).isEqualTo(5);
  }

  @Test
  void survivesAClockThatWrapsAround() {
    long birth = Long.MAX_VALUE - 50;
    var cell = new Gcra(1, SECOND, 1, birth);
    assertThat(cell.reserve(birth)).isZero();
    assertThat(cell.reserve(birth + 100)).isEqualTo(1_000_000_000L - 100);
    assertThat(cell.reserve(birth + 1_000_000_000L)).isZero();
  }

  @Test
  void aCostlyEventWaitsForAllItsRoom() {
    var cell = new Gcra(10, SECOND, 10, 0);
    assertThat(cell.reserve(0, 8)).isZero();
    assertThat(cell.reserve(0, 3)).isEqualTo(100_000_000L);
    assertThat(cell.reserve(0, 2)).isZero();
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void neverAdmitsMoreThanBurstPlusRateInAnyRun(long seed) {
    var random = new Random(seed);
    int rate = 1 + random.nextInt(1000);
    int burst = 1 + random.nextInt(100);
    var cell = new Gcra(rate, SECOND, burst, 0);
    long now = 0;
    long admitted = 0;
    for (int i = 0; i < 5000; i++) {
      now += random.nextInt(2_000_000);
      long wait = cell.reserve(now);
      if (wait == 0) {
        admitted++;
      } else {
        assertThat(wait).isPositive();
      }
    }
    long intervalNanos = SECOND.toNanos() / rate;
    assertThat(admitted).isLessThanOrEqualTo(burst + now / intervalNanos);
  }

  @Test
  void threadsTogetherGetNoMoreThanOne() throws InterruptedException {
    var cell = new Gcra(1, Duration.ofHours(1), 1000, 0);
    var admitted = new LongAdder();
    var threads =
        IntStream.range(0, 4)
            .mapToObj(t ->
                Thread.ofPlatform()
                    .start(() -> {
                      for (int i = 0; i < 10_000; i++) {
                        if (cell.reserve(0) == 0) {
                          admitted.increment();
                        }
                      }
                    }))
            .toList();
    for (var thread : threads) {
      thread.join();
    }
    assertThat(admitted.sum()).isEqualTo(1000);
  }

  @Test
  void namesTheBadValue() {
    assertThatThrownBy(() -> new Gcra(0, SECOND, 1, 0)).hasMessage("events: 0 (expected: >= 1)");
  }
}
