package dev.holdfast.drones;

import dev.holdfast.drones.Observed.How;
import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Receipt;
import dev.holdfast.ledger.Service;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Gcra;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Brings the machine to what the ledger wants: looks, plans, acts, and looks again. It alone places,
 * stops and buries instances.
 *
 * <p>Every action is written to the ledger before or after it is done, in the order in which a crash
 * between the two does no harm: a drone is granted before its process starts, and given back after
 * every process on it is gone. At the start it adopts what a predecessor left running.
 */
final class Conductor implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(Conductor.class.getName());
  private static final String ACTOR = "conductor";
  private static final Duration BUSY = Duration.ofMillis(100);
  private static final Duration IDLE = Duration.ofSeconds(1);
  private static final Duration LOG_WAIT = Duration.ofSeconds(10);
  private static final Duration APPLY_WAIT = Duration.ofSeconds(5);

  /** Config var that names the path of the health check. */
  static final String HEALTH_PATH = "HEALTHCHECK_PATH";

  private final Ledger ledger;
  private final Follower<Fleet> follower;
  private final Launcher launcher;
  private final Artifacts artifacts;
  private final AppLogs logs;
  private final Traffic traffic;
  private final DronesConfig config;
  private final Time time;
  private final NodeLease node;
  private final Pool pool;
  private final Semaphore launches;
  private final HttpClient http;
  private final Gcra complaints;
  private final Waker waker = new Waker();
  private final Map<String, Watch> watches = new HashMap<>(); // confined to the thread
  private final Map<String, Run> runs = new ConcurrentHashMap<>(); // by instance id
  private final Thread thread;
  private final Thread alarm;
  private volatile List<String> waiting = List.of();
  private volatile boolean closed;

  Conductor(
      Ledger ledger,
      Follower<Fleet> follower,
      Launcher launcher,
      Artifacts artifacts,
      AppLogs logs,
      Traffic traffic,
      DronesConfig config,
      Time time,
      NodeLease node) {
    this.ledger = ledger;
    this.follower = follower;
    this.launcher = launcher;
    this.artifacts = artifacts;
    this.logs = logs;
    this.traffic = traffic;
    this.config = config;
    this.time = time;
    this.node = node;
    pool = new Pool(config, traffic, time);
    complaints = new Gcra(1, Duration.ofSeconds(1), 5, time.nanos());
    launches = new Semaphore(config.launchesMax());
    http = HttpClient.newBuilder().connectTimeout(config.healthTimeout()).build();
    thread = Thread.ofPlatform().name("conductor").daemon().unstarted(this::run);
    alarm = Thread.ofVirtual().name("conductor-alarm").unstarted(this::watchLedger);
  }

  /** Adopts what runs; returns when the ledger says of every instance what is true of it. */
  void start() {
    adopt();
    tick();
    thread.start();
    alarm.start();
  }

  /** Processes that wait for a free drone, such as {@code hello/web.2}. */
  List<String> waiting() {
    return waiting;
  }

  /** The process of that instance, or null when it does not run here. */
  @Nullable Long pid(Instance instance) {
    var run = runs.get(instance.id());
    return run == null ? null : run.pid();
  }

  /** Stops deciding; what runs goes on running. Idempotent. */
  @Override
  public void close() {
    closed = true;
    waker.wake();
    thread.interrupt();
    alarm.interrupt();
    try {
      thread.join(TimeUnit.SECONDS.toMillis(10));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    http.shutdownNow();
  }

  // ---- the loop

  private void run() {
    while (!closed) {
      try {
        boolean busy = tick();
        waker.await(busy ? BUSY : IDLE);
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException e) {
        LOG.log(Level.SEVERE, "a round of the conductor failed; it goes on", e);
        pause();
      }
    }
  }

  private void pause() {
    try {
      time.sleep(IDLE);
    } catch (InterruptedException e) {
      closed = true;
    }
  }

  private void watchLedger() {
    long head = ledger.head();
    while (!closed) {
      try {
        long next = ledger.awaitBeyond(head, IDLE);
        if (next > head) {
          head = next;
          follower.awaitApplied(head, APPLY_WAIT);
          waker.wake();
        }
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /** One round; true when something is under way that must be looked at again soon. */
  private boolean tick() {
    var view = follower.view();
    var fleet = view.value();
    var observed = new HashMap<String, Observed>();
    boolean busy = false;
    for (var instance : fleet.allInstances()) {
      var watch = watches.computeIfAbsent(instance.id(), _ -> strange(instance));
      if (instance.state() == Instance.State.DRAINING) {
        watch.drainedAt(view.position());
      }
      observed.put(instance.id(), look(fleet, instance, watch));
      busy |= instance.state() != Instance.State.UP;
    }
    var plan = Plan.of(fleet, observed, config, time.now());
    var unplaced = new ArrayList<String>();
    for (var action : plan) {
      act(action, unplaced);
    }
    waiting = List.copyOf(unplaced);
    rest(fleet, view.position());
    busy |= plan.size() > unplaced.size();
    boolean underWay =
        fleet.allApps().stream()
            .anyMatch(
                app -> fleet.releasesOf(app.name()).stream().anyMatch(r -> !r.status().settled()));
    return busy || underWay;
  }

  private Observed look(Fleet fleet, Instance instance, Watch watch) {
    var release = fleet.release(instance.app(), instance.release());
    var healthPath =
        release == null
            ? null
            : fleet.config(instance.app(), release.config()).vars().get(HEALTH_PATH);
    return watch.look(instance, traffic, http, healthPath, config.healthTimeout(), waker::wake);
  }

  /** An instance that this conductor neither placed nor adopted: nothing of it runs. */
  private Watch strange(Instance instance) {
    var watch = new Watch(instance);
    watch.ended(How.GONE, "never started");
    return watch;
  }

  // ---- adoption

  private void adopt() {
    var fleet = follower.view().value();
    pool.resume(fleet);
    var known = new HashSet<String>();
    for (var instance : fleet.allInstances()) {
      known.add(instance.id());
      watches.put(instance.id(), adopt(instance));
    }
    for (var stray : launcher.runIds()) {
      if (!known.contains(stray)) {
        bury(stray);
      }
    }
    var kept = new HashSet<String>();
    fleet.releases().forEach((_, release) -> kept.add(release.artifact()));
    artifacts.retain(kept);
  }

  private Watch adopt(Instance instance) {
    var watch = new Watch(instance);
    Adoption adoption;
    try {
      adoption = launcher.adopt(instance.id());
    } catch (IOException e) {
      LOG.log(Level.SEVERE, "run " + instance.id() + " cannot be looked at", e);
      adoption = new Adoption.NeverStarted();
    }
    switch (adoption) {
      case Adoption.Adopted(var run) -> {
        follow(instance, run);
        watch.started(run, waker::wake);
        if (instance.state() == Instance.State.STOPPING) {
          run.terminate();
        }
      }
      case Adoption.Ended(var exit) -> {
        tail(instance);
        boolean command = instance.type().equals(Release.RELEASE_COMMAND);
        How how =
            exit.equals(Exit.LOST) && !command
                ? How.GONE
                : exit.status() != null && exit.status() == 0 ? How.CLEAN : How.FAILED;
        watch.ended(how, exit.describe());
      }
      case Adoption.NeverStarted _ -> watch.ended(How.GONE, "never started");
    }
    return watch;
  }

  /** A run that no instance stands for: its end was not finished. */
  private void bury(String runId) {
    try {
      if (launcher.adopt(runId) instanceof Adoption.Adopted(var run)) {
        run.kill();
      }
      launcher.remove(runId);
    } catch (IOException | RuntimeException e) {
      LOG.log(Level.WARNING, "run " + runId + " was not removed; the next start tries again", e);
    }
  }

  private void follow(Instance instance, Run run) {
    runs.put(instance.id(), run);
    tail(instance);
  }

  private void tail(Instance instance) {
    var _ =
        logs.tail(
            instance.app(), instance.process(), instance.id(), launcher.spool(instance.id()));
  }

  // ---- actions

  private void act(Action action, List<String> unplaced) {
    switch (action) {
      case Action.Place place -> {
        if (!place(place)) {
          unplaced.add(place.app() + "/" + place.type() + "." + place.index());
        }
      }
      case Action.Up(var instance) -> up(instance);
      case Action.Crashed(var instance, var exit) -> crashed(instance, exit);
      case Action.Drain(var instance) -> {
        var transaction = Transaction.by(ACTOR);
        Apps.drain(transaction, instance, time);
        append(transaction);
      }
      case Action.Stop(var instance) -> stop(instance);
      case Action.Kill(var instance) -> kill(instance);
      case Action.Ended(var instance) -> ended(instance);
      case Action.Advance(var release, var status) -> {
        append(
            Transaction.by(ACTOR)
                .put(Release.KIND, release.key(), release.in(status), Transaction.PRESENT));
        if (status == Release.Status.RELEASING) {
          say(release.app(), "release", "Running release command of v" + release.version());
        }
      }
      case Action.Switch(var app, var release) -> makeCurrent(app, release);
      case Action.Fail(var release, var cause) -> {
        append(
            Transaction.by(ACTOR)
                .put(Release.KIND, release.key(), release.failed(cause), Transaction.PRESENT));
        say(release.app(), "release", "Release v" + release.version() + " failed: " + cause);
      }
      case Action.Forget(var crash) ->
          append(
              Transaction.by(ACTOR)
                  .delete(crash.key(), Transaction.ANY)
                  .delete(Endpoint.key(crash.app(), crash.instance()), Transaction.ANY));
    }
  }

  private boolean place(Action.Place place) {
    var fleet = follower.view().value();
    var app = fleet.versioned(place.app());
    var release = fleet.release(place.app(), place.release());
    if (app == null || release == null) {
      return true; // the next round sees why
    }
    var instance = pool.choose(fleet, place);
    if (instance == null) {
      return false;
    }
    var transaction = Transaction.by(ACTOR);
    transaction.require(App.key(place.app()), Transaction.at(app.revision()));
    Pool.grant(transaction, fleet, instance, node.key());
    transaction.put(Instance.KIND, instance.key(), instance, Transaction.ABSENT);
    if (instance.routed()) {
      var endpoint = instance.endpoint(Endpoint.State.STARTING);
      transaction.put(Endpoint.KIND, endpoint.key(), endpoint, Transaction.ABSENT);
      var crash = fleet.crashes().get(Crash.key(place.app(), instance.process()));
      if (crash != null) {
        transaction.delete(Endpoint.key(place.app(), crash.instance()), Transaction.ANY);
      }
    }
    if (append(transaction)) {
      var watch = new Watch(instance);
      watches.put(instance.id(), watch);
      launch(instance, release, fleet.config(place.app(), release.config()), watch);
    }
    return true;
  }

  private void launch(Instance instance, Release release, ConfigVars vars, Watch watch) {
    var command = release.types().getOrDefault(instance.type(), "false");
    say(instance.app(), instance.process(), "Starting process with command `" + command + "`");
    Thread.ofVirtual()
        .name("launch-" + instance.id())
        .start(
            () -> {
              try {
                launches.acquire();
                try {
                  var run =
                      launcher.launch(
                          new LaunchSpec(
                              instance.id(),
                              instance.drone(),
                              release.artifact(),
                              command,
                              vars.vars(),
                              instance.port() == 0 ? null : instance.port(),
                              instance.process(),
                              instance.app(),
                              release.version()));
                  follow(instance, run);
                  watch.started(run, waker::wake);
                  if (watch.stopWanted()) {
                    run.terminate();
                  }
                } finally {
                  launches.release();
                }
              } catch (IOException | RuntimeException e) {
                LOG.log(Level.WARNING, instance.id() + " of " + instance.app(), e);
                watch.ended(
                    How.FAILED,
                    "could not be started: " + Objects.requireNonNullElse(e.getMessage(), e));
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                watch.ended(How.GONE, "never started");
              }
              waker.wake();
            });
  }

  private void up(Instance instance) {
    var transaction = Transaction.by(ACTOR);
    transaction.fence(instance.droneLease(), instance.epoch());
    transaction.put(
        Instance.KIND,
        instance.key(),
        instance.in(Instance.State.UP, time.now()),
        Transaction.PRESENT);
    if (instance.routed()) {
      var endpoint = instance.endpoint(Endpoint.State.UP);
      transaction.put(Endpoint.KIND, endpoint.key(), endpoint, Transaction.PRESENT);
    }
    if (append(transaction)) {
      changed(instance, "starting", "up");
    }
  }

  private void crashed(Instance instance, String exit) {
    if (!gone(instance)) {
      return;
    }
    var fleet = follower.view().value();
    var before = fleet.crashes().get(Crash.key(instance.app(), instance.process()));
    int crashes =
        before == null || before.release() != instance.release() ? 1 : before.crashes() + 1;
    var now = time.now();
    var delay = DronesConfig.CRASH_BACKOFF.delay(crashes, time.random());
    var crash =
        new Crash(
            instance.app(),
            instance.process(),
            instance.release(),
            instance.id(),
            crashes,
            exit,
            now,
            now.plusMillis(delay.toMillis()));
    var transaction = Transaction.by(ACTOR);
    transaction.put(Crash.KIND, crash.key(), crash, Transaction.ANY);
    if (instance.routed()) {
      var endpoint = instance.endpoint(Endpoint.State.CRASHED);
      transaction.put(Endpoint.KIND, endpoint.key(), endpoint, Transaction.ANY);
    }
    release(transaction, instance);
    if (append(transaction)) {
      say(instance.app(), instance.process(), "Process ended: " + exit);
      changed(instance, instance.state().name().toLowerCase(Locale.ROOT), "crashed");
      forget(instance);
    }
  }

  private void ended(Instance instance) {
    if (!gone(instance)) {
      return;
    }
    var transaction = Transaction.by(ACTOR);
    transaction.delete(instance.endpoint(Endpoint.State.DRAINING).key(), Transaction.ANY);
    release(transaction, instance);
    if (append(transaction)) {
      var watch = watches.get(instance.id());
      var how = watch == null ? "gone" : watch.describe();
      say(instance.app(), instance.process(), "Process ended: " + how);
      forget(instance);
    }
  }

  /** Makes sure that nothing runs on the drone any more; before that it cannot be given back. */
  private boolean gone(Instance instance) {
    var run = runs.get(instance.id());
    if (run == null || run.kill()) {
      return true;
    }
    LOG.warning(
        "processes of " + instance.app() + " " + instance.id() + " do not end; tried again");
    return false;
  }

  private void release(Transaction transaction, Instance instance) {
    transaction
        .delete(instance.key(), Transaction.PRESENT)
        .end(instance.droneLease(), instance.epoch());
  }

  private void forget(Instance instance) {
    watches.remove(instance.id());
    runs.remove(instance.id());
    traffic.forget(instance.app(), instance.id());
    var _ =
        logs.untail(instance.id())
            .orTimeout(LOG_WAIT.toSeconds(), TimeUnit.SECONDS)
            .whenCompleteAsync((_, _) -> bury(instance.id()), Thread::startVirtualThread);
  }

  private void stop(Instance instance) {
    var stopping = instance.in(Instance.State.STOPPING, time.now());
    var transaction = Transaction.by(ACTOR);
    if (append(transaction.put(Instance.KIND, instance.key(), stopping, Transaction.PRESENT))) {
      var watch = watches.get(instance.id());
      if (watch != null) {
        watch.wantStop(); // a launch that is under way sees it
      }
      var run = watch == null ? null : watch.run();
      if (run != null) {
        say(instance.app(), instance.process(), "Stopping all processes with SIGTERM");
        run.terminate();
      }
    }
  }

  private void kill(Instance instance) {
    var watch = watches.get(instance.id());
    var run = watch == null ? null : watch.run();
    if (run != null) {
      say(
          instance.app(),
          instance.process(),
          "Error R12 (Exit timeout) -> Process did not end within "
              + config.stopTimeout().toSeconds()
              + " seconds of SIGTERM; stopping it with SIGKILL");
      run.kill();
    }
  }

  private void makeCurrent(App app, Release release) {
    var fleet = follower.view().value();
    var found = fleet.versioned(app.name());
    if (found == null) {
      return;
    }
    var next = found.value().withRelease(release.version());
    var transaction = Transaction.by(ACTOR);
    transaction
        .put(App.KIND, App.key(app.name()), next, Transaction.at(found.revision()))
        .put(
            Release.KIND,
            release.key(),
            release.in(Release.Status.SUCCEEDED),
            Transaction.PRESENT)
        .put(
            Service.KIND,
            Service.key(app.name()),
            Apps.service(next, release),
            Transaction.ANY);
    for (var old : fleet.instancesOf(app.name())) {
      if (old.routed() && old.release() != release.version() && !old.state().leaving()) {
        Apps.drain(transaction, old, time);
      }
    }
    if (append(transaction)) {
      say(app.name(), "release", "Release v" + release.version() + " is current");
    }
  }

  private void rest(Fleet fleet, long position) {
    for (var port : pool.rested(fleet, position)) {
      append(Transaction.by(ACTOR).end(port.lease(), port.epoch()));
    }
  }

  // ---- parts

  /** Appends and waits until the view has it, so that the next action sees it. */
  private boolean append(Transaction transaction) {
    return switch (ledger.append(transaction)) {
      case Outcome.Done<Receipt>(var receipt) -> {
        try {
          follower.awaitApplied(receipt.position(), APPLY_WAIT);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
        yield true;
      }
      case Outcome.Refused<Receipt>(var refusal) -> {
        if (complaints.reserve(time.nanos()) == 0) {
          LOG.warning("not done now, and planned again: " + refusal.message());
        }
        yield false;
      }
    };
  }

  private void changed(Instance instance, String from, String to) {
    say(instance.app(), instance.process(), "State changed from " + from + " to " + to);
  }

  private void say(String app, String process, String text) {
    logs.append(app, "holdfast", process, text);
  }
}
