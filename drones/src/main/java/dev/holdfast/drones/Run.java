package dev.holdfast.drones;

import dev.holdfast.drones.ProcessTable.Proc;
import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One process of an app that was started or adopted on this machine, with everything it started in
 * turn. Thread-safe.
 *
 * <p>Signals go to processes, never to groups: to be hit, a process must belong to the run and
 * still be the one that was looked at, by start time. Its wrapper and its log pump stand outside.
 */
public final class Run {
  static final String STATUS = "status";
  static final String LEASE = "HOLDFAST_LEASE";
  private static final Duration LOOK_AGAIN = Duration.ofMillis(10);

  private final String runId;
  private final Path directory;
  private final Identity identity;
  private final long uid;
  private final LauncherConfig config;
  private final Time time;
  private final CompletableFuture<Exit> exit = new CompletableFuture<>();

  /**
   * The run in that directory.
   *
   * @param uid the user that only this drone has, or -1 when it shares the server's
   */
  Run(String runId, Path directory, Identity identity, long uid, LauncherConfig config, Time time) {
    this.runId = runId;
    this.directory = directory;
    this.identity = identity;
    this.uid = uid;
    this.config = config;
    this.time = time;
  }

  /** Begins to wait for the end; {@code wrapper} is null when it is no child of this JVM. */
  Run watched(@Nullable Process wrapper) {
    Thread.ofVirtual()
        .name("run " + runId)
        .start(() -> {
          try {
            if (wrapper != null) {
              wrapper.waitFor();
            }
            while (identity.wrapperAlive() || identity.appAlive()) {
              time.sleep(config.watchEvery());
            }
            exit.complete(exitOf(directory));
          } catch (InterruptedException | RuntimeException e) {
            exit.complete(Exit.LOST);
          }
        });
    return this;
  }

  /** What the wrapper wrote at the end, or that it is lost. */
  static Exit exitOf(Path directory) {
    try {
      return Exit.ofShell(Integer.parseInt(Files.readString(directory.resolve(STATUS)).strip()));
    } catch (IOException | NumberFormatException e) {
      return Exit.LOST;
    }
  }

  /** Drone and lease epoch, such as {@code d7-12}. */
  public String runId() {
    return runId;
  }

  /** The app's main process, which also leads its session. */
  public long pid() {
    return identity.app();
  }

  /** Where its output waits to be read; see {@link AppLogs#tail}. */
  public Path spool() {
    return directory.resolve("log");
  }

  /**
   * Completes when the main process ended, never exceptionally. Processes that it left behind may
   * still run: {@link #kill} them.
   */
  public CompletableFuture<Exit> exit() {
    return exit.copy();
  }

  /** Whether the main process lives. */
  public boolean alive() {
    return identity.appAlive();
  }

  /** Asks every process of the app's session to end (SIGTERM). */
  public void terminate() {
    for (var proc : ProcessTable.all()) {
      if (isMain(proc) || inSession(proc)) {
        handle(proc, ProcessHandle::destroy);
      }
    }
  }

  /**
   * Ends every process of the run (SIGKILL): of its session, with its user, or with its lease in
   * the environment. Waits until all are gone, bounded.
   *
   * @return whether all are gone
   */
  public boolean kill() {
    var deadline = Deadline.after(time, config.killWait());
    while (true) {
      var left = members();
      if (left.isEmpty()) {
        return true;
      }
      left.forEach(proc -> handle(proc, ProcessHandle::destroyForcibly));
      if (deadline.passed()) {
        return false;
      }
      try {
        time.sleep(LOOK_AGAIN);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
  }

  /**
   * Who answers at that port of the loopback address.
   *
   * @throws IOException when the kernel does not tell
   */
  public Owner listener(int port) throws IOException {
    var inodes = ProcessTable.listening(port);
    if (inodes.isEmpty()) {
      return Owner.NOBODY;
    }
    for (var proc : members()) {
      inodes.removeAll(ProcessTable.sockets(proc.pid()));
    }
    return inodes.isEmpty() ? Owner.THIS_RUN : Owner.SOMEBODY_ELSE;
  }

  /** Every live process of the run. */
  List<Proc> members() {
    var members = new ArrayList<Proc>();
    for (var proc : ProcessTable.all()) {
      if (proc.pid() == identity.wrapper() && proc.start() == identity.wrapperStart()) {
        continue;
      }
      if (isMain(proc) || inSession(proc) || marked(proc)) {
        members.add(proc);
      }
    }
    return members;
  }

  /** The app itself; for a moment after its birth it is not yet in a session of its own. */
  private boolean isMain(Proc proc) {
    return proc.pid() == identity.app() && proc.start() == identity.appStart();
  }

  /**
   * In the session that the main process leads, or led: its number is not reused before it ends.
   */
  private boolean inSession(Proc proc) {
    if (proc.session() != identity.app() || proc.start() < identity.appStart()) {
      return false;
    }
    if (!identity.boot().equals(ProcessTable.boot())) {
      return false;
    }
    var leader = ProcessTable.find(identity.app());
    return leader == null ? uid < 0 || marked(proc) : leader.start() == identity.appStart();
  }

  private boolean marked(Proc proc) {
    if (proc.start() < identity.appStart()) {
      return false;
    }
    var lease = ProcessTable.variable(proc.pid(), LEASE);
    boolean sameUser = uid > 0 && ProcessTable.uid(proc.pid()) == uid;
    return lease == null ? sameUser : lease.equals(runId) && (sameUser || (uid <= 0 && here(proc)));
  }

  /** Another platform on this machine has runs of the same names, in other places. */
  private boolean here(Proc proc) {
    return directory.resolve("app").toString().equals(ProcessTable.variable(proc.pid(), "HOME"))
        || directory.resolve("tmp").toString().equals(ProcessTable.variable(proc.pid(), "TMPDIR"));
  }

  static void handle(Proc proc, java.util.function.Consumer<ProcessHandle> act) {
    if (proc.pid() <= 1 || proc.pid() == ProcessHandle.current().pid()) {
      return;
    }
    // The handle remembers its own start time and refuses to signal a successor.
    ProcessHandle.of(proc.pid())
        .filter(handle -> ProcessTable.alive(proc.pid(), proc.start()))
        .ifPresent(act);
  }

  @Override
  public String toString() {
    return runId + " (pid " + pid() + ")";
  }
}
