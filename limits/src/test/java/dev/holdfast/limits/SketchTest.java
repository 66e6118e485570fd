package dev.holdfast.limits;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Who is heavy, how heavy, and how much of each is under way. */
class SketchTest {
  static LongStream seeds() {
    var replay = Long.getLong("seed");
    return replay != null ? LongStream.of(replay) : new Random().longs(10);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void noAnswerIsWrongByMoreThanTheBound(long seed) {
    var random = new Random(seed);
    int capacity = 64;
    var sketch = new HeavyHitters(capacity);
    var other = new HeavyHitters(capacity);
    Map<Long, Long> truth = new HashMap<>();
    for (int i = 0; i < 50_000; i++) {
      long key = 1L + (long) (2000 * Math.pow(random.nextDouble(), 3));
      long weight = 1L + random.nextInt(50);
      (i % 3 == 0 ? other : sketch).add(key, weight);
      truth.merge(key, weight, Long::sum);
    }
    sketch.addAll(other);
    long total = truth.values().stream().mapToLong(Long::longValue).sum();
    assertThat(sketch.total()).isEqualTo(total);
    assertThat(sketch.size()).isLessThanOrEqualTo(capacity);
    // Two sketches were merged, and each may be wrong by 2/capacity of what it saw.
    assertThat(sketch.error()).isLessThanOrEqualTo(4 * total / capacity);
    truth.forEach((key, weight) -> {
      assertThat(sketch.atLeast(key)).isLessThanOrEqualTo(weight);
      assertThat(sketch.atMost(key)).isGreaterThanOrEqualTo(weight);
    });
  }

  @Test
  void theHeaviestComesFirstAndClearingForgetsAll() {
    var sketch = new HeavyHitters(8);
    for (int i = 1; i <= 1000; i++) {
      sketch.add(i, 1);
      sketch.add(77, 5);
    }
    assertThat(sketch.top(1).getFirst().key()).isEqualTo(77);
    sketch.clear();
    assertThat(sketch.top(5)).isEmpty();
    assertThat(sketch.total()).isZero();
  }

  @Test
  void theHeavyUserHasTheHighestQuantileAndEqualsAreSpread() {
    var usage = new Usage(1024, Duration.ofSeconds(60), 0);
    for (int user = 1; user <= 100; user++) {
      usage.add(user, user == 50 ? 1_000_000 : 1000, 0);
    }
    usage.calibrate(1, 0);
    assertThat(usage.users()).isEqualTo(100);
    double[] others = new double[101];
    for (int user = 1; user <= 100; user++) {
      others[user] = usage.quantile(user);
      if (user != 50) {
        assertThat(others[user]).isLessThan(usage.quantile(50));
      }
    }
    assertThat(Arrays.stream(others).distinct().count()).isGreaterThan(95);
    assertThat(usage.quantile(4711)).isZero();
  }

  @Test
  void usageIsForgottenAfterItsWindow() {
    var usage = new Usage(64, Duration.ofSeconds(60), 0);
    usage.add(1, 100, 0);
    assertThat(usage.of(1, Duration.ofSeconds(31).toNanos())).isEqualTo(100);
    assertThat(usage.of(1, Duration.ofSeconds(61).toNanos())).isZero();
  }

  @Test
  void countsWhatIsUnderWay() {
    var inFlight = new InFlight(1024);
    for (long key = 1; key <= 100; key++) {
      inFlight.enter(key);
    }
    inFlight.enter(7);
    assertThat(inFlight.of(7)).isGreaterThanOrEqualTo(2);
    for (long key = 1; key <= 100; key++) {
      inFlight.leave(key);
    }
    assertThat(inFlight.of(7)).isEqualTo(1);
  }

  @Test
  void aTableOfCellsKeepsEachKeysRateAndAdmitsWhatHasNoPlace() {
    var table = new GcraTable(8, 10, Duration.ofSeconds(1), 2, 0);
    for (long key = 1; key <= 8; key++) {
      assertThat(table.reserve(key, 0)).isZero();
      assertThat(table.reserve(key, 0)).isZero();
      assertThat(table.reserve(key, 0)).isEqualTo(100_000_000L);
    }
    assertThat(table.remaining(3, 0)).isZero();
    assertThat(table.reserve(9, 0)).isZero();
    assertThat(table.overflowed()).isEqualTo(1);
    long later = 1_000_000_000L; // all cells are idle now, so one is given away and nothing lost
    assertThat(table.reserve(9, later)).isZero();
    assertThat(table.overflowed()).isEqualTo(1);
    assertThat(table.remaining(9, later)).isEqualTo(1);
  }

  @Test
  void aRetryBudgetIsATenthOfWhatWasTriedPlusAReserve() {
    var budget = RetryBudget.standard(0);
    assertThat(budget.retries(0)).isEqualTo(10);
    for (int i = 0; i < 1000; i++) {
      budget.deposit(0);
    }
    int retries = 0;
    while (budget.withdraw(0)) {
      retries++;
    }
    assertThat(retries).isEqualTo(110);
    assertThat(budget.retries(Duration.ofSeconds(11).toNanos())).isEqualTo(10);
  }

  @Test
  void aWaitingRoomTurnsWhenTheFirstHasWaitedTooLong() {
    var room = new WaitingRoom<String>(2, Duration.ofMillis(100));
    assertThat(room.offer("a", 0, 1000)).isNull();
    assertThat(room.offer("b", 0, 2000)).isNull();
    assertThat(room.offer("c", 0, 3000)).isEqualTo("c");
    assertThat(room.poll(0)).isEqualTo("a");
    long later = 100_000_001;
    assertThat(room.offer("d", later, Long.MAX_VALUE)).isNull();
    assertThat(room.offer("e", later, Long.MAX_VALUE)).isEqualTo("b");
    assertThat(room.remove("x")).isFalse();
    assertThat(room.poll(later)).isEqualTo("e");
    assertThat(room.expired(later)).isNull();
    assertThat(room.poll(later)).isEqualTo("d");
    assertThat(room.poll(later)).isNull();
    assertThat(room.newestFirst(later)).isTrue();
    assertThat(room.newestFirst(later + 1_000_000_001)).isFalse();
  }

  @Test
  void aWaitingRoomNamesThoseWhoseTimeIsUp() {
    var room = new WaitingRoom<String>(4, Duration.ofSeconds(9));
    room.offer("a", 0, 30);
    room.offer("b", 0, 10);
    room.offer("c", 0, 40);
    assertThat(room.expired(9)).isNull();
    assertThat(room.expired(35)).isEqualTo("a");
    assertThat(room.expired(35)).isEqualTo("b");
    assertThat(room.expired(35)).isNull();
    assertThat(room.poll(35)).isEqualTo("c");
  }

  @Test
  void aWaitingRoomThatIsNeverEmptyStaysInOrderWhileItIsShort() {
    var room = new WaitingRoom<Integer>(1000, Duration.ofMillis(100));
    for (int i = 0; i < 500; i++) {
      assertThat(room.offer(i, i, Long.MAX_VALUE)).isNull();
    }
    for (int i = 0; i < 2_000; i++) {
      long now = 500 + i * 100_000L; // each waits for 50 ms
      assertThat(room.peek(now)).isEqualTo(i);
      assertThat(room.poll(now)).isEqualTo(i);
      assertThat(room.offer(500 + i, now, Long.MAX_VALUE)).isNull();
      assertThat(room.newestFirst(now)).isFalse();
    }
    long now = 500 + 2_000 * 100_000L;
    assertThat(room.waited(60_000_000, now)).isNull();
    assertThat(room.waited(50_000_000, now)).isEqualTo(2_000);
    assertThat(room.size()).isEqualTo(499);
  }

  @Test
  void aNewcomerStartsWithATenth() {
    var slow = SlowStart.over(Duration.ofSeconds(10));
    assertThat(slow.weight(0)).isEqualTo(0.10);
    assertThat(slow.weight(5_000_000_000L)).isEqualTo(0.5);
    assertThat(slow.weight(99_000_000_000L)).isEqualTo(1);
    assertThat(slow.cap(0, 200)).isEqualTo(1);
    assertThat(slow.cap(5_000_000_000L, 200)).isEqualTo(100);
    assertThat(slow.cap(10_000_000_000L, 200)).isEqualTo(200);
  }

  @Test
  void anOverloadedNodeShedsTheLowestLevelsFirstAndComesBack() {
    var shed = ShedLevel.standard(0);
    var counts = new int[ShedLevel.EXEMPT];
    int light = ShedLevel.level(3, 0);
    int heavy = ShedLevel.level(3, 0.99);
    int batch = ShedLevel.level(0, 0);
    long now = 0;
    for (int i = 0; i < 4; i++) {
      counts[light] = 50;
      counts[heavy] = 100;
      counts[batch] = 50;
      now += 250_000_000L;
      shed.arrived(counts, shed.shedding() ? 150 : 200);
      shed.lag(100_000_000L);
      assertThat(shed.decide(now)).isTrue();
    }
    assertThat(shed.shedding()).isTrue();
    assertThat(shed.over()).isEqualTo(5);
    assertThat(shed.admits(batch, 0xffff)).isFalse();
    assertThat(shed.admits(light, 0)).isTrue();
    assertThat(shed.admits(ShedLevel.EXEMPT, 0)).isTrue();
    for (int i = 0; i < 60; i++) {
      counts[light] = 200;
      now += 250_000_000L;
      shed.arrived(counts, 200);
      shed.lag(0);
      shed.decide(now);
    }
    assertThat(shed.shedding()).isFalse();
  }
}
