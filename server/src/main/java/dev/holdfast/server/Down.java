package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.drones.ArtifactLimits;
import dev.holdfast.drones.Artifacts;
import dev.holdfast.drones.Launcher;
import dev.holdfast.drones.LauncherConfig;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.Time;
import dev.holdfast.store.HomeLock;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** Ends a home: its platform, if it runs, and then every process of its apps. Stateless. */
final class Down {
  private static final Duration LOOK_AGAIN = Duration.ofMillis(50);

  /** What an end takes besides the visitors who are let go: requests under way, the store. */
  private static final Duration MARGIN = Duration.ofSeconds(30);

  private static final int FILE_BYTES_MAX = 64 * 1024;

  private final ServerConfig config;
  private final Home home;
  private final Time time;
  private final PrintStream out;

  private Down(ServerConfig config, Home home, Time time, PrintStream out) {
    this.config = config;
    this.home = home;
    this.time = time;
    this.out = out;
  }

  static int run(ServerConfig config, Time time, PrintStream out)
      throws IOException, StoreException, InterruptedException {
    var home = new Home(config.home().toAbsolutePath().normalize());
    Check.that(Files.isDirectory(home.directory()), "home", home.directory(), "a home that exists");
    try (var _ = new Down(config, home, time, out).lock()) {
      if (Roles.of(config) == Roles.EDGE) {
        out.println("Ended 0 processes: an edge runs none.");
        return 0;
      }
      var artifacts = new Artifacts(home.artifacts(), ArtifactLimits.defaults(), time);
      var launcher =
          new Launcher(
              home.runs(config),
              artifacts,
              LauncherConfig.defaults().withUidFirst(home.uidFirst(config)),
              time);
      int ended = launcher.endAll(config.duration(ServerConfig.STOP_TIMEOUT));
      out.println("Ended " + ended + (ended == 1 ? " process." : " processes."));
      return 0;
    }
  }

  /** The home's lock, after whoever had it was asked to end. */
  private HomeLock lock() throws IOException, StoreException, InterruptedException {
    var drain = config.duration(ServerConfig.EDGE_DRAIN_MAX);
    var wait = drain.plus(drain.dividedBy(4)).plus(MARGIN);
    var deadline = Deadline.after(time, wait);
    @Nullable ProcessHandle asked = null;
    var why = new StoreException("its supervisor did not end");
    while (true) {
      var owner = supervisor();
      if (owner.isEmpty()) {
        try {
          return HomeLock.acquire(home.directory());
        } catch (StoreException e) {
          why = e;
          owner = platform();
        }
      }
      if (owner.isPresent() && !owner.get().equals(asked)) {
        asked = owner.get();
        ask(asked, wait, why);
      }
      if (deadline.passed() || locker() == ProcessHandle.current().pid()) {
        throw new StoreException(
            why.getMessage()
                + (asked == null ? "" : "; process " + asked.pid() + " was asked to end")
                + " (waited "
                + wait.toSeconds()
                + " s, which follows edge.drain-max)",
            why);
      }
      time.sleep(LOOK_AGAIN);
    }
  }

  private void ask(ProcessHandle owner, Duration wait, StoreException why) throws StoreException {
    if (owner.pid() == ProcessHandle.current().pid() || !owner.destroy()) {
      throw why;
    }
    out.println(
        ("Ending the platform (pid %d); WebSockets and event streams are let go for at most %s,"
                + " and all of it takes at most %d s")
            .formatted(owner.pid(), config.value(ServerConfig.EDGE_DRAIN_MAX), wait.toSeconds()));
    out.flush();
  }

  /** The process that wrote {@code up.json} and has the lock: no number that was given anew. */
  private Optional<ProcessHandle> platform() throws IOException {
    var pid = number(home.upFile(), "pid");
    return pid > 0 && pid == locker() ? ProcessHandle.of(pid) : Optional.empty();
  }

  /** The launcher's loop, if the process of that number began when the loop did. */
  private Optional<ProcessHandle> supervisor() throws IOException {
    var pid = number(home.supervisorFile(), "pid");
    var start = number(home.supervisorFile(), "start");
    return pid > 0 && start == ticks(pid) ? ProcessHandle.of(pid) : Optional.empty();
  }

  private long locker() throws IOException {
    var text = text(home.directory().resolve(HomeLock.FILE)).strip();
    return text.matches("[0-9]{1,18}") ? Long.parseLong(text) : -1;
  }

  private static long number(Path file, String name) throws IOException {
    try {
      @Nullable JsonNode value = Json.MAPPER.readTree(text(file)).get(name);
      return value == null ? -1 : value.asLong(-1);
    } catch (JacksonException e) {
      return -1; // half written by a crash
    }
  }

  /** When the process began, in the kernel's ticks (proc_pid_stat(5), field 22). */
  private static long ticks(long pid) throws IOException {
    var stat = text(Path.of("/proc", String.valueOf(pid), "stat"));
    var fields = stat.substring(stat.lastIndexOf(')') + 1).strip().split(" ", -1);
    return fields.length > 19 ? Long.parseLong(fields[19]) : -1;
  }

  private static String text(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      return new String(in.readNBytes(FILE_BYTES_MAX), UTF_8);
    } catch (NoSuchFileException e) {
      return "";
    }
  }
}
