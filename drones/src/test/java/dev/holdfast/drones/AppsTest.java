package dev.holdfast.drones;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.drones.Release.Status;
import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Time;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class AppsTest {
  private static final Artifact ARTIFACT = Books.ARTIFACT;

  private Books books;
  private Apps apps;

  @BeforeEach
  void open() throws StoreException {
    books = new Books();
    apps = apps(50, 5);
  }

  private Apps apps(int releasesKept, int appsMax) {
    var standard = DronesConfig.defaults();
    var config =
        new DronesConfig(
            10,
            20_000,
            20_099,
            standard.portRest(),
            standard.bootTimeout(),
            standard.healthTimeout(),
            standard.drainTimeout(),
            standard.stopTimeout(),
            standard.releaseTimeout(),
            standard.stableAfter(),
            4,
            releasesKept,
            appsMax);
    return new Apps(books.ledger, books.follower, config, Time.system());
  }

  @AfterEach
  void close() {
    books.close();
  }

  private Release deploy(String app) {
    return apps.deploy("test", app, ARTIFACT, "Deploy", null).orThrow();
  }

  private static Refusal refusal(Outcome<?> outcome) {
    assertThat(outcome).isInstanceOf(Outcome.Refused.class);
    return ((Outcome.Refused<?>) outcome).refusal();
  }

  private Apps.Configured set(String name, String value) {
    return apps.configure("test", "shop", Map.of(name, value), Set.of(), null).orThrow();
  }

  private Map<String, String> vars(int release) {
    var found = Objects.requireNonNull(books.fleet().release("shop", release));
    return books.fleet().config("shop", found.config()).vars();
  }

  // ---- one caller

  @Test
  void createsAnAppWithItsServiceAndItsRoute() {
    var app = apps.create("test", "shop").orThrow();
    assertThat(app.formation()).containsExactly(Map.entry("web", 1));
    assertThat(books.fleet().app("shop")).isEqualTo(app);
    assertThat(books.fleet().routesOf("shop"))
        .containsExactly(Route.toService("shop.localhost", "shop"));
    assertThat(refusal(apps.create("test", "shop"))).isInstanceOf(Refusal.Conflict.class);
    assertThat(refusal(apps.create("test", "No Label"))).isInstanceOf(Refusal.Invalid.class);
  }

  @Test
  void refusesAppsBeyondTheirNumberAndHostsOfOthers() {
    var route = Route.toAddress("taken.localhost", "http://127.0.0.1:3000");
    books
        .write(
            Transaction.by("test")
                .put(Route.KIND, Route.key(route.host()), route, Transaction.ABSENT))
        .orThrow();
    assertThat(refusal(apps.create("test", "taken")).message()).contains("127.0.0.1:3000");
    for (int i = 0; i < 5; i++) {
      apps.create("test", "a" + i).orThrow();
    }
    assertThat(refusal(apps.addDomain("test", "a0", "taken.localhost")).message())
        .contains("127.0.0.1:3000");
    assertThat(refusal(apps.create("test", "shop"))).isInstanceOf(Refusal.OverBudget.class);
  }

  @Test
  void theSameIdempotencyKeyGivesTheSameRelease() {
    var first = apps.deploy("test", "shop", ARTIFACT, "Deploy", "k1").orThrow();
    assertThat(apps.deploy("test", "shop", ARTIFACT, "Deploy", "k1").orThrow()).isEqualTo(first);
    assertThat(apps.deploy("test", "shop", ARTIFACT, "Deploy", "k2").orThrow().version())
        .isEqualTo(2);
    var configured = apps.configure("test", "shop", Map.of("A", "1"), Set.of(), "k3").orThrow();
    set("A", "2");
    var again = apps.configure("test", "shop", Map.of("A", "1"), Set.of(), "k3").orThrow();
    assertThat(again).isEqualTo(configured);
    assertThat(books.versions("shop")).containsExactly(1, 2, 3, 4);
  }

  @Test
  void configVarsMakeAReleaseOnceThereIsSomethingToRun() {
    apps.create("test", "shop").orThrow();
    assertThat(set("A", "1").release()).isNull();
    assertThat(set("A", "2").release()).isNull();
    assertThat(books.fleet().configs().size()).isEqualTo(1); // nobody needs the first any more
    deploy("shop");
    assertThat(vars(1)).containsExactly(Map.entry("A", "2"));
    var changed = apps.configure("test", "shop", Map.of("B", "3"), Set.of("A"), null).orThrow();
    assertThat(changed.vars()).containsExactly(Map.entry("B", "3"));
    assertThat(changed.release()).isNotNull();
    assertThat(vars(2)).containsExactly(Map.entry("B", "3"));
    assertThat(set("B", "3").release()).isNull(); // nothing changes
    assertThat(refusal(apps.configure("test", "shop", Map.of("PORT", "1"), Set.of(), null)))
        .isInstanceOf(Refusal.Invalid.class);
    var large = Map.of("A", "x".repeat(LaunchSpec.VALUE_BYTES_MAX + 1));
    assertThat(refusal(apps.configure("test", "shop", large, Set.of(), null)))
        .isInstanceOf(Refusal.Invalid.class);
  }

  @Test
  void varsWhoseReleaseFailedCanBeSetAgain() {
    deploy("shop");
    books.settle("shop", 1, Status.SUCCEEDED);
    set("A", "1");
    books.settle("shop", 2, Status.FAILED);
    var again = set("A", "1");
    assertThat(again.release()).isNotNull();
    assertThat(vars(3)).containsExactly(Map.entry("A", "1"));
  }

  @Test
  void rollsBackToTheLastGoodReleaseWithItsConfigVars() {
    deploy("shop");
    books.settle("shop", 1, Status.SUCCEEDED);
    assertThat(refusal(apps.rollback("test", "shop", null, null)))
        .isInstanceOf(Refusal.NotFound.class);
    set("A", "1");
    books.settle("shop", 2, Status.SUCCEEDED);
    deploy("shop");
    books.settle("shop", 3, Status.FAILED);
    var back = apps.rollback("test", "shop", null, "k").orThrow();
    assertThat(back.description()).isEqualTo("Rollback to v1");
    assertThat(vars(back.version())).isEmpty();
    assertThat(apps.rollback("test", "shop", null, "k").orThrow()).isEqualTo(back);
    assertThat(refusal(apps.rollback("test", "shop", 3, null)).message()).contains("FAILED");
    assertThat(refusal(apps.rollback("test", "shop", 2, null)).message()).contains("current");
    assertThat(refusal(apps.rollback("test", "shop", 9, null)))
        .isInstanceOf(Refusal.NotFound.class);
  }

  @Test
  void pruningKeepsTheConfigVarsOfTheCurrentRelease() {
    apps = apps(3, 5);
    apps.create("test", "shop").orThrow();
    set("A", "1");
    deploy("shop");
    books.settle("shop", 1, Status.SUCCEEDED);
    for (int version = 2; version <= 9; version++) {
      if (version % 2 == 0) {
        deploy("shop");
      } else {
        set("A", "v" + version);
      }
      books.settle("shop", version, Status.FAILED);
    }
    assertThat(books.versions("shop")).containsExactly(1, 7, 8, 9);
    assertThat(vars(1)).containsExactly(Map.entry("A", "1"));
    assertThat(vars(9)).containsExactly(Map.entry("A", "v9"));
    assertThat(books.fleet().configs().size()).isLessThanOrEqualTo(4);
  }

  @Test
  void pruningKeepsTheConfigVarsOfARollbackWhoseTargetGoes() {
    apps = apps(2, 5);
    apps.create("test", "shop").orThrow();
    set("A", "1");
    deploy("shop");
    books.settle("shop", 1, Status.SUCCEEDED);
    set("A", "2");
    books.settle("shop", 2, Status.SUCCEEDED);
    var back = apps.rollback("test", "shop", 1, null).orThrow();
    assertThat(books.versions("shop")).containsExactly(2, 3);
    assertThat(vars(back.version())).containsExactly(Map.entry("A", "1"));
  }

  @Test
  void scalesTypesThatExist() {
    deploy("shop");
    assertThat(apps.scale("test", "shop", Map.of("worker", 3)).orThrow().wanted("worker"))
        .isEqualTo(3);
    assertThat(apps.scale("test", "shop", Map.of("web", 0)).orThrow().formation())
        .containsOnly(Map.entry("web", 0), Map.entry("worker", 3));
    long head = books.ledger.head();
    apps.scale("test", "shop", Map.of("web", 0)).orThrow();
    assertThat(books.ledger.head()).isEqualTo(head); // wanted already: nothing is written
    for (var wrong :
        List.of(Map.of("cron", 1), Map.of("release", 1), Map.of("web", -1), Map.of("web", 101))) {
      assertThat(refusal(apps.scale("test", "shop", wrong))).isInstanceOf(Refusal.Invalid.class);
    }
    assertThat(refusal(apps.scale("test", "nobody", Map.of("web", 1))))
        .isInstanceOf(Refusal.NotFound.class);
  }

  @Test
  void restartsWhatRunsAndWhatCrashed() {
    deploy("shop");
    books.settle("shop", 1, Status.SUCCEEDED);
    var web = books.place("shop", "web", 1, 1, Instance.State.UP);
    var command = books.place("shop", "release", 1, 2, Instance.State.UP);
    var now = Time.system().now();
    var crash = new Crash("shop", "worker.1", 1, "d9-1", 3, "exit status 1", now, now);
    books
        .write(Transaction.by("test").put(Crash.KIND, crash.key(), crash, Transaction.ABSENT))
        .orThrow();
    assertThat(apps.restart("test", "shop", null).orThrow()).isEqualTo(1);
    var after = books.fleet().instances();
    assertThat(after.get(web.key())).extracting(Instance::state).isEqualTo(Instance.State.DRAINING);
    assertThat(after.get(command.key())).isEqualTo(command);
    assertThat(books.fleet().crashesOf("shop")).isEmpty();
    assertThat(refusal(apps.restart("test", "shop", "web.7"))).isInstanceOf(Refusal.NotFound.class);
  }

  @Test
  void routesDomainsOfOneAppOnly() {
    apps.create("test", "shop").orThrow();
    apps.create("test", "blog").orThrow();
    apps.addDomain("test", "shop", "www.example.org").orThrow();
    assertThat(apps.addDomain("test", "shop", "WWW.example.org").orThrow().host())
        .isEqualTo("www.example.org");
    assertThat(refusal(apps.addDomain("test", "blog", "www.example.org")))
        .isInstanceOf(Refusal.Conflict.class);
    assertThat(refusal(apps.removeDomain("test", "blog", "www.example.org")))
        .isInstanceOf(Refusal.NotFound.class);
    assertThat(refusal(apps.removeDomain("test", "shop", "shop.localhost")))
        .isInstanceOf(Refusal.Invalid.class);
    apps.removeDomain("test", "shop", "www.example.org").orThrow();
    assertThat(books.fleet().routesOf("shop")).hasSize(1);
  }

  // ---- destroying

  @Test
  void destroysWithEveryDomainReleaseAndConfigInOneTransaction() {
    apps.create("test", "shop").orThrow();
    for (int i = 0; i < Apps.DOMAINS_MAX; i++) {
      apps.addDomain("test", "shop", "d" + i + ".example.org").orThrow();
    }
    assertThat(refusal(apps.addDomain("test", "shop", "more.example.org")))
        .isInstanceOf(Refusal.Invalid.class);
    for (int i = 0; i < 60; i++) {
      set("A", "" + i);
      var release = deploy("shop");
      books.settle("shop", release.version(), Status.SUCCEEDED);
    }
    apps.destroy("test", "shop").orThrow();
    var fleet = books.fleet();
    assertThat(fleet.app("shop")).isNull();
    assertThat(fleet.routes().size()).isZero();
    assertThat(fleet.releases().size()).isZero();
    assertThat(fleet.configs().size()).isZero();
  }

  @Test
  void aNewAppOfTheSameNameInheritsNothing() {
    deploy("shop");
    books.settle("shop", 1, Status.SUCCEEDED);
    var web = books.place("shop", "web", 1, 1, Instance.State.UP);
    var now = Time.system().now();
    var crash = new Crash("shop", "worker.1", 1, "d9-1", 3, "exit status 1", now, now);
    var endpoint =
        new Endpoint(
            "shop", "d9-1", "worker.1", "127.0.0.1", 1, "drone/d9", 1, Endpoint.State.CRASHED);
    books
        .write(
            Transaction.by("test")
                .put(Crash.KIND, crash.key(), crash, Transaction.ABSENT)
                .put(Endpoint.KIND, endpoint.key(), endpoint, Transaction.ABSENT))
        .orThrow();
    var command = books.place("shop", "release", 1, 2, Instance.State.UP);
    books.fleet();
    apps.destroy("test", "shop").orThrow();
    assertThat(books.fleet().instances().get(web.key()))
        .extracting(Instance::state)
        .isEqualTo(Instance.State.DRAINING);
    assertThat(books.fleet().instances().get(command.key()))
        .extracting(Instance::state)
        .isEqualTo(Instance.State.DRAINING);
    assertThat(books.fleet().crashesOf("shop")).isEmpty();
    assertThat(books.fleet().endpoints().get(endpoint.key())).isNull();
    // One that a destroy did not see, because it was placed at that moment.
    var late = books.place("shop", "web", 1, 3, Instance.State.UP);
    books.fleet();
    deploy("shop");
    assertThat(books.fleet().instances().get(late.key()))
        .extracting(Instance::state)
        .isEqualTo(Instance.State.DRAINING);
  }

  // ---- many callers

  private static void together(List<Callable<?>> callers) throws Exception {
    var tasks = callers.stream().map(FutureTask::new).toList();
    tasks.forEach(task -> Thread.ofVirtual().start(task));
    for (var task : tasks) {
      task.get(30, TimeUnit.SECONDS);
    }
  }

  @Test
  void concurrentDeploysGetDenseVersionsAndNoneIsLost() throws Exception {
    int callers = 6;
    var answers = new ArrayList<Callable<?>>();
    var versions = Collections.synchronizedList(new ArrayList<Integer>());
    for (int i = 0; i < callers; i++) {
      answers.add(() -> {
        for (int j = 0; j < 5; j++) {
          versions.add(deploy("shop").version());
        }
        return null;
      });
    }
    together(answers);
    assertThat(versions)
        .containsExactlyInAnyOrderElementsOf(
            IntStream.rangeClosed(1, callers * 5).boxed().toList());
    assertThat(books.versions("shop")).hasSize(callers * 5);
    var app = Objects.requireNonNull(books.fleet().app("shop"));
    assertThat(app.latest()).isEqualTo(callers * 5);
  }

  @Test
  void oneIdempotencyKeyInManyHandsIsOneRelease() throws Exception {
    var versions = Collections.synchronizedList(new ArrayList<Integer>());
    Callable<?> caller =
        () ->
            versions.add(
                apps.deploy("test", "shop", ARTIFACT, "Deploy", "same").orThrow().version());
    together(Collections.nCopies(8, caller));
    assertThat(versions).hasSize(8).containsOnly(1);
    assertThat(books.versions("shop")).containsExactly(1);
  }

  @Test
  void concurrentChangesOfDifferentThingsAllStay() throws Exception {
    deploy("shop");
    var callers = new ArrayList<Callable<?>>();
    for (int i = 0; i < 6; i++) {
      int n = i;
      callers.add(() -> set("V" + n, "x"));
    }
    callers.add(() -> apps.scale("test", "shop", Map.of("web", 3)).orThrow());
    callers.add(() -> apps.scale("test", "shop", Map.of("worker", 2)).orThrow());
    together(callers);
    var app = Objects.requireNonNull(books.fleet().app("shop"));
    assertThat(app.formation()).containsOnly(Map.entry("web", 3), Map.entry("worker", 2));
    assertThat(books.fleet().config("shop", app.config()).vars()).hasSize(6);
    assertThat(books.versions("shop")).containsExactly(1, 2, 3, 4, 5, 6, 7);
  }

  @Test
  void aDomainAddedWhileTheAppGoesNeverOutlivesIt() throws Exception {
    for (int round = 0; round < 30; round++) {
      apps.create("test", "shop").orThrow();
      var host = "r" + round + ".example.org";
      together(
          List.of(() -> apps.addDomain("test", "shop", host), () -> apps.destroy("test", "shop")));
      assertThat(books.fleet().routesOf("shop")).as("round " + round).isEmpty();
    }
  }

  @Test
  void aFullDiskIsARefusalAndNothingIsHalfDone() {
    deploy("shop");
    books.store.failWith("no space left on device");
    var refused = apps.deploy("test", "shop", ARTIFACT, "Deploy", null);
    assertThat(refusal(refused)).isInstanceOf(Refusal.Unavailable.class);
    books.store.failWith(null);
    assertThat(deploy("shop").version()).isEqualTo(2);
  }
}
