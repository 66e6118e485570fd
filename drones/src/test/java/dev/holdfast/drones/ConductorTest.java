package dev.holdfast.drones;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.drones.Release.Status;
import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Lease;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real processes under a real conductor; only the edges are scripted. */
@Timeout(60)
class ConductorTest {
  private static final int UID_FIRST = 23_000;
  private static final int DRONES = 4;
  private static final String SLEEP = "worker: exec sleep 1000\n";

  /** Answers with the files of its directory, on its port. */
  private static final String SERVE =
      "exec "
          + Path.of(System.getProperty("java.home"), "bin", "java")
          + " -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto"
          + " -m jdk.httpserver -b 127.0.0.1 -p $PORT";

  @TempDir Path temp;
  private final Edges edges = new Edges();
  private Books books;
  private Artifacts artifacts;
  private AppLogs logs;
  private Launcher launcher;
  private DronesConfig config;
  private @Nullable Drones drones;

  @BeforeEach
  void open() throws IOException, StoreException {
    Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwxr-xr-x"));
    books = new Books();
    artifacts = new Artifacts(temp.resolve("artifacts"), ArtifactLimits.defaults(), Time.system());
    logs = new AppLogs(temp.resolve("logs"), LogLimits.defaults(), Time.system());
    launcher =
        new Launcher(
            temp.resolve("runs"),
            artifacts,
            LauncherConfig.defaults().withUidFirst(UID_FIRST),
            Time.system());
    config = config(Duration.ofSeconds(20));
  }

  @AfterEach
  void end() throws IOException {
    if (drones != null) {
      drones.close();
    }
    launcher.endAll(Duration.ofSeconds(5));
    logs.close();
    books.close();
  }

  private static DronesConfig config(Duration bootTimeout) {
    int first = FreePorts.first(2 * DRONES);
    return new DronesConfig(
        DRONES,
        first,
        first + 2 * DRONES - 1,
        Duration.ofMillis(50),
        bootTimeout,
        Duration.ofSeconds(2),
        Duration.ofSeconds(20),
        Duration.ofSeconds(1),
        Duration.ofSeconds(20),
        Duration.ofMinutes(10),
        2,
        10,
        10);
  }

  private Drones start() throws Exception {
    var now = Time.system();
    var free = Brake.NONE;
    drones =
        Drones.start(books.ledger, launcher, artifacts, logs, edges, free, config, now, "test");
    return drones;
  }

  private Release deploy(Drones running, String procfile) {
    return deploy(running, Tarball.withProcfile(procfile));
  }

  private Release deploy(Drones running, Tarball tarball) {
    var artifact = artifacts.put(tarball.stream()).orThrow();
    return running.apps().deploy("test", "shop", artifact, "Deploy", null).orThrow();
  }

  private void settled(Release release, Status status) throws Exception {
    Until.holds(
        "v" + release.version() + " " + status,
        () -> {
          var now = books.fleet().release("shop", release.version());
          return now != null && now.status() == status;
        });
  }

  /** The only instance of that release and type, when it is in that state. */
  private Instance instance(int release, String type, Instance.State state) throws Exception {
    Until.holds(
        type + " of v" + release + " " + state,
        () -> {
          var found = find(release, type);
          return found != null && found.state() == state;
        });
    return Objects.requireNonNull(find(release, type));
  }

  private @Nullable Instance find(int release, String type) {
    return books.fleet().instancesOf("shop").stream()
        .filter(i -> i.release() == release && i.type().equals(type))
        .reduce((_, last) -> last)
        .orElse(null);
  }

  /** A worker of v1 that is up. */
  private Instance worker(Drones running, String procfile) throws Exception {
    settled(deploy(running, procfile), Status.SUCCEEDED);
    running.apps().scale("test", "shop", Map.of("worker", 1)).orThrow();
    return instance(1, "worker", Instance.State.UP);
  }

  private boolean held(String lease) {
    var found = books.fleet().leases().get(Lease.entryKey(lease));
    return found != null && found.value().held();
  }

  private Endpoint.@Nullable State endpoint(Instance instance) {
    var found = books.fleet().endpoints().get(Endpoint.key("shop", instance.id()));
    return found == null ? null : found.state();
  }

  private void gone(Instance instance) throws Exception {
    Until.holds(
        instance.id() + " gone", () -> books.fleet().instances().get(instance.key()) == null);
  }

  private static int get(int port) throws Exception {
    try (var http = HttpClient.newHttpClient()) {
      var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/Procfile"));
      return http.send(request.build(), HttpResponse.BodyHandlers.discarding()).statusCode();
    }
  }

  private static long pid(Drones running, Instance instance) {
    var process =
        running.processes("shop").stream()
            .filter(p -> p.name().equals(instance.process()))
            .filter(p -> ("d" + instance.drone()).equals(p.drone()))
            .findFirst()
            .orElseThrow();
    return Objects.requireNonNull(process.pid());
  }

