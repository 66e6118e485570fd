package dev.holdfast.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.drones.App;
import dev.holdfast.drones.Crash;
import dev.holdfast.drones.Fleet;
import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Kind;
import dev.holdfast.limits.KnownRod;
import dev.holdfast.limits.ManualTime;
import dev.holdfast.limits.RodsConfig;
import dev.holdfast.limits.Supervised.State;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the platform's own rules see, and what becomes of them when they die. */
@Timeout(30)
class RodRulesTest {
  @TempDir private Path temp;
  private final ManualTime time = new ManualTime();
  private Fleet fleet = Fleet.FOLD.start();
  private long position;

  private RodBoard board() {
    return new RodBoard(temp.resolve("rods.json"), "n1", RodsConfig.defaults(), time);
  }

  private <T> void put(Kind<T> kind, String key, T value) {
    position++;
    fleet =
        Fleet.FOLD.apply(
            fleet,
            new Entry(
                position,
                key,
                kind.name(),
                kind.schema(),
                1,
                time.now(),
                "test",
                false,
                kind.encode(value)));
  }

  private void apps(int count) {
    for (int i = 0; i < count; i++) {
      put(App.KIND, "app/a" + i, new App("a" + i, time.now(), 1, 1, 0, Map.of("web", 1)));
    }
  }

  private void crash(int app, int release, int times) {
    var at = time.now();
    put(
        Crash.KIND,
        "crash/a" + app + "/web.1",
        new Crash("a" + app, "web.1", release, "i", times, "exit 1", at, at.plusSeconds(30)));
  }

  @Test
  void seesThatManyAppsBeganToCrashAndNotThatSomeAlwaysDo() {
    apps(20);
    assertThat(RodRules.crashing(fleet, time.now())).isZero();
    for (int app = 0; app < 4; app++) {
      crash(app, 1, 3);
    }
    assertThat(RodRules.crashing(fleet, time.now())).as("four are their own fault").isZero();
    crash(4, 1, 2);
    crash(5, 9, 3);
    crash(6, 1, 7);
    assertThat(RodRules.crashing(fleet, time.now()))
        .as("one that crashed twice, one of another release, one that has crashed for long")
        .isZero();
    crash(4, 1, 3);
    crash(5, 1, 4);
    assertThat(RodRules.crashing(fleet, time.now())).isEqualTo(6 / 20.0);
    time.advance(Duration.ofMinutes(5));
    assertThat(RodRules.crashing(fleet, time.now())).as("it is over").isZero();
  }

  @Test
  void deniesDeploysButNotRollbacksWhileTheyCrashAndSaysThatItDoes() {
    var board = board();
    var rules =
        new RodRules(
            board,
            List.of(
                new RodRules.Watched(
                    RodRules.crashLoops(), () -> RodRules.crashing(fleet, time.now()))),
            time);
    apps(10);
    for (int app = 0; app < 5; app++) {
      crash(app, 1, 3);
    }
    for (int i = 0; i < 3; i++) {
      assertThat(board.view().has(KnownRod.DENY_DEPLOYS)).isFalse();
      rules.look();
      time.advance(Duration.ofSeconds(1));
    }
    var rod = board.list().items().getFirst();
    assertThat(rod.source()).isEqualTo("rule crash-loops");
    assertThat(rod.level()).isEqualTo("rollbacks");
    assertThat(rod.reason()).contains("began to crash");
    assertThat(rod.expiresAt()).as("it ends by itself").isNotNull();
    assertThat(board.local().waiting(1).getFirst().by()).isEqualTo("rule crash-loops");

    time.advance(Duration.ofMinutes(5));
    for (int i = 0; i < 3; i++) {
      rules.look();
    }
    assertThat(board.view().has(KnownRod.DENY_DEPLOYS)).isFalse();
  }

  @Test
  void rulesThatDieAtEveryLookAreTriedSevenTimesAMinuteAndTakeNobodyWithThem() throws Exception {
    var log = Logger.getLogger("dev.holdfast.limits.Supervised");
    log.setLevel(Level.OFF); // eight stack traces that say nothing
    var board = board();
    var passed = new CountDownLatch(1);
    var states = new ArrayList<State>();
    var self = new RodRules[1];
    self[0] =
        new RodRules(
            board,
            List.of(
                new RodRules.Watched(
                    RodRules.disk(),
                    () -> {
                      if (time.nanos() > Duration.ofSeconds(60).toNanos()) {
                        passed.countDown();
                        return awaitEnd();
                      }
                      states.add(self[0].part().report().state());
                      throw new StackOverflowError();
                    })),
            time);
    try (var rules = self[0]) {
      rules.start();
      passed.await();
      assertThat(states).hasSizeBetween(6, 7).endsWith(State.DEGRADED);
      assertThat(states.subList(0, 5)).containsOnly(State.RUNNING);
      assertThat(rules.part().report().failures()).isEqualTo(states.size());
      assertThat(rules.part().report().cause()).contains("StackOverflowError");
      var supervision = new Supervision();
      supervision.show(() -> List.of(rules.part()));
      assertThat(supervision.reports().getFirst().state()).isEqualTo(State.DEGRADED);
      var healthy = new RodRules(board, List.of(), time); // its sibling on the same board
      healthy.look();
    } finally {
      log.setLevel(null);
    }
    assertThat(self[0].part().report().state()).isEqualTo(State.STOPPED);
  }

  private static double awaitEnd() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return 0;
  }
}
