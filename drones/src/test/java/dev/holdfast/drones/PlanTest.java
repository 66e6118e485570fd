package dev.holdfast.drones;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.drones.Instance.State;
import dev.holdfast.drones.Observed.Ending;
import dev.holdfast.drones.Observed.How;
import dev.holdfast.drones.Release.Status;
import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Kind;
import dev.holdfast.ledger.Payload;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PlanTest {
  private static final Instant BIRTH = Instant.parse("2026-01-01T00:00:00Z");
  private static final Observed FINE = new Observed(BIRTH, null, false, false, false);
  private static final Observed ANSWERS = new Observed(BIRTH, null, true, false, false);
  private static final Observed FOREIGN = new Observed(BIRTH, null, false, true, false);
  private static final Observed QUIET = new Observed(BIRTH, null, false, false, true);

  private final DronesConfig config = DronesConfig.defaults();
  private final Map<String, Observed> observed = new HashMap<>();
  private Fleet fleet = Fleet.FOLD.start();
  private Instant now = BIRTH;
  private long position;

  @Test
  void anAppWithoutReleaseNeedsNothing() {
    app(0, 0, Map.of("web", 1));
    assertThat(plan()).isEmpty();
  }

  @Test
  void aFirstReleaseBootsBeforeItBecomesCurrent() {
    app(0, 1, Map.of("web", 2));
    var release = release(1, Status.PENDING, Map.of("web", "run", "worker", "work"));
    assertThat(plan()).containsExactly(new Action.Advance(release, Status.STARTING));
    release(1, Status.STARTING, release.types());
    assertThat(plan()).containsExactly(place("web", 1, 1), place("web", 2, 1));
    var first = instance("web", 1, 1, State.STARTING, 1);
    var second = instance("web", 2, 1, State.STARTING, 2);
    see(first, ANSWERS);
    see(second, FINE);
    assertThat(plan()).containsExactly(new Action.Up(first));
    instance("web", 1, 1, State.UP, 1);
    instance("web", 2, 1, State.UP, 2);
    see(second, ANSWERS);
    assertThat(plan()).hasSize(1).first().isInstanceOf(Action.Switch.class);
  }

  @Test
  void theOldReleaseServesUntilTheNewOneAnswers() {
    app(1, 2, Map.of("web", 1));
    release(1, Status.SUCCEEDED, Map.of("web", "run"));
    release(2, Status.STARTING, Map.of("web", "run"));
    instance("web", 1, 1, State.UP, 1);
    instance("web", 1, 2, State.STARTING, 2);
    see(instance("web", 1, 2, State.STARTING, 2), FINE);
    assertThat(plan()).isEmpty();
  }

  @Test
  void aReleaseThatCrashesAtBootFailsAndTheOldOneStays() {
    app(1, 2, Map.of("web", 1));
    release(1, Status.SUCCEEDED, Map.of("web", "run"));
    var release = release(2, Status.STARTING, Map.of("web", "run"));
    instance("web", 1, 1, State.UP, 1);
    var fresh = instance("web", 1, 2, State.STARTING, 2);
    see(fresh, ended(How.FAILED, "exit status 1"));
    assertThat(plan())
        .containsExactly(new Action.Fail(release, "web.1: exit status 1"), new Action.Ended(fresh));
  }

  @Test
  void aReleaseWhoseProcessWasNeverStartedIsPlacedAgain() {
    app(1, 2, Map.of("web", 1));
    release(1, Status.SUCCEEDED, Map.of("web", "run"));
    release(2, Status.STARTING, Map.of("web", "run"));
    instance("web", 1, 1, State.UP, 1);
    var fresh = instance("web", 1, 2, State.STARTING, 2);
    see(fresh, ended(How.GONE, "never started"));
    assertThat(plan()).containsExactly(new Action.Ended(fresh));
    gone(fresh);
    assertThat(plan()).containsExactly(place("web", 1, 2));
  }

  @Test
  void bootingForTooLongFailsWithR10() {
    app(0, 1, Map.of("web", 1));
    release(1, Status.STARTING, Map.of("web", "run"));
    var slow = instance("web", 1, 1, State.STARTING, 1);
    see(slow, FINE);
    now = BIRTH.plus(config.bootTimeout()).minusMillis(1);
    assertThat(plan()).isEmpty();
    now = BIRTH.plus(config.bootTimeout());
    assertThat(plan()).hasSize(2);
    assertThat(plan().getFirst().toString()).contains("R10");
    assertThat(plan().getLast()).isEqualTo(new Action.Drain(slow));
  }

  @Test
  void aPortInAStrangersHandsIsNeverUp() {
    app(0, 1, Map.of("web", 1));
    release(1, Status.STARTING, Map.of("web", "run"));
    var victim = instance("web", 1, 1, State.STARTING, 1);
    see(victim, FOREIGN);
    assertThat(plan())
        .hasSize(2)
        .noneMatch(Action.Up.class::isInstance)
        .first()
        .extracting(Object::toString)
        .asString()
        .contains("port 20001 is taken");
  }

  @Test
  void theReleaseCommandRunsFirstAndItsFailureEndsTheRelease() {
    app(0, 1, Map.of("web", 1));
    var types = Map.of("web", "run", "release", "migrate");
    var release = release(1, Status.PENDING, types);
    assertThat(plan()).containsExactly(new Action.Advance(release, Status.RELEASING));
    release = release(1, Status.RELEASING, types);
    assertThat(plan()).containsExactly(place("release", 1, 1));
    var command = instance("release", 1, 1, State.UP, 1);
    see(command, FINE);
    assertThat(plan()).isEmpty();
    see(command, ended(How.CLEAN, "exit status 0"));
    assertThat(plan())
        .containsExactly(new Action.Advance(release, Status.STARTING), new Action.Ended(command));
    see(command, ended(How.FAILED, "exit status 3"));
    assertThat(plan())
        .containsExactly(
            new Action.Fail(release, "its release command failed: exit status 3"),
            new Action.Ended(command));
  }

  @Test
  void ofReleasesThatWaitTheNewestWins() {
    app(1, 4, Map.of("web", 1));
    release(1, Status.SUCCEEDED, Map.of("web", "run"));
    instance("web", 1, 1, State.UP, 1);
    var old = release(2, Status.PENDING, Map.of("web", "run"));
    var older = release(3, Status.PENDING, Map.of("web", "run"));
    var newest = release(4, Status.PENDING, Map.of("web", "run"));
    assertThat(plan())
        .containsExactly(
            new Action.Fail(old, "superseded by v4 before it started"),
            new Action.Fail(older, "superseded by v4 before it started"),
            new Action.Advance(newest, Status.STARTING));
  }

  @Test
  void oneReleaseIsUnderWayAtATime() {
    app(0, 2, Map.of("web", 1));
    release(1, Status.STARTING, Map.of("web", "run"));
    see(instance("web", 1, 1, State.STARTING, 1), FINE);
    release(2, Status.PENDING, Map.of("web", "run"));
    assertThat(plan()).isEmpty();
  }

  @Test
  void whatWaitsForADroneDoesNotKeepItsSuccessorWaiting() {
    app(0, 2, Map.of("web", 1));
    var stuck = release(1, Status.STARTING, Map.of("web", "run"));
    release(2, Status.PENDING, Map.of("web", "run"));
    var cause = "superseded by v2 before all of it started";
    assertThat(plan()).containsExactly(new Action.Fail(stuck, cause));
    stuck = release(1, Status.RELEASING, Map.of("web", "run", "release", "migrate"));
    assertThat(plan()).containsExactly(new Action.Fail(stuck, cause));
  }

  @Test
  void unpackingIsNotTheAppsTime() {
    running();
    var web = instance("web", 1, 1, State.STARTING, 1);
    now = BIRTH.plus(config.bootTimeout());
    assertThat(plan()).isEmpty(); // nothing was seen of it: its launch waits or unpacks
    see(web, new Observed(now, null, false, false, false));
    assertThat(plan()).isEmpty();
    now = now.plus(config.bootTimeout());
    assertThat(plan()).hasSize(1).first().isInstanceOf(Action.Crashed.class);
  }

  @Test
  void scalingToNothingAndBackDuringADeploy() {
    app(1, 2, Map.of("web", 0));
    release(1, Status.SUCCEEDED, Map.of("web", "run"));
    release(2, Status.STARTING, Map.of("web", "run"));
    var old = instance("web", 1, 1, State.UP, 1);
    var fresh = instance("web", 1, 2, State.STARTING, 2);
    see(old, FINE);
    see(fresh, FINE);
    assertThat(plan())
        .hasSize(3)
        .contains(new Action.Drain(old), new Action.Drain(fresh))
        .first()
        .isInstanceOf(Action.Switch.class);
    app(2, 2, Map.of("web", 2));
    release(2, Status.SUCCEEDED, Map.of("web", "run"));
    instance("web", 1, 1, State.DRAINING, 1);
    instance("web", 1, 2, State.DRAINING, 2);
    assertThat(plan()).containsExactly(place("web", 1, 2), place("web", 2, 2));
  }

  @Test
  void aReleaseCommandThatTakesTooLongEndsItsRelease() {
    app(0, 1, Map.of("web", 1));
    var types = Map.of("web", "run", "release", "migrate");
    var release = release(1, Status.RELEASING, types);
    var command = instance("release", 1, 1, State.UP, 1);
    see(command, FINE);
    now = BIRTH.plus(config.releaseTimeout());
    assertThat(plan())
        .containsExactly(
            new Action.Fail(
                release, "its release command took longer than " + config.releaseTimeout()));
    release(1, Status.FAILED, types);
    assertThat(plan()).containsExactly(new Action.Drain(command));
  }

  @Test
  void aReleaseCommandThatWentAwayWithThePlatformRunsAgain() {
    app(0, 1, Map.of("web", 1));
    release(1, Status.RELEASING, Map.of("web", "run", "release", "migrate"));
    var command = instance("release", 1, 1, State.STARTING, 1);
    see(command, ended(How.GONE, "never started"));
    assertThat(plan()).containsExactly(new Action.Ended(command));
    gone(command);
    assertThat(plan()).containsExactly(place("release", 1, 1));
  }

  @Test
  void aCrashWaitsForItsTimeAndANewReleaseDoesNot() {
    running();
    var crash =
        new Crash("hello", "web.1", 1, "d9-1", 2, "exit status 1", BIRTH, BIRTH.plusSeconds(10));
    put(Crash.KIND, crash.key(), crash);
    assertThat(plan()).isEmpty();
    now = BIRTH.plusSeconds(10);
    assertThat(plan()).containsExactly(place("web", 1, 1));
    now = BIRTH;
    app(2, 2, Map.of("web", 1));
    release(2, Status.SUCCEEDED, Map.of("web", "run"));
    assertThat(plan()).containsExactly(place("web", 1, 2), new Action.Forget(crash));
  }

  @Test
  void aProcessOfTheFormationThatEndsHasCrashedEvenWithStatusZero() {
    running();
    var web = instance("web", 1, 1, State.UP, 1);
    see(web, ended(How.CLEAN, "exit status 0"));
    assertThat(plan()).containsExactly(new Action.Crashed(web, "exit status 0"));
  }

  @Test
  void whatWentAwayWithTheMachineIsNoCrash() {
    running();
    var web = instance("web", 1, 1, State.UP, 1);
    see(web, ended(How.GONE, "lost"));
    assertThat(plan()).containsExactly(new Action.Ended(web));
  }

  @Test
  void whatIsNotWantedDrainsStopsAndIsKilled() {
    running();
    var second = instance("web", 2, 1, State.UP, 2);
    see(instance("web", 1, 1, State.UP, 1), FINE);
    see(second, FINE);
    assertThat(plan()).containsExactly(new Action.Drain(second));
    second = instance("web", 2, 1, State.DRAINING, 2);
    assertThat(plan()).isEmpty();
    see(second, QUIET);
    assertThat(plan()).containsExactly(new Action.Stop(second));
    see(second, FINE);
    now = BIRTH.plus(config.drainTimeout());
    assertThat(plan()).containsExactly(new Action.Stop(second));
    now = BIRTH;
    second = instance("web", 2, 1, State.STOPPING, 2);
    assertThat(plan()).isEmpty();
    now = BIRTH.plus(config.stopTimeout());
    assertThat(plan()).containsExactly(new Action.Kill(second));
    see(second, ended(How.FAILED, "killed by SIGKILL"));
    assertThat(plan()).containsExactly(new Action.Ended(second));
  }

  @Test
  void processesOfADestroyedAppEnd() {
    var orphan = instance("web", 1, 1, State.UP, 1);
    see(orphan, FINE);
    assertThat(plan()).containsExactly(new Action.Drain(orphan));
  }

  @Test
  void ofTwoInOnePlaceOneIsTooMany() {
    running();
    var first = instance("web", 1, 1, State.UP, 1);
    var twin = instance("web", 1, 1, State.UP, 2);
    see(first, FINE);
    see(twin, FINE);
    assertThat(plan()).containsExactly(new Action.Drain(twin));
  }

  @Test
  void crashesAreForgottenOnceTheProcessIsStable() {
    running();
    see(instance("web", 1, 1, State.UP, 1), FINE);
    var crash = new Crash("hello", "web.1", 1, "d9-1", 2, "exit status 1", BIRTH, BIRTH);
    put(Crash.KIND, crash.key(), crash);
    now = BIRTH.plus(config.stableAfter()).minus(Duration.ofMillis(1));
    assertThat(plan()).isEmpty();
    now = BIRTH.plus(config.stableAfter());
    assertThat(plan()).containsExactly(new Action.Forget(crash));
  }

  // ---- parts

  private List<Action> plan() {
    return Plan.of(fleet, observed, config, now);
  }

  private void running() {
    app(1, 1, Map.of("web", 1));
    release(1, Status.SUCCEEDED, Map.of("web", "run"));
  }

  private static Action place(String type, int index, int release) {
    return new Action.Place("hello", type, index, release);
  }

  private static Observed ended(How how, String text) {
    return new Observed(BIRTH, new Ending(how, text), false, false, false);
  }

  private void see(Instance instance, Observed seen) {
    observed.put(instance.id(), seen);
  }

  private void app(int release, int latest, Map<String, Integer> formation) {
    var app = new App("hello", BIRTH, release, latest, 0, formation);
    put(App.KIND, App.key("hello"), app);
  }

  private Release release(int version, Status status, Map<String, String> types) {
    var release =
        new Release(
            "hello",
            version,
            status,
            "Deploy",
            "0".repeat(64),
            types,
            0,
            null,
            BIRTH,
            "test",
            null);
    put(Release.KIND, release.key(), release);
    return release;
  }

  private Instance instance(String type, int index, int release, State state, int drone) {
    var port = type.equals("web") ? 20_000 + drone : 0;
    var instance = new Instance("hello", type, index, release, drone, 1, port, state, BIRTH);
    put(Instance.KIND, instance.key(), instance);
    return instance;
  }

  private void gone(Instance instance) {
    observed.remove(instance.id());
    put(Instance.KIND, instance.key(), null);
  }

  private <T> void put(Kind<T> kind, String key, @Nullable T value) {
    position++;
    fleet =
        Fleet.FOLD.apply(
            fleet,
            new Entry(
                position,
                key,
                kind.name(),
                kind.schema(),
                position,
                BIRTH,
                "test",
                value == null,
                value == null ? Payload.EMPTY : kind.encode(value)));
  }
}
