package dev.holdfast.drones;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.Assumptions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class LauncherTest {
  private static final boolean ROOT = ProcessTable.ownUid() == 0;
  private static final int UID_FIRST = 21_000;
  private static final LauncherConfig CONFIG = LauncherConfig.defaults().withUidFirst(UID_FIRST);

  @TempDir Path temp;
  private final List<Run> runs = new ArrayList<>();
  private final List<Process> servers = new ArrayList<>();
  private Artifacts artifacts;
  private Launcher launcher;
  private String sha = "";

  @BeforeEach
  void open() throws IOException {
    Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwx--x--x"));
    artifacts = new Artifacts(temp.resolve("artifacts"), ArtifactLimits.defaults(), Time.system());
    launcher = new Launcher(temp.resolve("runs"), artifacts, CONFIG, Time.system());
    sha = upload(Tarball.app());
  }

  @AfterEach
  void endAll() {
    servers.forEach(Process::destroyForcibly);
    runs.forEach(Run::kill);
  }

  private String upload(Tarball tarball) {
    return artifacts.put(tarball.stream()).orThrow().sha256();
  }

  private LaunchSpec spec(
      String runId, String command, Map<String, String> config, @Nullable Integer port) {
    return new LaunchSpec(runId, 7, sha, command, config, port, "web.1", "shop", 3);
  }

  private Run launch(String command) throws IOException {
    return launch(spec("d7-1", command, Map.of(), null));
  }

  private Run launch(LaunchSpec spec) throws IOException {
    var run = launcher.launch(spec);
    runs.add(run);
    return run;
  }

  private Path run(String runId) {
    return temp.resolve("runs").resolve(runId);
  }

  private static Exit ended(Run run) throws Exception {
    return run.exit().get(20, TimeUnit.SECONDS);
  }

  /** Everything the run printed. */
  private String output(Run run) throws Exception {
    Until.holds("output ended", () -> Files.exists(run.spool().resolve("closed")));
    var text = new StringBuilder();
    try (var chunks = Files.list(run.spool())) {
      for (var chunk : chunks.sorted().toList()) {
        text.append(Files.readString(chunk));
      }
    }
    return text.toString();
  }

  private static String read(Path file) throws Exception {
    Until.holds(file + " written", () -> Files.exists(file) && Files.size(file) > 0);
    return Files.readString(file).strip();
  }

  @Test
  void givesTheAppExactlyItsEnvironment() throws Exception {
    var nasty = "a'b\"c$HOME`id`\\n\n%s \u00fc\n\n";
    var config = new TreeMap<String, String>();
    config.put("NASTY", nasty);
    config.put("EMPTY", "");
    config.put("i", "loop");
    config.put("IFS", "x");
    config.put("LD_LIBRARY_PATH", "/nowhere");
    config.put("PORT", "1");
    config.put("HOLDFAST_LEASE", "mine");
    config.put("HOME", "/root");
    var run = launch(spec("d7-1", "exec /usr/bin/env -0", config, 20_080));
    assertThat(ended(run)).isEqualTo(new Exit(0, null));
    var found = new TreeMap<String, String>();
    for (var entry : output(run).split("\0", -1)) {
      if (!entry.isEmpty()) {
        found.put(entry.substring(0, entry.indexOf('=')), entry.substring(entry.indexOf('=') + 1));
      }
    }
    var app = run("d7-1").resolve("app").toString();
    assertThat(found.remove("PATH"))
        .endsWith(":" + Path.of(System.getProperty("java.home"), "bin"));
    found.remove("PWD");
    found.remove("SHLVL");
    assertThat(found.remove("IFS")).isNotEqualTo("x"); // no POSIX shell takes it from outside
    found.remove("_");
    assertThat(found)
        .containsExactlyInAnyOrderEntriesOf(
            Map.ofEntries(
                Map.entry("NASTY", nasty),
                Map.entry("EMPTY", ""),
                Map.entry("i", "loop"),
                Map.entry("LD_LIBRARY_PATH", "/nowhere"),
                Map.entry("PORT", "20080"),
                Map.entry("DYNO", "web.1"),
                Map.entry("HOLDFAST_APP", "shop"),
                Map.entry("HOLDFAST_RELEASE", "3"),
                Map.entry("HOLDFAST_LEASE", "d7-1"),
                Map.entry("HOME", app),
                Map.entry("TMPDIR", run("d7-1").resolve("tmp").toString()),
                Map.entry("LANG", "C.UTF-8"),
                Map.entry("USER", ROOT ? "drone7" : System.getProperty("user.name"))));
  }

  @Test
  void sourcesTheProfileInTheAppsDirectory() throws Exception {
    sha = upload(Tarball.app().file(".profile", "export GREETING=\"hello $NAME\"; set -- other\n"));
    var run =
        launch(spec("d7-1", "echo \"$GREETING\"; pwd; echo bad >&2", Map.of("NAME", "you"), null));
    ended(run);
    assertThat(output(run).lines())
        .containsExactly("hello you", run("d7-1").resolve("app").toString(), "bad");
  }

  @Test
  void tellsHowARunEnded() throws Exception {
    var status = launch("exit 7");
    assertThat(ended(status).describe()).isEqualTo("exit status 7");
    assertThat(status.alive()).isFalse();
    var killed = launch(spec("d7-2", "exec sleep 100", Map.of(), null));
    assertThat(killed.alive()).isTrue();
    killed.kill();
    assertThat(ended(killed).describe()).isEqualTo("killed by SIGKILL");
    assertThat(Exit.LOST.describe()).startsWith("lost (");
  }

  private static long ignoredHere() throws IOException {
    try (var lines = Files.lines(Path.of("/proc/self/status"))) {
      return signalSet(lines.filter(line -> line.startsWith("SigIgn")).findFirst().orElseThrow());
    }
  }

  /** The signals below the real-time ones. */
  private static long signalSet(String line) {
    return Long.parseUnsignedLong(line.substring(line.indexOf(':') + 1).strip(), 16) & 0x7FFF_FFFFL;
  }

  @Test
  void startsWithOrdinarySignalsAndDescriptors() throws Exception {
    var run =
        launch(
            "grep -E 'Sig(Ign|Blk)|NoNewPrivs|^Uid|^Groups' /proc/self/status; readlink"
                + " /proc/self/fd/0; ls /proc/self/fd | wc -l; cut -d' ' -f5,6 /proc/$$/stat;"
                + " umask; echo reopened >/dev/stderr");
    ended(run);
    var lines = output(run).lines().map(line -> line.replace("\t", " ")).toList();
    var signals = lines.stream().filter(line -> line.startsWith("Sig")).toList();
    long inherited = ignoredHere(); // as the tests' own starter wanted it, such as nohup
    for (var line : signals) {
      assertThat(signalSet(line) & ~inherited).as(line).isZero();
    }
    assertThat(signals).hasSize(2);
    assertThat(lines).contains("/dev/null", run.pid() + " " + run.pid(), "0022", "reopened");
    assertThat(lines).contains("4"); // 0, 1, 2 and the directory that ls reads
    if (ROOT) {
      int uid = UID_FIRST + 7;
      assertThat(lines).contains("Uid: " + (uid + " ").repeat(4).strip(), "NoNewPrivs: 1");
    }
  }

  @Test
  void keepsAnUnprivilegedAppInItsOwnTwoDirectories() throws Exception {
    Assumptions.assumeThat(ROOT).isTrue();
    var run =
        launch(
            "echo a >mine && echo a >$TMPDIR/t && echo own;"
                + " for f in ../pid ../status ../log/x ../x ../start; do"
                + " (echo x >$f) 2>/dev/null && echo wrote $f; done; ls .. 2>/dev/null; echo end");
    ended(run);
    assertThat(output(run).lines()).containsExactly("own", "end");
    assertThat(run("d7-1").resolve("app/mine")).hasContent("a");
  }

  @Test
  void terminateReachesTheWholeSessionButNotThePump() throws Exception {
    var run =
        launch(
            "trap 'echo parent; wait; exit 3' TERM; (trap 'echo child; exit' TERM; echo up;"
                + " while :; do sleep 0.05; done) & while :; do sleep 0.05; done");
    Until.holds(
        "up",
        () ->
            Files.exists(run.spool().resolve("00000001"))
                && Files.readString(run.spool().resolve("00000001")).contains("up"));
    run.terminate();
    assertThat(ended(run)).isEqualTo(new Exit(3, null));
    assertThat(output(run).lines()).contains("up", "parent", "child");
  }

  @Test
  void killLeavesNobodyBehind() throws Exception {
    var run =
        launch(
            "sleep 300 & setsid sleep 301 & setsid env -u HOLDFAST_LEASE sleep 302 &"
                + " (setsid sh -c 'sleep 303 & exit' &) ; echo $$ >up; trap '' TERM; wait; wait");
    read(run("d7-1").resolve("app/up"));
    Until.holds("all there", () -> run.members().size() >= (ROOT ? 5 : 4));
    var members = run.members();
    assertThat(run.kill()).isTrue();
    assertThat(ended(run)).isEqualTo(new Exit(null, 9));
    assertThat(members.stream().filter(p -> ProcessTable.alive(p.pid(), p.start()))).isEmpty();
    assertThat(output(run)).isEmpty();
  }

  @Test
  void boundsTheOutputOnDisk() throws Exception {
    var run = launch("head -c 30000000 /dev/zero | tr '\\0' 'x'; echo; echo last");
    assertThat(ended(run)).isEqualTo(new Exit(0, null));
    var output = output(run);
    assertThat(output).endsWith("x\nlast\n");
    assertThat(output.length()).isBetween(5, 2 * (4 << 20));
  }

  @Test
  void knowsWhoListens() throws Exception {
    sha = upload(Tarball.app().file("Listen.java", LISTEN));
    try (var mine = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      int port = 20_000 + (int) (ProcessHandle.current().pid() % 5000);
      var run =
          launch(
              spec("d7-1", "exec java -Xmx64m -XX:TieredStopAtLevel=1 Listen.java", java(), port));
      assertThat(run.listener(mine.getLocalPort())).isEqualTo(Owner.SOMEBODY_ELSE);
      Until.holds("listening", () -> run.listener(port) == Owner.THIS_RUN);
      run.kill();
      assertThat(run.listener(port)).isEqualTo(Owner.NOBODY);
    }
  }

  private static Map<String, String> java() {
    return Map.of("PATH", Path.of(System.getProperty("java.home"), "bin") + ":/usr/bin:/bin");
  }

  private static final String LISTEN =
      """
      public class Listen {
        public static void main(String[] args) throws Exception {
          int port = Integer.parseInt(System.getenv("PORT"));
          var loopback = java.net.InetAddress.getByName("127.0.0.1");
          var server = new java.net.ServerSocket(port, 1, loopback);
          while (true) server.accept().close();
        }
      }
      """;

  @Test
  void leavesNothingOfAStartThatFails() {
    var spec = new LaunchSpec("d7-1", 7, "0".repeat(64), "a", Map.of(), null, "web.1", "shop", 1);
    assertThatThrownBy(() -> launcher.launch(spec)).isInstanceOf(IOException.class);
    assertThat(launcher.runIds()).isEmpty();
  }

  @Test
  void neverUsesARunIdTwice() throws Exception {
    var run = launch("exec sleep 100");
    assertThatThrownBy(() -> launch("exec sleep 100")).isInstanceOf(IOException.class);
    assertThat(run.alive()).isTrue();
    assertThatThrownBy(() -> launcher.remove("d7-1")).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void removesARunButNothingBehindItsLinks() throws Exception {
    var precious = Files.createDirectory(temp.resolve("precious"));
    Files.writeString(precious.resolve("x"), "x");
    var run = launch("ln -s " + precious + " link; mkdir -p a/b/c; exit 0");
    ended(run);
    launcher.remove("d7-1");
    launcher.remove("d7-1");
    assertThat(launcher.runIds()).isEmpty();
    assertThat(precious.resolve("x")).exists();
  }

  @Test
  void refusesADirectoryThatDronesCannotReach() throws Exception {
    Assumptions.assumeThat(ROOT).isTrue();
    var closed = Files.createDirectory(temp.resolve("closed"));
    Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
    assertThatThrownBy(() -> new Launcher(closed.resolve("runs"), artifacts, CONFIG, Time.system()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(closed + " lets nobody else in");
  }

  @Test
  void aSlowWrapperCannotStartAFencedRun() throws Exception {
    var directory = Files.createDirectory(run("d7-5"));
    Files.createDirectory(directory.resolve("app"));
    Files.createDirectory(directory.resolve("log"));
    var tools = Tools.find(ROOT);
    Files.writeString(directory.resolve("wrapper"), Wrapper.wrapper(tools));
    Files.writeString(directory.resolve("begin"), Wrapper.begin(tools, -1));
    Files.writeString(directory.resolve("start"), Wrapper.start(tools, 0));
    assertThat(launcher.adopt("d7-5")).isInstanceOf(Adoption.NeverStarted.class);
    var builder =
        new ProcessBuilder("" + tools.setsid(), "" + tools.sh(), "wrapper")
            .directory(directory.toFile());
    Wrapper.carry(builder.environment(), "echo started >started", Map.of());
    var slow = builder.start();
    assertThat(slow.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(directory.resolve("app/started")).doesNotExist();
    assertThat(directory.resolve("status")).doesNotExist();
    assertThat(launcher.adopt("d7-5")).isInstanceOf(Adoption.NeverStarted.class);
    assertThat(launcher.adopt("d7-6")).isInstanceOf(Adoption.NeverStarted.class);
  }

  @Test
  void adoptsWhatAKilledServerLeftRunning() throws Exception {
    var go = temp.resolve("go");
    var command =
        "i=0; while [ ! -e "
            + go
            + " ]; do i=$((i+1)); echo line $i; sleep 0.01; done; echo end; exit 5";
    var server =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                ServerToKill.class.getName(),
                temp.toString(),
                sha,
                command)
            .redirectErrorStream(true)
            .redirectOutput(temp.resolve("server.out").toFile())
            .start();
    servers.add(server);
    long pid = Long.parseLong(read(temp.resolve("launched")));
    try (var logs = logs()) {
      Until.holds("some lines stored", () -> logs.last("shop", 100).size() > 20);
    }
    server.destroyForcibly().waitFor();

    try (var logs = logs()) {
      assertThat(launcher.runIds()).containsExactly("d7-9");
      var adopted = ((Adoption.Adopted) launcher.adopt("d7-9")).run();
      runs.add(adopted);
      assertThat(adopted.pid()).isEqualTo(pid);
      assertThat(adopted.alive()).isTrue();
      int before = logs.last("shop", 10_000).size();
      var tail = logs.tail("shop", "web.1", adopted);
      Until.holds("more lines", () -> logs.last("shop", 10_000).size() > before + 20);
      Files.createFile(go);
      assertThat(ended(adopted)).isEqualTo(new Exit(5, null));
      tail.get(20, TimeUnit.SECONDS);
      var texts = logs.last("shop", 10_000).stream().map(LogLine::text).toList();
      var expected = new ArrayList<String>();
      for (int i = 1; i < texts.size(); i++) {
        expected.add("line " + i);
      }
      expected.add("end");
      assertThat(texts).isEqualTo(expected);
    }
    assertThat(launcher.adopt("d7-9")).isEqualTo(new Adoption.Ended(new Exit(5, null)));
  }

  private AppLogs logs() {
    return new AppLogs(temp.resolve("logs"), LogLimits.defaults(), Time.system());
  }

  /** A server that starts a run, follows its output, and waits to be killed. */
  static final class ServerToKill {
    private ServerToKill() {}

    public static void main(String[] args) throws Exception {
      var temp = Path.of(args[0]);
      var artifacts =
          new Artifacts(temp.resolve("artifacts"), ArtifactLimits.defaults(), Time.system());
      var launcher = new Launcher(temp.resolve("runs"), artifacts, CONFIG, Time.system());
      var logs = new AppLogs(temp.resolve("logs"), LogLimits.defaults(), Time.system());
      var run =
          launcher.launch(
              new LaunchSpec("d7-9", 7, args[1], args[2], Map.of(), null, "web.1", "shop", 1));
      var _ = logs.tail("shop", "web.1", run);
      Files.writeString(temp.resolve("launched"), "" + run.pid());
      Thread.sleep(Duration.ofMinutes(1));
    }
  }
}