  private static boolean alive(long pid) {
    return ProcessTable.find(pid) != null;
  }

  // ---- tests

  @Test
  void anOldReleaseServesUntilTheSwitchAndLeavesOnlyAfterEveryEdgeKnows() throws Exception {
    var running = start();
    settled(deploy(running, "web: " + SERVE + "\n"), Status.SUCCEEDED);
    var old = instance(1, "web", Instance.State.UP);
    assertThat(endpoint(old)).isEqualTo(Endpoint.State.UP);
    assertThat(get(old.port())).isEqualTo(200);
    long oldPid = pid(running, old);

    edges.applied = 0; // from now on no edge applies anything
    edges.inFlight = 1;
    settled(deploy(running, "web: " + SERVE + " -o none\n"), Status.SUCCEEDED);
    var fresh = instance(2, "web", Instance.State.UP);
    assertThat(endpoint(fresh)).isEqualTo(Endpoint.State.UP);
    assertThat(endpoint(old)).isEqualTo(Endpoint.State.DRAINING);
    edges.askedAgain();
    assertThat(instance(1, "web", Instance.State.DRAINING)).isNotNull();

    long drained = books.ledger.head();
    edges.applied = drained; // every edge knows, but a request is under way
    edges.askedAgain();
    assertThat(instance(1, "web", Instance.State.DRAINING)).isNotNull();
    assertThat(alive(oldPid)).isTrue();

    edges.inFlight = 0;
    gone(old);
    assertThat(alive(oldPid)).isFalse();
    assertThat(held(old.droneLease())).isFalse();
    assertThat(endpoint(old)).isNull();
    edges.askedAgain();
    assertThat(held(Instance.portLease(old.port()))).isTrue(); // no edge applied the removal
    edges.applied = Long.MAX_VALUE;
    Until.holds("port given back", () -> !held(Instance.portLease(old.port())));
    assertThat(get(fresh.port())).isEqualTo(200);
    Until.holds("run removed", () -> launcher.runIds().equals(List.of(fresh.id())));
  }

  @Test
  void nothingIsSentToAReleaseBeforeAllOfItAnswers() throws Exception {
    var running = start();
    running.apps().create("test", "shop").orThrow();
    running.apps().scale("test", "shop", Map.of("web", 2)).orThrow();
    // Only the first listens, until the second is allowed to.
    var command = "while [ $DYNO = web.2 ] && ! [ -e " + temp + "/go ]; do sleep 0.1; done; ";
    var release = deploy(running, "web: " + command + SERVE + "\n");
    Until.holds(
        "web.1 up",
        () ->
            books.fleet().instancesOf("shop").stream()
                .anyMatch(i -> i.index() == 1 && i.state() == Instance.State.UP));
    assertThat(books.fleet().release("shop", 1))
        .extracting(Release::status)
        .isEqualTo(Status.STARTING);
    for (var instance : books.fleet().instancesOf("shop")) {
      assertThat(endpoint(instance)).isEqualTo(Endpoint.State.STARTING);
    }
    Files.createFile(temp.resolve("go"));
    settled(release, Status.SUCCEEDED);
    for (var instance : books.fleet().instancesOf("shop")) {
      assertThat(endpoint(instance)).isEqualTo(Endpoint.State.UP);
    }
  }

  @Test
  void aCrashIsTriedAgainAtOnceAndThenLaterAndSaysSo() throws Exception {
    var running = start();
    settled(deploy(running, "worker: exit 3\n"), Status.SUCCEEDED);
    running.apps().scale("test", "shop", Map.of("worker", 1)).orThrow();
    Until.holds(
        "second crash",
        () -> books.fleet().crashesOf("shop").stream().anyMatch(c -> c.crashes() == 2));
    var view = running.processes("shop").getFirst();
    assertThat(view.state()).isEqualTo("crashed");
    assertThat(view.crashes()).isEqualTo(2);
    assertThat(view.lastExit()).isEqualTo("exit status 3");
    assertThat(view.nextStartAt()).isNotNull();
    assertThat(Duration.between(view.since(), view.nextStartAt()))
        .isBetween(Duration.ofSeconds(8), Duration.ofSeconds(12));
    assertThat(held("drone/d1")).isFalse();
    var first = books.fleet().crashesOf("shop").getFirst();
    // A new release does not wait for the old one's punishment.
    settled(deploy(running, SLEEP), Status.SUCCEEDED);
    instance(2, "worker", Instance.State.UP);
    Until.holds("crash forgotten", () -> books.fleet().crashesOf("shop").isEmpty());
    assertThat(first.release()).isEqualTo(1);
  }

