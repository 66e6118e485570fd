package dev.holdfast.drones;

import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Receipt;
import dev.holdfast.ledger.Service;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Gcra;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Supervised;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Brings the machine to what the ledger wants: looks, plans, acts, and looks again. It alone
 * places, stops and buries instances.
 *
 * <p>Every action is written to the ledger before or after it is done, in the order in which a
 * crash between the two does no harm: a drone is granted before its process starts, and given back
 * after every process on it is gone. At the start it adopts what a predecessor left running.
 *
 * <p>What is written replaces only what was planned with: whoever changed it meanwhile wins, and
 * the next round plans with that. Nothing here waits for an app: a {@link Runner} does.
 */
final class Conductor implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(Conductor.class.getName());
  private static final String ACTOR = "conductor";
  private static final Duration BUSY = Duration.ofMillis(100);
  private static final Duration IDLE = Duration.ofSeconds(1);
  private static final Duration APPLY_WAIT = Duration.ofSeconds(5);
  private static final Duration CLOSE_WAIT = Duration.ofSeconds(10);
  private static final Duration COLLECT_EVERY = Duration.ofHours(1);

  /** Config var that names the path of the health check. */
  static final String HEALTH_PATH = "HEALTHCHECK_PATH";

  private final Ledger ledger;
  private final Follower<Fleet> follower;
  private final Runner runner;
  private final Artifacts artifacts;
  private final AppLogs logs;
  private final PutOff putOff;
  private final DronesConfig config;
  private final Time time;
  private final NodeLease node;
  private final Pool pool;
  private final Gcra complaints;
  private final Waker waker = new Waker();
  private final Supervised part;
  private final Supervised alarm;
  private Fleet planned = Fleet.FOLD.start(); // what this round's plan was made from
  private long written; // position of the last own entry
  private boolean refused; // by the ledger itself, in this round
  private boolean failed; // by a bug or a broken disk, in this round
  private long collectedNanos;
  private volatile List<String> waiting = List.of();
  private volatile boolean closed;

  Conductor(
      Ledger ledger,
      Follower<Fleet> follower,
      Launcher launcher,
      Artifacts artifacts,
      AppLogs logs,
      Traffic traffic,
      Brake brake,
      DronesConfig config,
      Time time,
      NodeLease node) {
    this.ledger = ledger;
    this.follower = follower;
    this.artifacts = artifacts;
    this.logs = logs;
    putOff = new PutOff(brake);
    this.config = config;
    this.time = time;
    this.node = node;
    runner = new Runner(launcher, logs, traffic, config, time, waker::wake);
    pool = new Pool(config, traffic, time);
    complaints = new Gcra(1, Duration.ofSeconds(1), 5, time.nanos());
    part = Supervised.platform("conductor", time, _ -> run());
    alarm = Supervised.virtual("conductor-alarm", time, _ -> watchLedger());
  }

  /** Adopts what runs; returns when the ledger says of every instance what is true of it. */
  void start() {
    var fleet = follower.view().value();
    pool.resume(fleet);
    runner.adopt(fleet.allInstances());
    collect(fleet);
    tick();
    part.start();
    alarm.start();
  }

  /** Processes that wait for a free drone, such as {@code hello/web.2}. */
  List<String> waiting() {
    return waiting;
  }

  /** Why that process waits, in a few words. */
  String whyWaiting(String process) {
    return putOff.has(process) ? PutOff.WHY : "waits for a free drone";
  }

  /** What it runs. */
  Runner runner() {
    return runner;
  }

  /** Its background parts. */
  List<Supervised> parts() {
    return List.of(part, alarm);
  }

  /** Stops deciding; what runs goes on running. Idempotent. */
  @Override
  public void close() {
    alarm.end();
    part.end();
    closed = true;
    waker.wake();
    alarm.close(CLOSE_WAIT);
    part.close(CLOSE_WAIT);
    runner.close();
  }

  // ---- the loop

  private void run() throws InterruptedException {
    while (!closed) {
      boolean busy = tick();
      waker.await(busy ? BUSY : IDLE);
      if (refused || failed) {
        time.sleep(IDLE); // wakes must not turn a full disk into a hot loop
      }
    }
  }

  private void watchLedger() throws InterruptedException {
    long head = ledger.head();
    while (!closed) {
      long next = ledger.awaitBeyond(head, IDLE);
      if (next > head) {
        head = next;
        follower.awaitApplied(head, APPLY_WAIT);
        waker.wake();
      }
    }
  }

  /** One round; true when something is under way that must be looked at again soon. */
  private boolean tick() {
    refused = false;
    failed = false;
    if (putOff.all() || !caughtUp()) {
      return false;
    }
    var view = follower.view();
    planned = view.value();
    var observed = new HashMap<String, Observed>();
    boolean busy = false;
    for (var instance : planned.allInstances()) {
      guarded(instance.key(), () -> observed.put(instance.id(), look(instance, view.position())));
      busy |= instance.state() != Instance.State.UP;
    }
    var plan = Plan.of(planned, observed, config, time.now());
    var unplaced = new ArrayList<String>();
    for (var action : plan) {
      if (closed) {
        return false;
      }
      guarded(action.toString(), () -> act(action, unplaced));
    }
    waiting = List.copyOf(unplaced);
    putOff.turn();
    guarded("ports", () -> rest(planned, view.position()));
    if (time.nanos() - collectedNanos >= COLLECT_EVERY.toNanos()) {
      collect(planned);
    }
    return (busy || plan.size() > unplaced.size()) && !refused && !failed;
  }

  /**
   * Whether the view has all that was decided here: to plan without would be to decide it again.
   */
  private boolean caughtUp() {
    try {
      if (follower.view().position() >= written || follower.awaitApplied(written, APPLY_WAIT)) {
        return true;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
    complain("the view is behind " + written + ": nothing is decided until it follows");
    return false;
  }

  /** One app's trouble is no other's. */
  private void guarded(String what, Runnable step) {
    if (part.shuns(what)) {
      return; // the conductor died of it twice
    }
    part.on(what);
    try {
      step.run();
    } catch (RuntimeException e) {
      failed = true;
      if (complaints.reserve(time.nanos()) == 0) {
        LOG.log(Level.SEVERE, "failed, and tried again: " + what, e);
      }
    }
    part.on(null);
  }

  private Observed look(Instance instance, long position) {
    var release = planned.release(instance.app(), instance.release());
    var healthPath =
        release == null
            ? null
            : planned.config(instance.app(), release.config()).vars().get(HEALTH_PATH);
    return runner.look(instance, position, healthPath);
  }

  /** Removes uploads that no release names any more. */
  private void collect(Fleet fleet) {
    collectedNanos = time.nanos();
    var kept = new HashSet<String>();
    fleet.releases().forEach((_, release) -> kept.add(release.artifact()));
    artifacts.retainLater(kept);
  }

  // ---- actions

  private void act(Action action, List<String> unplaced) {
    switch (action) {
      case Action.Place place -> {
        var process = place.app() + "/" + place.type() + "." + place.index();
        if (putOff.puts(place, process, planned) || !place(place)) {
          unplaced.add(process);
        }
      }
      case Action.Up(var instance) -> up(instance);
      case Action.Crashed(var instance, var exit) -> crashed(instance, exit);
      case Action.Drain(var instance) -> {
        var transaction = Transaction.by(ACTOR);
        Apps.drain(transaction, instance, unchanged(instance.key()), time);
        append(transaction);
      }
      case Action.Stop(var instance) -> stop(instance);
      case Action.Kill(var instance) -> kill(instance);
      case Action.Ended(var instance) -> ended(instance);
      case Action.Advance(var release, var status) -> {
        boolean done =
            append(
                Transaction.by(ACTOR)
                    .put(
                        Release.KIND, release.key(), release.in(status), unchanged(release.key())));
        if (done && status == Release.Status.RELEASING) {
          say(release.app(), "release", "Running release command of v" + release.version());
        }
      }
      case Action.Switch(var app, var release) -> {
        if (!putOff.startsNothing(app)) { // what it stops would not be replaced
          makeCurrent(app, release);
        }
      }
      case Action.Fail(var release, var cause) -> {
        var failing = release.failed(cause);
        if (append(
            Transaction.by(ACTOR)
                .put(Release.KIND, release.key(), failing, unchanged(release.key())))) {
          say(release.app(), "release", "Release v" + release.version() + " failed: " + cause);
        }
      }
      case Action.Forget(var crash) ->
          append(
              Transaction.by(ACTOR)
                  .delete(crash.key(), unchanged(crash.key()))
                  .delete(Endpoint.key(crash.app(), crash.instance()), Transaction.ANY));
    }
  }

  private boolean place(Action.Place place) {
    var app = planned.versioned(place.app());
    var release = planned.release(place.app(), place.release());
    if (app == null || release == null) {
      return true; // the next round sees why
    }
    var fleet = follower.view().value(); // with what this round placed already
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
      var crash = planned.crashes().get(Crash.key(place.app(), instance.process()));
      if (crash != null) {
        transaction.delete(Endpoint.key(place.app(), crash.instance()), Transaction.ANY);
      }
    }
    if (append(transaction)) {
      var command = release.command(instance.type());
      say(instance.app(), instance.process(), "Starting process with command `" + command + "`");
      runner.launch(instance, release, planned.config(place.app(), release.config()));
    }
    return true;
  }

  /** What belongs to a release under way is sent nothing before the switch. */
  private void up(Instance instance) {
    var transaction = Transaction.by(ACTOR);
    transaction.fence(instance.droneLease(), instance.epoch());
    transaction.put(
        Instance.KIND,
        instance.key(),
        instance.in(Instance.State.UP, time.now()),
        unchanged(instance.key()));
    var app = planned.versioned(instance.app());
    if (app != null && instance.routed() && app.value().release() == instance.release()) {
      transaction.require(App.key(instance.app()), Transaction.at(app.revision()));
      var endpoint = instance.endpoint(Endpoint.State.UP);
      transaction.put(Endpoint.KIND, endpoint.key(), endpoint, Transaction.PRESENT);
    }
    if (append(transaction)) {
      changed(instance, "starting", "up");
    }
  }

  private void crashed(Instance instance, String exit) {
    var app = planned.versioned(instance.app());
    if (app == null || !runner.gone(instance, exit)) {
      return;
    }
    var before = planned.crashes().get(Crash.key(instance.app(), instance.process()));
    var crash = Crash.after(before, instance, exit, config.crashBackoff(), time);
    var transaction = Transaction.by(ACTOR);
    transaction.require(App.key(instance.app()), Transaction.at(app.revision()));
    transaction.put(Crash.KIND, crash.key(), crash, Transaction.ANY);
    if (instance.routed()) {
      var endpoint = instance.endpoint(Endpoint.State.CRASHED);
      transaction.put(Endpoint.KIND, endpoint.key(), endpoint, Transaction.ANY);
    }
    release(transaction, instance, unchanged(instance.key()));
    if (append(transaction)) {
      say(instance.app(), instance.process(), "Process ended: " + exit);
      changed(instance, instance.state().name().toLowerCase(Locale.ROOT), "crashed");
      runner.forget(instance);
    }
  }

  private void ended(Instance instance) {
    if (!runner.gone(instance)) {
      return;
    }
    var transaction = Transaction.by(ACTOR);
    transaction.delete(Endpoint.key(instance.app(), instance.id()), Transaction.ANY);
    release(transaction, instance, Transaction.PRESENT);
    if (append(transaction)) {
      say(instance.app(), instance.process(), "Process ended: " + runner.describe(instance));
      runner.forget(instance);
    }
  }

  private static void release(
      Transaction transaction, Instance instance, Transaction.Expect expect) {
    transaction.delete(instance.key(), expect).end(instance.droneLease(), instance.epoch());
  }

  private void stop(Instance instance) {
    var stopping = instance.in(Instance.State.STOPPING, time.now());
    var transaction = Transaction.by(ACTOR);
    transaction.put(Instance.KIND, instance.key(), stopping, unchanged(instance.key()));
    if (append(transaction) && runner.stop(instance)) {
      say(instance.app(), instance.process(), "Stopping all processes with SIGTERM");
    }
  }

  private void kill(Instance instance) {
    if (runner.kill(instance)) {
      say(
          instance.app(),
          instance.process(),
          "Error R12 (Exit timeout) -> Process did not end within "
              + config.stopTimeout().toSeconds()
              + " seconds of SIGTERM; stopping it with SIGKILL");
    }
  }

  /** From one position on, everything new goes to the new release and nothing to the old. */
  private void makeCurrent(App app, Release release) {
    var found = planned.versioned(app.name());
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
            unchanged(release.key()))
        .put(Service.KIND, Service.key(app.name()), Apps.service(next, release), Transaction.ANY);
    for (var instance : planned.instancesOf(app.name())) {
      if (!instance.routed() || instance.state().leaving()) {
        continue;
      }
      if (instance.release() != release.version()) {
        Apps.drain(transaction, instance, unchanged(instance.key()), time);
      } else if (instance.state() == Instance.State.UP) {
        var endpoint = instance.endpoint(Endpoint.State.UP);
        transaction
            .require(instance.key(), unchanged(instance.key()))
            .put(Endpoint.KIND, endpoint.key(), endpoint, Transaction.PRESENT);
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

  private Transaction.Expect unchanged(String key) {
    return planned.unchanged(key);
  }

  /** Appends and waits until the view has it, so that the next action sees it. */
  private boolean append(Transaction transaction) {
    if (refused) {
      return false; // a ledger that cannot be written is not asked again in this round
    }
    return switch (ledger.append(transaction)) {
      case Outcome.Done<Receipt>(var receipt) -> {
        written = Math.max(written, receipt.position());
        try {
          follower.awaitApplied(written, APPLY_WAIT);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
        yield true;
      }
      case Outcome.Refused<Receipt>(var refusal) -> {
        refused = refusal instanceof Refusal.Unavailable || refusal instanceof Refusal.OverBudget;
        complain("not done now, and planned again: " + refusal.message());
        yield false;
      }
    };
  }

  private void complain(String text) {
    if (complaints.reserve(time.nanos()) == 0) {
      LOG.warning(text);
    }
  }

  private void changed(Instance instance, String from, String to) {
    say(instance.app(), instance.process(), "State changed from " + from + " to " + to);
  }

  private void say(String app, String process, String text) {
    logs.append(app, "holdfast", process, text);
  }
}
