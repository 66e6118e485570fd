package dev.holdfast.drones;

import dev.holdfast.drones.Observed.How;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The processes of this machine's instances: launches them, adopts them, looks at them, ends and
 * buries them. Whatever takes time runs on threads of its own, so that no app can hold up another;
 * {@code wake} is called when something came of it. Confined to the conductor's thread but for
 * {@link #pid}.
 */
final class Runner implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(Runner.class.getName());
  private static final Duration OUTPUT_WAIT = Duration.ofSeconds(2);
  private static final Duration BURIAL_WAIT = Duration.ofSeconds(10);
  private static final Duration CLOSE_WAIT = Duration.ofSeconds(10);

  private final Launcher launcher;
  private final AppLogs logs;
  private final Traffic traffic;
  private final DronesConfig config;
  private final Time time;
  private final Runnable wake;
  private final Semaphore launches;
  private final HttpClient http;
  private final Map<String, Watch> watches = new ConcurrentHashMap<>(); // by instance id
  private final Map<String, CompletableFuture<Void>> burials = new ConcurrentHashMap<>();
  private volatile boolean closed;

  Runner(
      Launcher launcher,
      AppLogs logs,
      Traffic traffic,
      DronesConfig config,
      Time time,
      Runnable wake) {
    this.launcher = launcher;
    this.logs = logs;
    this.traffic = traffic;
    this.config = config;
    this.time = time;
    this.wake = wake;
    launches = new Semaphore(config.launchesMax());
    http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1) // no upgrade to h2c is offered to the app
            .connectTimeout(config.healthTimeout())
            .build();
  }

  // ---- adoption

  /** Takes up what an earlier life left: runs of these instances, and runs of none. */
  void adopt(List<Instance> instances) {
    var known = new HashSet<String>();
    var drones = new HashSet<String>();
    for (var instance : instances) {
      known.add(instance.id());
      drones.add(prefix(instance.id()));
      adopt(instance);
    }
    for (var stray : launcher.runIds()) {
      if (!known.contains(stray)) {
        boolean shared = drones.contains(prefix(stray));
        bury(stray, () -> endStray(stray, shared));
      }
    }
  }

  /** A look that fails says nothing: the instance keeps its drone until one succeeds. */
  private Watch adopt(Instance instance) {
    var watch = Watch.unknown(instance.id(), wake);
    watches.put(instance.id(), watch);
    Adoption adoption;
    try {
      adoption = launcher.adopt(instance.id());
    } catch (IOException | RuntimeException e) {
      LOG.severe("run " + instance.id() + " cannot be looked at; it is tried again: " + e);
      return watch;
    }
    switch (adoption) {
      case Adoption.Adopted(var run) -> {
        watch.started(run, instance.since());
        watch.outputs(tail(instance));
        if (instance.state() == Instance.State.STOPPING) {
          run.terminate();
        }
      }
      case Adoption.Ended(var exit) -> {
        watch.outputs(tail(instance));
        boolean command = instance.type().equals(Release.RELEASE_COMMAND);
        // A signal that came while no platform ran was the operator's or the machine's, not a
        // crash.
        boolean ended = exit.equals(Exit.LOST) || exit.signal() != null;
        How how =
            ended && !command
                ? How.GONE
                : exit.status() != null && exit.status() == 0 ? How.CLEAN : How.FAILED;
        watch.ended(how, exit.describe());
      }
      case Adoption.NeverStarted _ -> watch.ended(How.GONE, "never started");
    }
    watch.over();
    return watch;
  }

  /** Ends a run that no instance stands for. */
  private void endStray(String runId, boolean shared) throws IOException {
    // A killed run takes along what its drone's user runs: not when the drone has a new holder.
    if (!shared && launcher.adopt(runId) instanceof Adoption.Adopted(var run)) {
      run.kill();
    }
    launcher.remove(runId);
  }

  // ---- launching

  /** Starts the instance when its turn comes. */
  void launch(Instance instance, Release release, ConfigVars vars) {
    var watch = Watch.waiting(instance.id(), wake);
    watches.put(instance.id(), watch);
    boolean begun = false;
    try {
      Thread.ofVirtual()
          .name("launch-" + instance.id())
          .start(() -> launch(instance, release, vars, watch));
      begun = true;
    } finally {
      if (!begun) {
        watch.wantStop();
      }
    }
  }

  @SuppressWarnings("CatchThrowable") // whatever is thrown, the instance must not stay half begun
  private void launch(Instance instance, Release release, ConfigVars vars, Watch watch) {
    try {
      launches.acquire();
      try {
        if (closed) {
          watch.wantStop();
        }
        if (!watch.begin()) {
          return;
        }
        clear(instance);
        var run = launcher.launch(spec(instance, release, vars));
        watch.started(run, time.now());
        watch.outputs(tail(instance));
        if (watch.stopWanted()) {
          run.terminate();
        }
      } finally {
        launches.release();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      watch.ended(How.GONE, "never started");
    } catch (Throwable t) {
      LOG.log(Level.WARNING, instance.id() + " of " + instance.app(), t);
      watch.ended(
          How.FAILED,
          "could not be started: " + Objects.requireNonNullElse(t.getMessage(), t.toString()));
    } finally {
      watch.over();
    }
  }

  private static LaunchSpec spec(Instance instance, Release release, ConfigVars vars) {
    return new LaunchSpec(
        instance.id(),
        instance.drone(),
        release.artifact(),
        release.command(instance.type()),
        vars.vars(),
        instance.port() == 0 ? null : instance.port(),
        instance.process(),
        instance.app(),
        release.version());
  }

  /** A drone's user can read what the last holder left, so that has to be away first. */
  private void clear(Instance instance) throws IOException {
    for (var runId : launcher.runIds()) {
      if (!runId.equals(instance.id()) && prefix(runId).equals(prefix(instance.id()))) {
        var burial = burials.get(runId);
        if (burial != null) {
          burial.copy().completeOnTimeout(null, BURIAL_WAIT.toSeconds(), TimeUnit.SECONDS).join();
        }
        launcher.remove(runId);
      }
    }
  }

  private static String prefix(String runId) {
    return runId.substring(0, runId.indexOf('-') + 1);
  }

  private CompletableFuture<Void> tail(Instance instance) {
    return logs.tail(
        instance.app(), instance.process(), instance.id(), launcher.spool(instance.id()));
  }

  // ---- looking

  /**
   * What there is to see of the instance now.
   *
   * @param position of the view that the instance is from
   */
  Observed look(Instance instance, long position, @Nullable String healthPath) {
    var watch = watches.get(instance.id());
    if (watch == null || watch.unknown()) {
      watch = adopt(instance); // placed by nobody here, or not yet to be seen
    }
    if (watch.unknown()) {
      return Observed.NOTHING;
    }
    if (instance.state() == Instance.State.DRAINING) {
      watch.drainedAt(position);
    }
    return watch.look(instance, traffic, http, healthPath, config);
  }

  /** The process of that instance, or null when it does not run here. Thread-safe. */
  @Nullable Long pid(Instance instance) {
    var watch = watches.get(instance.id());
    var run = watch == null ? null : watch.run();
    return run == null ? null : run.pid();
  }

  /** Who listens at that port as seen from an instance, or null when the kernel does not tell. */
  @Nullable Owner listener(String instance, int port) {
    var watch = watches.get(instance);
    var run = watch == null ? null : watch.run();
    try {
      return run == null ? Owner.SOMEBODY_ELSE : run.listener(port);
    } catch (IOException e) {
      return null;
    }
  }

  /** How the instance ended, for people. */
  String describe(Instance instance) {
    var watch = watches.get(instance.id());
    return watch == null ? "gone" : watch.describe();
  }

  // ---- ending

  /** Asks the instance to end, now or as soon as it started; whether there was whom to ask. */
  boolean stop(Instance instance) {
    var watch = watches.get(instance.id());
    if (watch == null) {
      return false;
    }
    watch.wantStop();
    var run = watch.run();
    if (run == null) {
      return false;
    }
    run.terminate();
    return true;
  }

  /** Ends the instance's processes; whether this is the first try. */
  boolean kill(Instance instance) {
    var watch = watches.get(instance.id());
    if (watch == null || watch.run() == null) {
      return false;
    }
    watch.kill();
    return watch.killFirst();
  }

  /**
   * Whether nothing of the instance runs or can start any more; before that, what it holds cannot
   * be given back. Sees to it when it is not so.
   */
  boolean gone(Instance instance) {
    var watch = watches.get(instance.id());
    return watch != null && watch.gone();
  }

  /** As {@link #gone}, for one that is ended because of {@code cause}. */
  boolean gone(Instance instance, String cause) {
    var watch = watches.get(instance.id());
    if (watch == null) {
      return false;
    }
    watch.condemn(cause);
    return watch.gone();
  }

  /** The instance is no more: stores the end of its output and removes its run. */
  void forget(Instance instance) {
    var watch = watches.remove(instance.id());
    traffic.forget(instance.app(), instance.id());
    bury(
        instance.id(),
        () -> {
          if (watch != null) {
            var output = watch.output();
            if (output != null) {
              await(output, OUTPUT_WAIT);
              await(logs.untail(instance.id()), BURIAL_WAIT);
            }
            var run = watch.run();
            if (run != null) {
              await(run.exit(), BURIAL_WAIT); // the wrapper still writes into the directory
            }
          }
          launcher.remove(instance.id());
        });
  }

  /** What a burial consists of. */
  private interface Burial {
    void hold() throws IOException;
  }

  private void bury(String runId, Burial burial) {
    var done = new CompletableFuture<Void>();
    burials.put(runId, done);
    Thread.ofVirtual()
        .name("bury-" + runId)
        .start(() -> {
          try {
            burial.hold();
          } catch (IOException | RuntimeException e) {
            LOG.log(Level.WARNING, "run " + runId + " was not removed; the next launch tries", e);
          } finally {
            burials.remove(runId);
            done.complete(null);
          }
        });
  }

  private static void await(CompletableFuture<?> future, Duration wait) {
    try {
      future.get(wait.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      LOG.log(Level.FINE, "gone on without", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ids of the instances that are watched; for tests. */
  Set<String> watched() {
    return Set.copyOf(watches.keySet());
  }

  /** Starts nothing more and waits for what is being started. What runs goes on running. */
  @Override
  public void close() {
    closed = true;
    http.shutdownNow();
    try {
      if (!launches.tryAcquire(config.launchesMax(), CLOSE_WAIT.toSeconds(), TimeUnit.SECONDS)) {
        LOG.warning("a launch is still under way; the next start adopts what comes of it");
      } else {
        launches.release(config.launchesMax());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