  @Test
  void theNextLifeAdoptsTheSameProcessInTheSameLease() throws Exception {
    var running = start();
    var worker = worker(running, SLEEP);
    long pid = pid(running, worker);
    running.close();
    assertThat(alive(pid)).isTrue();
    var again = start();
    assertThat(pid(again, worker)).isEqualTo(pid);
    assertThat(books.fleet().instances().get(worker.key())).isEqualTo(worker);
    // And it is still in hand: it stops when nobody wants it.
    again.apps().scale("test", "shop", Map.of("worker", 0)).orThrow();
    gone(worker);
    assertThat(alive(pid)).isFalse();
    assertThat(held(worker.droneLease())).isFalse();
  }

  @Test
  void whatEndedWhileNobodyLookedIsACrashWithItsStatus() throws Exception {
    var running = start();
    var worker =
        worker(running, "worker: until [ -e " + temp + "/go ]; do sleep 0.1; done; exit 9\n");
    long pid = pid(running, worker);
    running.close();
    Files.createFile(temp.resolve("go"));
    Until.holds("ended", () -> !alive(pid));
    Until.holds(
        "status written",
        () -> Files.exists(temp.resolve("runs").resolve(worker.id()).resolve("status")));
    start();
    Until.holds(
        "crash",
        () ->
            books.fleet().crashesOf("shop").stream()
                .anyMatch(c -> c.exit().equals("exit status 9")));
  }

  @Test
  void aFailingReleaseCommandKeepsTheOldRelease() throws Exception {
    var running = start();
    var worker = worker(running, SLEEP);
    long pid = pid(running, worker);
    var broken = deploy(running, "release: echo no; exit 3\n" + SLEEP);
    settled(broken, Status.FAILED);
    assertThat(books.fleet().release("shop", 2))
        .extracting(Release::failure)
        .isEqualTo("its release command failed: exit status 3");
    assertThat(books.fleet().app("shop")).extracting(App::release).isEqualTo(1);
    assertThat(books.fleet().instances().get(worker.key())).isEqualTo(worker);
    assertThat(alive(pid)).isTrue();
    var good = deploy(running, "release: exit 0\n" + SLEEP);
    settled(good, Status.SUCCEEDED);
    gone(worker);
    assertThat(alive(pid)).isFalse();
  }

  @Test
  void whatWasPlacedAndNeverStartedIsPlacedAgain() throws Exception {
    var running = start();
    var worker = worker(running, SLEEP);
    running.close();
    // As if kill -9 had come between the grant and the start of a second one.
    var app = Objects.requireNonNull(books.fleet().app("shop"));
    books
        .append(
            Transaction.by("test")
                .put(
                    App.KIND,
                    App.key("shop"),
                    app.withFormation(Map.of("web", 0, "worker", 2)),
                    Transaction.PRESENT))
        .orThrow();
    var lost =
        new Instance("shop", "worker", 2, 1, 3, 1, 0, Instance.State.STARTING, Time.system().now());
    books
        .append(
            Transaction.by("test")
                .grantChild(lost.droneLease(), "shop", "node/test", Transaction.ABSENT)
                .put(Instance.KIND, lost.key(), lost, Transaction.ABSENT))
        .orThrow();
    start();
    gone(lost);
    assertThat(held(lost.droneLease())).isFalse();
    Until.holds(
        "worker.2 up",
        () ->
            books.fleet().instancesOf("shop").stream()
                .anyMatch(i -> i.index() == 2 && i.state() == Instance.State.UP));
    assertThat(books.fleet().instances().get(worker.key())).isEqualTo(worker);
  }

  @Test
  void aPortInAStrangersHandsNeverComesUp() throws Exception {
    var running = start();
    var release =
        deploy(running, "web: until [ -e " + temp + "/go ]; do sleep 0.1; done; exec sleep 1000\n");
    var web = instance(1, "web", Instance.State.STARTING);
    try (var _ = new ServerSocket(web.port(), 1, InetAddress.getLoopbackAddress())) {
      settled(release, Status.FAILED);
      gone(web);
    }
    assertThat(books.fleet().release("shop", 1))
        .extracting(Release::failure)
        .asString()
        .contains("port " + web.port() + " is taken");
    assertThat(books.fleet().app("shop")).extracting(App::release).isEqualTo(0);
  }

