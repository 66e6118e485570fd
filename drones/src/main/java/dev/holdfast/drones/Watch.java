package dev.holdfast.drones;

import dev.holdfast.drones.Observed.Ending;
import dev.holdfast.drones.Observed.How;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * What this machine knows of one instance beyond the ledger: whether something of it may still
 * start, its run, how it ended, whether it answers. The conductor's thread owns it; launches, kills
 * and health checks report into its volatile fields.
 */
final class Watch {
  private static final Logger LOG = Logger.getLogger(Watch.class.getName());

  /** One look may fall between two steps of a process that forks. */
  private static final int FOREIGN_LOOKS = 2;

  /** Whether something of the instance may start. */
  private enum Launch {
    /** What an earlier life began cannot be looked at. */
    UNKNOWN,
    /** It waits for its turn and can still be called back. */
    WAITING,
    /** It is being unpacked and started: nobody knows yet whether there will be a process. */
    UNDER_WAY,
    /** What should start has started, or never will. */
    OVER
  }

  /** How far the killing of everything in the run came. */
  private enum Grave {
    NONE,
    DIGGING,
    FILLED
  }

  private final String id;
  private final Runnable wake;
  private final AtomicReference<Launch> launch;
  private final AtomicReference<Grave> grave = new AtomicReference<>(Grave.NONE);
  private volatile @Nullable Run run;
  private volatile @Nullable Instant startedAt;
  private volatile @Nullable Ending ending;
  private volatile @Nullable String verdict;
  private volatile @Nullable CompletableFuture<Void> output;
  private volatile boolean healthy;
  private volatile boolean probing;
  private volatile boolean stopWanted;
  private boolean killSaid;
  private int foreignLooks;
  private long drainedAt = -1;

  private Watch(String id, Launch launch, Runnable wake) {
    this.id = id;
    this.launch = new AtomicReference<>(launch);
    this.wake = wake;
  }

  /** An instance whose launch waits for its turn. */
  static Watch waiting(String id, Runnable wake) {
    return new Watch(id, Launch.WAITING, wake);
  }

  /** An instance of an earlier life that nobody could look at yet. */
  static Watch unknown(String id, Runnable wake) {
    return new Watch(id, Launch.UNKNOWN, wake);
  }

  boolean unknown() {
    return launch.get() == Launch.UNKNOWN;
  }

  // ---- the launch

  /** Takes the launch's turn; false when it was called back. */
  boolean begin() {
    return launch.compareAndSet(Launch.WAITING, Launch.UNDER_WAY);
  }

  /** From now on nothing of the instance can start. */
  void over() {
    launch.set(Launch.OVER);
    wake.run();
  }

  /**
   * Calls the launch back if it still waits, or has its process stopped as soon as there is one.
   */
  void wantStop() {
    stopWanted = true;
    if (launch.compareAndSet(Launch.WAITING, Launch.OVER)) {
      ended(How.GONE, "never started");
    }
  }

  /** Whether a stop was asked for before there was anything to stop. */
  boolean stopWanted() {
    return stopWanted;
  }

  /** The process runs; {@code wake} is called at its end. */
  void started(Run started, Instant at) {
    startedAt = at;
    run = started;
    var _ =
        started
            .exit()
            .thenAccept(exit -> {
              boolean clean = exit.status() != null && exit.status() == 0;
              ended(clean ? How.CLEAN : How.FAILED, exit.describe());
              wake.run();
            });
  }

  @Nullable Run run() {
    return run;
  }

  void ended(How how, String text) {
    var known = verdict;
    ending = known == null ? new Ending(how, text) : new Ending(How.FAILED, known);
  }

  /** Why it is about to be killed, which says more than that it was. */
  void condemn(String cause) {
    if (ending == null && verdict == null) {
      verdict = cause;
    }
  }

  /** How it ended, for people. */
  String describe() {
    var how = ending;
    return how == null ? "gone" : how.text();
  }

  /** What it prints is being stored; completes when all of it is. */
  void outputs(CompletableFuture<Void> stored) {
    output = stored;
  }

  @Nullable CompletableFuture<Void> output() {
    return output;
  }

  // ---- the end

