package dev.holdfast.drones;

import dev.holdfast.ledger.HostName;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Starts, adopts and ends the processes of apps on this machine. Thread-safe for different runs;
 * one run is the business of one caller.
 *
 * <p>A run lives in {@code runsDir/<runId>/} and survives the death of this JVM, {@code kill -9}
 * included; {@link Wrapper} says how. Whoever comes next adopts it by its id. The run's directory
 * is the only record: {@code pid} says what was started and appears at most once, {@code status}
 * says how it ended.
 *
 * <p>Commands are run by {@code sh}, not bash: the same words must mean the same on every machine,
 * and bash adds variables of its own; an app that wants bash says {@code bash -c}. The environment
 * is the app's config and PORT, DYNO, HOLDFAST_APP, HOLDFAST_RELEASE, HOLDFAST_LEASE, HOME, TMPDIR,
 * USER, which config cannot change, PATH and LANG, which it can, and what the shell itself keeps
 * there (PWD, IFS). {@code .profile} is sourced after all of them are set; what it wants to pass on
 * it exports.
 *
 * <p>A server that is root gives every drone a user of its own and hands nothing else to it than
 * the run's {@code app} and {@code tmp}.
 */
public final class Launcher {
  private static final Duration LOOK_AGAIN = Duration.ofMillis(5);
  private static final Duration TOOL_WAIT = Duration.ofMinutes(2);
  private static final int TROUBLE_BYTES_MAX = 500;

  private final Path runs;
  private final Artifacts artifacts;
  private final LauncherConfig config;
  private final Time time;
  private final boolean root;
  private final Tools tools;

  /**
   * A launcher whose runs live in that directory, which is made when it is missing.
   *
   * @throws IllegalStateException when a program is missing, or when the users of the drones could
   *     not reach the directory
   * @throws UncheckedIOException when the directory cannot be made
   */
  public Launcher(Path runs, Artifacts artifacts, LauncherConfig config, Time time) {
    this.runs = runs.toAbsolutePath().normalize();
    this.artifacts = artifacts;
    this.config = config;
    this.time = time;
    root = ProcessTable.ownUid() == 0;
    tools = Tools.find(root);
    try {
      Files.createDirectories(this.runs);
      if (root) {
        Files.setPosixFilePermissions(this.runs, PosixFilePermissions.fromString("rwx--x--x"));
        mustBeReachable();
      }
    } catch (IOException e) {
      throw new UncheckedIOException("runs in " + runs, e);
    }
  }

  /** Tries it as the first drone's user; that also shows whether privileges can be dropped here. */
  private void mustBeReachable() throws IOException {
    var uid = "" + config.uidFirst();
    var probe =
        new ProcessBuilder(
            "" + tools.setpriv(),
            "--reuid",
            uid,
            "--regid",
            uid,
            "--clear-groups",
            "--no-new-privs",
            "" + tools.sh(),
            "-c",
            "cd \"$0\"",
            runs.toString());
    var said = run(probe);
    if (said.isEmpty()) {
      return;
    }
    for (var at = runs; at != null; at = at.getParent()) {
      if (!Files.getPosixFilePermissions(at).contains(PosixFilePermission.OTHERS_EXECUTE)) {
        throw new IllegalStateException(
            Check.message(
                "directory of the runs",
                runs,
                "one that other users can pass through, and " + at + " lets nobody else in"));
      }
    }
    throw new IllegalStateException(
        Check.message(
            "directory of the runs", runs, "one that user " + uid + " can enter: " + said));
  }