  @Test
  void aDroneIsNotGivenBackWhileItsLaunchIsUnderWay() throws Exception {
    config = config(Duration.ofMillis(100)); // over before anything can be unpacked
    var running = start();
    var large = Tarball.withProcfile("web: exec sleep 1000\n");
    for (int i = 0; i < 3_000; i++) {
      large.file("f" + i, "x");
    }
    running.apps().create("test", "shop").orThrow();
    running.apps().scale("test", "shop", Map.of("web", 0)).orThrow();
    settled(deploy(running, large), Status.SUCCEEDED);
    running.apps().scale("test", "shop", Map.of("web", 1)).orThrow();
    var web = instance(1, "web", Instance.State.STARTING);
    var pid = temp.resolve("runs").resolve(web.id()).resolve("pid");
    var started = new AtomicInteger();
    Until.holds(
        "gone",
        () -> {
          started.addAndGet(Files.exists(pid) ? 1 : 0);
          return books.fleet().instances().get(web.key()) == null;
        });
    // It booted for too long only once there was a process, and that is gone for good.
    assertThat(started.get()).isPositive();
    assertThat(books.fleet().crashesOf("shop").getFirst().exit()).contains("R10");
    running.apps().destroy("test", "shop").orThrow();
    Until.holds("nothing left", () -> books.fleet().instances().size() == 0);
    Until.holds("runs removed", () -> launcher.runIds().isEmpty());
    assertThat(marked(Set.of(web.id()))).isZero();
  }

  @Test
  void destroyingDuringTheLaunchLeavesNothing() throws Exception {
    var running = start();
    for (int round = 0; round < 5; round++) {
      deploy(running, SLEEP);
      Until.holds(
          "current",
          () -> {
            var app = books.fleet().app("shop");
            return app != null && app.release() > 0;
          });
      running.apps().scale("test", "shop", Map.of("worker", 3)).orThrow();
      int wait = round;
      Until.holds("some placed", () -> books.fleet().instances().size() >= wait % 4);
      running.apps().destroy("test", "shop").orThrow();
    }
    Until.holds("nothing left", () -> books.fleet().instances().size() == 0);
    Until.holds("runs removed", () -> launcher.runIds().isEmpty());
    for (int drone = 1; drone <= DRONES; drone++) {
      assertThat(held(Instance.droneLease(drone))).isFalse();
    }
  }

  @Test
  void aProcessThatIgnoresSigtermIsKilledAndHoldsUpNobody() throws Exception {
    var running = start();
    var worker = worker(running, "worker: trap '' TERM; echo deaf; while :; do sleep 0.1; done\n");
    long pid = pid(running, worker);
    Until.holds(
        "deaf", () -> logs.last("shop", 100).stream().anyMatch(l -> l.text().equals("deaf")));
    running.apps().restart("test", "shop", null).orThrow();
    gone(worker);
    assertThat(alive(pid)).isFalse();
    Until.holds(
        "said once",
        () -> logs.last("shop", 1_000).stream().anyMatch(l -> l.text().contains("R12")));
    assertThat(logs.last("shop", 1_000).stream().filter(l -> l.text().contains("R12"))).hasSize(1);
  }

  @Test
  void aLedgerThatRefusesStartsNothingAndAfterwardsAllGoesOn() throws Exception {
    var running = start();
    settled(deploy(running, SLEEP), Status.SUCCEEDED);
    running.apps().scale("test", "shop", Map.of("worker", 1)).orThrow();
    var worker = instance(1, "worker", Instance.State.UP);
    long pid = pid(running, worker);
    books.store.failWith("no space left on device");
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    Until.holds("ended", () -> !alive(pid));
    Until.holds("seen to be gone", () -> launcher.adopt(worker.id()) instanceof Adoption.Ended);
    assertThat(books.fleet().instances().get(worker.key())).isEqualTo(worker);
    assertThat(launcher.runIds()).containsExactly(worker.id());
    books.store.failWith(null);
    gone(worker);
    var next = instance(1, "worker", Instance.State.UP);
    assertThat(next.id()).isNotEqualTo(worker.id());
  }

  @Test
  void aRunThatCannotBeLookedAtKeepsItsDrone() throws Exception {
    var running = start();
    var worker = worker(running, SLEEP);
    long pid = pid(running, worker);
    running.close();
    var file = temp.resolve("runs").resolve(worker.id()).resolve("pid");
    var good = Files.readString(file);
    Files.writeString(file, "scribble");
    var again = start();
    assertThat(alive(pid)).isTrue();
    assertThat(books.fleet().instances().get(worker.key())).isEqualTo(worker);
    assertThat(held(worker.droneLease())).isTrue();
    Files.writeString(file, good);
    Until.holds("adopted", () -> again.processes("shop").getFirst().pid() != null);
    assertThat(pid(again, worker)).isEqualTo(pid);
  }

  /** Processes of these runs, which nobody but their user's own may see. */
  private long marked(Set<String> runIds) {
    return ProcessTable.all().stream()
        .filter(p -> runIds.contains("" + ProcessTable.variable(p.pid(), Run.LEASE)))
        .filter(p -> ("" + ProcessTable.variable(p.pid(), "HOME")).startsWith(temp.toString()))
        .count();
  }
}