  /**
   * Whether nothing of the instance runs or can start any more. When it may, this sees to it and
   * wakes whoever asked, who asks again; it never waits.
   */
  boolean gone() {
    if (launch.get() != Launch.OVER) {
      wantStop();
    }
    if (launch.get() != Launch.OVER) {
      return false;
    }
    if (run == null || grave.get() == Grave.FILLED) {
      return true;
    }
    kill();
    return false;
  }

  /**
   * Kills everything of the run, on a thread of its own: it may take as long as the kernel does.
   */
  void kill() {
    var running = run;
    if (running == null || !grave.compareAndSet(Grave.NONE, Grave.DIGGING)) {
      return;
    }
    boolean begun = false;
    try {
      Thread.ofVirtual().name("kill-" + id).start(() -> kill(running));
      begun = true;
    } finally {
      if (!begun) {
        grave.set(Grave.NONE);
      }
    }
  }

  private void kill(Run running) {
    boolean all = false;
    try {
      all = running.kill();
      if (!all) {
        LOG.warning("processes of " + id + " do not end; tried again");
      }
    } catch (RuntimeException e) {
      LOG.log(Level.WARNING, "processes of " + id + " cannot be killed; tried again", e);
    } finally {
      grave.set(all ? Grave.FILLED : Grave.NONE);
      wake.run();
    }
  }

  /** Whether this is the first time that it is killed for not ending. */
  boolean killFirst() {
    boolean first = !killSaid;
    killSaid = true;
    return first;
  }

  // ---- looking

  /** Position from which on edges send it nothing new. */
  void drainedAt(long position) {
    if (drainedAt < 0) {
      drainedAt = position;
    }
  }

  /** Looks at the instance now; starts a health check where one is due. */
  Observed look(
      Instance instance,
      Traffic traffic,
      HttpClient http,
      @Nullable String healthPath,
      DronesConfig config) {
    var running = run;
    var how = ending;
    if (how != null) {
      return new Observed(startedAt, how, false, false, false);
    }
    boolean quiet =
        instance.state() == Instance.State.DRAINING
            && drainedAt >= 0
            && traffic.applied(drainedAt)
            && traffic.inFlight(instance.app(), instance.id()) == 0;
    boolean answers = false;
    boolean foreign = false;
    if (running != null && instance.routed() && instance.state() == Instance.State.STARTING) {
      var owner = listener(running, instance.port());
      if (owner == Owner.SOMEBODY_ELSE && !config.ownersProven()) {
        owner = Owner.THIS_RUN;
      }
      foreignLooks = owner == Owner.SOMEBODY_ELSE ? foreignLooks + 1 : 0;
      foreign = foreignLooks >= FOREIGN_LOOKS;
      if (owner == Owner.THIS_RUN) {
        answers = healthPath == null || healthy;
        if (healthPath != null && !answers) {
          probe(http, instance, healthPath, config.healthTimeout());
        }
      }
    }
    return new Observed(startedAt, null, answers, foreign, quiet);
  }

  private static Owner listener(Run run, int port) {
    try {
      return run.listener(port);
    } catch (IOException e) {
      return Owner.NOBODY; // looked at again; the boot timeout bounds it
    }
  }

  private void probe(HttpClient http, Instance instance, String path, Duration timeout) {
    if (probing) {
      return;
    }
    probing = true;
    Thread.ofVirtual()
        .name("health-" + id)
        .start(() -> {
          try {
            healthy = passes(http, instance.port(), path, timeout);
          } catch (IOException | IllegalArgumentException e) {
            healthy = false;
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          } finally {
            probing = false;
            if (healthy) {
              wake.run();
            }
          }
        });
  }

  /** The status alone decides; a body may never end. */
  private static boolean passes(HttpClient http, int port, String path, Duration timeout)
      throws IOException, InterruptedException {
    var response =
        http.send(
            HttpRequest.newBuilder(healthUri(port, path))
                .timeout(timeout)
                .header("User-Agent", "holdfast-health")
                .build(),
            HttpResponse.BodyHandlers.ofInputStream());
    try (InputStream _ = response.body()) {
      return response.statusCode() >= 200 && response.statusCode() < 300;
    }
  }

  /** Not resolved against a base: a path like {@code //host/} would then lead to another host. */
  static URI healthUri(int port, String path) {
    return URI.create("http://127.0.0.1:" + port + (path.startsWith("/") ? "" : "/") + path);
  }
}