  /** Runs a tool to its end; empty when it went well, otherwise what it said. */
  private static String run(ProcessBuilder builder) throws IOException {
    builder.environment().clear();
    builder.environment().put("PATH", Tools.SANE_PATH);
    builder.redirectErrorStream(true);
    var process = builder.start();
    process.getOutputStream().close();
    var bytes = process.getInputStream().readNBytes(TROUBLE_BYTES_MAX);
    var said = new String(bytes, StandardCharsets.UTF_8);
    try {
      if (!process.waitFor(TOOL_WAIT.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
        return builder.command().getFirst() + " did not end within " + TOOL_WAIT;
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    int code = process.exitValue();
    return code == 0 ? "" : Check.printable("exit status " + code + " " + said.strip());
  }

  /**
   * Unpacks the artifact and starts the command; answers as soon as the process exists.
   *
   * @throws IOException when it could not be started; nothing is left of the run then
   */
  public Run launch(LaunchSpec spec) throws IOException {
    var directory = directory(spec.runId());
    long uid = root ? config.uidFirst() + spec.droneNumber() : -1;
    Files.createDirectory(directory);
    @Nullable Process wrapper = null;
    boolean started = false;
    try {
      prepare(spec, directory, uid);
      wrapper = spawn(spec, directory);
      var identity = await(directory, wrapper);
      started = true;
      return new Run(spec.runId(), directory, identity, uid, config, time).watched(wrapper);
    } finally {
      if (!started) {
        clearUp(spec.runId(), directory, uid, wrapper);
      }
    }
  }

  /** Takes the run's place, so that it cannot start any more, and removes every trace of it. */
  private void clearUp(String runId, Path directory, long uid, @Nullable Process wrapper)
      throws IOException {
    if (wrapper != null) {
      if (!Identity.fence(directory)) {
        var identity = Identity.read(directory);
        if (identity != null) {
          new Run(runId, directory, identity, uid, config, time).kill();
        }
      }
      // The wrapper leads a session of its own, in which its pump may still wait for a writer.
      for (var proc : ProcessTable.all()) {
        if (proc.session() == wrapper.pid()) {
          Run.handle(proc, ProcessHandle::destroyForcibly);
        }
      }
    }
    delete(directory);
  }

  private void prepare(LaunchSpec spec, Path directory, long uid) throws IOException {
    mode(directory, "rwx--x--x");
    var app = directory.resolve("app");
    var tmp = Files.createDirectory(directory.resolve("tmp"));
    mode(Files.createDirectory(directory.resolve("log")), "rwx------");
    artifacts.extract(spec.artifact(), app);
    mode(app, "rwx------");
    mode(tmp, "rwx------");
    if (root) {
      endLeftovers(uid);
      give(app, uid);
      give(tmp, uid);
    }
    Files.writeString(directory.resolve("user"), "" + uid);
    Files.writeString(directory.resolve(Wrapper.WRAPPER), Wrapper.wrapper(tools));
    Files.writeString(directory.resolve(Wrapper.BEGIN), Wrapper.begin(tools, uid));
    var start = directory.resolve(Wrapper.START);
    Files.writeString(start, Wrapper.start(tools, variables(spec).size()));
    mode(start, "rw-r--r--");
  }

  private static void mode(Path path, String permissions) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }

  /** The drone's user belongs to the newest lease alone: what it still runs is from the past. */
  private void endLeftovers(long uid) {
    var deadline = Deadline.after(time, config.killWait());
    while (!deadline.passed()) {
      var left = ProcessTable.all().stream().filter(p -> ProcessTable.uid(p.pid()) == uid).toList();
      if (left.isEmpty()) {
        return;
      }
      left.forEach(proc -> Run.handle(proc, ProcessHandle::destroyForcibly));
      pause();
    }
    throw new IllegalStateException(
        Check.message("processes of user " + uid, "some", "none after SIGKILL"));
  }

  private void pause() {
    try {
      time.sleep(LOOK_AGAIN);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** Nothing of the app runs yet, so nobody can swap a directory for a link under our feet. */
  private static void give(Path tree, long uid) throws IOException {
    Files.walkFileTree(
        tree,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes)
              throws IOException {
            return visitFile(path, attributes);
          }

          @Override
          public FileVisitResult visitFile(Path path, BasicFileAttributes attributes)
              throws IOException {
            Files.setAttribute(path, "unix:gid", (int) uid, LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(path, "unix:uid", (int) uid, LinkOption.NOFOLLOW_LINKS);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private Map<String, String> variables(LaunchSpec spec) {
    var variables = new TreeMap<String, String>();
    var java = Path.of(System.getProperty("java.home", "/usr"), "bin");
    variables.put("PATH", Tools.SANE_PATH + ":" + java);
    variables.put("LANG", "C.UTF-8");
    spec.config().forEach(variables::put);
    variables.keySet().removeIf(name -> name.startsWith("HOLDFAST_"));
    variables.remove("PORT");
    if (spec.port() != null) {
      variables.put("PORT", "" + spec.port());
    }
    var directory = directory(spec.runId());
    variables.put("DYNO", spec.process());
    variables.put("HOLDFAST_APP", spec.app());
    variables.put("HOLDFAST_RELEASE", "" + spec.release());
    variables.put(Run.LEASE, spec.runId());
    variables.put("HOME", directory.resolve("app").toString());
    variables.put("TMPDIR", directory.resolve("tmp").toString());
    variables.put(
        "USER", root ? "drone" + spec.droneNumber() : System.getProperty("user.name", "drone"));
    return variables;
  }

  private Process spawn(LaunchSpec spec, Path directory) throws IOException {
    var builder =
        new ProcessBuilder(tools.setsid().toString(), tools.sh().toString(), Wrapper.WRAPPER)
            .directory(directory.toFile())
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(directory.resolve("trouble").toFile());
    Wrapper.carry(builder.environment(), spec.command(), variables(spec));
    return builder.start();
  }

  /** Waits for the pid file; when none comes in time, takes its place. */
  private Identity await(Path directory, Process wrapper) throws IOException {
    var deadline = Deadline.after(time, config.startWait());
    while (wrapper.isAlive() && !deadline.passed()) {
      var identity = decided(directory);
      if (identity != null) {
        return identity;
      }
      pause();
    }
    if (!Identity.fence(directory)) {
      var identity = decided(directory);
      if (identity != null) {
        return identity;
      }
    }
    throw new IOException(
        Check.message("wrapper", trouble(directory), "to start within " + config.startWait()));
  }

  private static @Nullable Identity decided(Path directory) throws IOException {
    try {
      return Identity.read(directory);
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  private static String trouble(Path directory) {
    try {
      var text = Files.readString(directory.resolve("trouble")).strip();
      return text.isEmpty() ? "silent" : text;
    } catch (IOException e) {
      return "silent";
    }
  }

  /**
   * Finds out what became of a run of an earlier life. A run that did not start yet is fenced, so
   * that a slow wrapper cannot start it after this answer.
   *
   * @throws IOException when its directory cannot be read
   */
  public Adoption adopt(String runId) throws IOException {
    var directory = directory(runId);
    if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
      return new Adoption.NeverStarted();
    }
    if (Identity.fence(directory)) {
      return new Adoption.NeverStarted();
    }
    var identity = Identity.read(directory);
    if (identity == null) {
      return new Adoption.NeverStarted();
    }
    var run = new Run(runId, directory, identity, user(directory), config, time);
    if (identity.wrapperAlive() || identity.appAlive()) {
      return new Adoption.Adopted(run.watched(null));
    }
    // Nobody asks for an ended run, which has no handle: what cannot be killed now keeps it.
    return run.kill()
        ? new Adoption.Ended(Run.exitOf(directory))
        : new Adoption.Adopted(run.watched(null));
  }

  private static long user(Path directory) {
    try {
      return Long.parseLong(Files.readString(directory.resolve("user")).strip());
    } catch (IOException | NumberFormatException e) {
      return -1;
    }
  }

  /**
   * Deletes everything of a run that ended, never through a link. Does nothing when there is none.
   *
   * @throws IllegalStateException when its main process lives
   * @throws IOException when something could not be deleted
   */
  public void remove(String runId) throws IOException {
    var directory = directory(runId);
    if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    var identity = decided(directory);
    if (identity != null && identity.appAlive()) {
      throw new IllegalStateException(
          Check.message("run " + runId, "alive", "to be killed before it is removed"));
    }
    delete(directory);
  }

  /** The app's files go first: a wrapper that slept through its fence finds nothing to start. */
  private void delete(Path directory) throws IOException {
    for (var tree : List.of(directory.resolve("app"), directory)) {
      // rm walks by descriptor and never follows a link, however deep an app has nested.
      var said = run(new ProcessBuilder(tools.rm().toString(), "-rf", "--", tree.toString()));
      if (Files.exists(tree, LinkOption.NOFOLLOW_LINKS)) {
        throw new IOException(Check.message("directory " + tree, said, "to be deleted"));
      }
    }
  }

  /** Every run that has a directory, in order of name. */
  public List<String> runIds() {
    var ids = new ArrayList<String>();
    try (var all = Files.newDirectoryStream(runs)) {
      for (var run : all) {
        if (Files.isDirectory(run, LinkOption.NOFOLLOW_LINKS)) {
          ids.add(run.getFileName().toString());
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("runs in " + runs, e);
    }
    ids.sort(null);
    return ids;
  }

  /** Where the run's output waits to be read. */
  Path spool(String runId) {
    return directory(runId).resolve("log");
  }

  /**
   * Ends every run on this machine: SIGTERM to all, SIGKILL to those that are left after {@code
   * wait}.
   *
   * @return how many ran
   * @throws IOException when a run cannot be looked at
   */
  public int endAll(Duration wait) throws IOException {
    var alive = new ArrayList<Run>();
    for (var runId : runIds()) {
      if (adopt(runId) instanceof Adoption.Adopted(var run)) {
        run.terminate();
        alive.add(run);
      }
    }
    var deadline = Deadline.after(time, wait);
    for (var run : alive) {
      var _ =
          run.exit()
              .completeOnTimeout(Exit.LOST, deadline.leftNanos(), TimeUnit.NANOSECONDS)
              .join();
      run.kill();
    }
    return alive.size();
  }

  private Path directory(String runId) {
    return runs.resolve(HostName.label("run id", runId));
  }
}
