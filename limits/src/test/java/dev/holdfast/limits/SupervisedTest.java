package dev.holdfast.limits;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.limits.Supervised.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Parts of the platform that die, and what it does about it. */
@Timeout(20)
class SupervisedTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Logger LOG = Logger.getLogger(Supervised.class.getName());

  @BeforeAll
  static void hush() {
    LOG.setLevel(Level.OFF); // it says aloud what dies here by the thousand
  }

  @AfterAll
  static void speak() {
    LOG.setLevel(null);
  }

  /** Runs a part in virtual time until it has passed. */
  private static Supervised run(ManualTime time, Duration until, Supervised.Body body) {
    var part =
        Supervised.virtual(
            "part",
            time,
            self -> {
              if (time.nanos() >= until.toNanos()) {
                self.end();
              } else {
                body.run(self);
              }
            });
    part.run();
    return part;
  }

  @Test
  void aPartThatDiesAtEveryStartIsStartedAtMostSevenTimesAMinuteAndDegradedFromTheFifthOn() {
    for (int seed = 0; seed < 1_000; seed++) {
      var time = new ManualTime(seed);
      var states = new ArrayList<State>();
      run(
          time,
          MINUTE,
          self -> {
            states.add(self.report().state());
            throw new IllegalStateException("born dead");
          });
      assertThat(states)
          .as("states at its starts, seed " + seed)
          .hasSizeBetween(6, 7)
          .startsWith(State.RUNNING, State.RUNNING, State.RUNNING, State.RUNNING, State.RUNNING)
          .endsWith(State.DEGRADED)
          .filteredOn(state -> state == State.RUNNING)
          .hasSize(Restarts.DEGRADED_AT);
    }
  }

  @Test
  void waitsAsTheCurveSays() {
    var time = new ManualTime(3);
    var at = new ArrayList<Double>();
    run(
        time,
        Duration.ofMinutes(5),
        _ -> {
          at.add(time.nanos() / 1e9);
          throw new StackOverflowError();
        });
    double[] curve = {1, 2, 4, 8, 16, 32, 60, 60};
    for (int i = 0; i < curve.length; i++) {
      assertThat(at.get(i + 1) - at.get(i))
          .as("wait " + i)
          .isBetween(curve[i] * .8, curve[i] * 1.2);
    }
  }

  @Test
  void tenMinutesUpForgiveEverything() {
    var time = new ManualTime(4);
    var waits = new ArrayList<Double>();
    int[] starts = {0};
    double[] died = {0};
    run(
        time,
        Duration.ofMinutes(20),
        self -> {
          starts[0]++;
          if (starts[0] > 1) {
            waits.add(time.nanos() / 1e9 - died[0]);
          }
          if (starts[0] == 6) {
            assertThat(self.report().state()).isEqualTo(State.DEGRADED);
            time.advance(MINUTE);
            assertThat(self.report().state()).as("after a minute up").isEqualTo(State.RUNNING);
            assertThat(self.report().failures()).isEqualTo(5);
            time.advance(Restarts.FORGIVEN_AFTER);
            assertThat(self.report().failures()).isZero();
          }
          died[0] = time.nanos() / 1e9;
          throw new IllegalStateException();
        });
    assertThat(waits.get(4)).isGreaterThan(12);
    assertThat(waits.get(5)).as("the first wait after ten minutes").isBetween(.8, 1.2);
  }

  @Test
  void whatItDiesOfTwiceInTheSameWayIsLeftOutForAnHourAndNothingElseIs() {
    var time = new ManualTime(5);
    var done = new ArrayList<String>();
    var deaths = new ArrayList<Double>();
    var part =
        run(
            time,
            Duration.ofMinutes(90),
            self -> {
              while (time.nanos() < Duration.ofMinutes(90).toNanos()) {
                for (var input : List.of("a", "poison", "b")) {
                  if (self.shuns(input)) {
                    continue;
                  }
                  self.on(input);
                  if (input.equals("poison")) {
                    deaths.add(time.nanos() / 1e9);
                    throw new StackOverflowError();
                  }
                  done.add(input);
                  self.on(null);
                }
                time.sleep(MINUTE);
              }
              self.end();
            });
    assertThat(done).contains("a", "b");
    assertThat(deaths).as("deaths: twice, and again after an hour").hasSize(3);
    assertThat(deaths.get(2) - deaths.get(1)).isGreaterThanOrEqualTo(3_600);
    assertThat(part.report().shunned()).containsExactly("poison");
  }

  @Test
  void anEndThatNobodyAskedForIsADeath() {
    var time = new ManualTime(6);
    var part = run(time, Duration.ofSeconds(5), _ -> {});
    assertThat(part.report().starts()).isGreaterThan(2);
    assertThat(part.report().cause()).contains("nobody asked");
    assertThat(part.report().state()).isEqualTo(State.STOPPED);
  }

  @Test
  @SuppressWarnings("try") // closed before its time, to look at it afterwards
  void itsSiblingsAndItsParentDoNotNotice() throws Exception {
    var siblings = new CountDownLatch(200);
    var died = new CountDownLatch(1);
    var time = Time.system();
    try (var bad =
            Supervised.platform(
                "bad",
                time,
                _ -> {
                  died.countDown();
                  throw new OutOfMemoryError("said, not meant");
                });
        var good =
            Supervised.virtual(
                "good",
                time,
                self -> {
                  while (!self.closed()) {
                    siblings.countDown();
                    time.sleep(Duration.ofMillis(1));
                  }
                })) {
      assertThat(bad.report().state()).isEqualTo(State.STOPPED);
      bad.start();
      good.start();
      assertThat(died.await(10, TimeUnit.SECONDS)).isTrue();
      assertThat(siblings.await(10, TimeUnit.SECONDS)).isTrue();
      assertThat(good.report().state()).isEqualTo(State.RUNNING);
      var deadline = Deadline.after(Time.system(), Duration.ofSeconds(10));
      while (bad.report().failures() == 0) {
        assertThat(deadline.passed()).as("its death is noted").isFalse();
        Thread.onSpinWait();
      }
      assertThat(bad.report().cause()).contains("said, not meant");
      assertThat(bad.report().nextStartAt()).isAfter(bad.report().diedAt());
      bad.close();
      good.close();
      assertThat(good.report().state()).isEqualTo(State.STOPPED);
      assertThat(good.thread().isAlive()).isFalse();
      assertThat(bad.thread().isAlive()).isFalse();
    }
  }
}
