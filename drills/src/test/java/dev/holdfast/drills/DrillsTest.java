package dev.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DrillsTest {
  private static final long SEED = Long.getLong("seed", 1);

  private static final int RUNS_MAX = 3;

  /** Looked at when a run surprises. */
  private static final Path REPORTS = Path.of("target", "drill-reports");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "overload",
        "heavy-client",
        "brown-out",
        "tunnels",
        "heroku-headless",
        "heroku-supervisor",
        "heroku-poison",
        "nodejitsu-collision",
        "nodejitsu-drift",
        "nodejitsu-replay"
      })
  void withoutItsDefenceThePlatformBreaksThePromises(String drill)
      throws IOException, InterruptedException {
    var verdict =
        judged(() -> run(drill, Profile.NAIVE), v -> !v.isVoid() && !v.broken().isEmpty());
    assertThat(verdict.broken()).as(verdict.text()).isNotEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "heroku-headless",
        "heroku-supervisor",
        "heroku-poison",
        "nodejitsu-collision",
        "nodejitsu-drift",
        "nodejitsu-replay"
      })
  void theOutagesThatItAnswersDoNotHappen(String drill) throws IOException, InterruptedException {
    var verdict = judged(() -> run(drill, Profile.PROTECTED), v -> v.broken().isEmpty());
    assertThat(verdict.broken()).as(verdict.text()).isEmpty();
  }

  @ParameterizedTest
  @EnabledIfSystemProperty(named = "drills.protected", matches = "true")
  @ValueSource(strings = {"overload", "heavy-client", "brown-out", "attack", "tunnels"})
  void withItsDefenceThePlatformKeepsThePromises(String drill)
      throws IOException, InterruptedException {
    var verdict = judged(() -> run(drill, Profile.PROTECTED), v -> v.broken().isEmpty());
    assertThat(verdict.broken()).as(verdict.text()).isEmpty();
  }

  @Test
  void anAppThatRefusesInTimeKeepsThePromisesOfOverload() throws IOException, InterruptedException {
    var drill = new OverloadDrill();
    var verdict =
        judged(
            () -> direct(drill, drill.app().defended(24, 0), Profile.PROTECTED),
            v -> v.broken().isEmpty());
    assertThat(verdict.broken()).as(verdict.text()).isEmpty();
  }

  @Test
  void anAppThatGivesEachClientAShareKeepsThePromisesOfTheHeavyClient()
      throws IOException, InterruptedException {
    var drill = new HeavyClientDrill();
    var verdict =
        judged(
            () -> direct(drill, drill.app().defended(0, 16), Profile.PROTECTED),
            v -> v.broken().isEmpty());
    assertThat(verdict.broken()).as(verdict.text()).isEmpty();
  }

  @Test
  void anAppThatRefusesInTimeKeepsThePromisesOfTheBrownOut()
      throws IOException, InterruptedException {
    var drill = new BrownOutDrill();
    var verdict =
        judged(
            () -> direct(drill, drill.app().defended(18, 0), Profile.PROTECTED),
            v -> v.promises().getFirst().held());
    // Its own visitors ask again and again, and here each of them reaches the app.
    assertThat(verdict.promises().getFirst().held()).as(verdict.text()).isTrue();
  }

  @Test
  void attacksStopAServerThatHasAThreadForEachConnection()
      throws IOException, InterruptedException {
    var drill = new AttackDrill();
    var verdict = direct(drill, drill.app().withConnectionsMax(200), Profile.NAIVE);
    assertThat(verdict.promises())
        .as(verdict.text())
        .filteredOn(promise -> !promise.held())
        .extracting(Promise::name)
        .anyMatch(name -> name.startsWith("slowloris"))
        .anyMatch(name -> name.startsWith("idle"));
  }

  /**
   * A run that shows what it should, or the last of several: one in which the load itself could not
   * be sent in time says nothing and is repeated.
   */
  private static Verdict judged(Run run, Predicate<Verdict> kept)
      throws IOException, InterruptedException {
    var verdict = run.run();
    for (int i = 1; i < RUNS_MAX && verdict.isVoid() && !kept.test(verdict); i++) {
      verdict = run.run();
    }
    assumeTrue(kept.test(verdict) || !verdict.isVoid(), verdict.text());
    return verdict;
  }

  @FunctionalInterface
  private interface Run {
    Verdict run() throws IOException, InterruptedException;
  }

  private static Verdict run(String name, Profile profile)
      throws IOException, InterruptedException {
    var drill = Objects.requireNonNull(Drills.named(name), name);
    var verdict = Drills.run(drill, profile, Pace.SHORT, SEED);
    System.out.println(verdict.text());
    new Report(drill, verdict).write(REPORTS);
    return verdict;
  }

  private static Verdict direct(Script script, TestApp.Capacity capacity, Profile profile)
      throws IOException, InterruptedException {
    var time = Time.system();
    try (var app = new TestApp(time, capacity, 0)) {
      var verdict =
          script.run(new Script.Stage(time, profile, Pace.SHORT, SEED, Front.none(app), app));
      System.out.println(verdict.text());
      return verdict;
    }
  }
}
