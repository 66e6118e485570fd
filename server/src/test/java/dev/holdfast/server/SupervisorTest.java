package dev.holdfast.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The launcher's loop, with a Java that is a script and a sleep that only notes for how long. */
@Timeout(60)
class SupervisorTest {
  private static final String DIES = "exit 134";

  @TempDir Path directory;
  private @Nullable Process process;

  @BeforeEach
  void build() throws IOException {
    Files.createDirectories(directory.resolve("home"));
    var lib = Files.createDirectories(directory.resolve("release/lib"));
    Files.writeString(lib.resolve("holdfast-server-0.jar"), "");
    Files.copy(Path.of("..", "holdfast"), lib.resolveSibling("holdfast"));
    Files.createDirectories(directory.resolve("jdk/bin"));
    Files.createDirectories(directory.resolve("bin"));
    Files.writeString(directory.resolve("sleeps"), "");
    Files.writeString(directory.resolve("starts"), "");
    program("bin/sleep", "echo \"$1\" >>" + directory.resolve("sleeps") + "; exec /bin/sleep 0.01");
  }

  private static final List<String> SIGNALS = List.of("HUP", "INT"); // 1 and 2, in this order

  @AfterEach
  void end() throws InterruptedException {
    var running = process;
    if (running != null) {
      var children = running.descendants().toList();
      running.destroy(); // which ends its child; killed, it would leave one behind
      assertThat(running.waitFor(20, TimeUnit.SECONDS)).isTrue();
      children.forEach(ProcessHandle::destroyForcibly);
    }
  }

  @Test
  void aChildThatDiesAtOnceIsStartedEverMoreSlowlyAndForEver() throws Exception {
    var loop = supervise(DIES);
    await(() -> delays().size() >= 9);
    var wanted = List.of(1, 2, 4, 8, 16, 32, 60, 60, 60);
    var delays = delays();
    for (int i = 0; i < wanted.size(); i++) {
      double second = wanted.get(i);
      assertThat(delays.get(i)).as("%s", delays).isBetween(second * 0.75, second * 1.2);
    }
    var state = Json.MAPPER.readTree(Files.readString(directory.resolve("home/supervisor.json")));
    assertThat(state.get("state").asString()).isEqualTo("degraded");
    assertThat(state.get("pid").asLong()).isEqualTo(loop.pid());
    assertThat(said()).contains("state=backoff crashes=4 ").contains("state=degraded crashes=5 ");
    assertThat(said()).doesNotContain("state=degraded crashes=4 ").contains("exit=134");
    assertThat(starts()).hasSizeGreaterThanOrEqualTo(9).containsOnly("up");

    loop.destroy();
    assertThat(loop.waitFor()).isEqualTo(143);
    assertThat(directory.resolve("home/supervisor.json")).doesNotExist();
  }

  @Test
  void aFirstStartThatIsRefusedIsNotTriedAgain() throws Exception {
    var state = directory.resolve("home/supervisor.json");
    Files.writeString(state, "another loop's");
    assertThat(supervise("exit 1").waitFor()).isEqualTo(1);
    assertThat(state).exists();
    assertThat(starts()).hasSize(1);
    assertThat(delays()).isEmpty();
  }

  @Test
  void aChildThatSomebodyEndedIsNotStartedAgain() throws Exception {
    for (int status : List.of(0, 130, 143)) {
      Files.writeString(directory.resolve("starts"), "");
      assertThat(supervise("exit " + status).waitFor()).isEqualTo(status);
      assertThat(starts()).hasSize(1);
    }
  }

  @Test
  void aChildThatServedIsStartedAtOnceTheFirstTimeAlsoAfterARefusal() throws Exception {
    supervise(
        "kill -USR1 $HOLDFAST_SUPERVISOR; until grep -q running \"$HOME_DIR/supervisor.json\"; do ["
            + " -d $HOME_DIR ] || exit 9; /bin/sleep 0.01; done; [ $(wc -l"
            + " <\"$HOME_DIR/../starts\") -lt 4 ] || exit 1; kill -9 $$");
    await(() -> delays().size() >= 4);
    assertThat(delays().get(0)).isBetween(1.5, 2.4); // after the second crash
    assertThat(delays().get(1)).isBetween(3.0, 4.8);
    assertThat(said()).contains("crashes=1 exit=137 wait=0ms").contains("crashes=4 exit=1 ");
  }

  /** What whoever started the tests wants to be ignored, such as with nohup, no shell can trap. */
  private static List<String> heard() throws IOException {
    try (var lines = Files.lines(Path.of("/proc/self/status"))) {
      var ignored = lines.filter(line -> line.startsWith("SigIgn:")).findFirst().orElseThrow();
      long set = Long.parseUnsignedLong(ignored.substring(ignored.indexOf(':') + 1).strip(), 16);
      return Stream.of("HUP", "INT", "TERM")
          .filter(signal -> (set >> SIGNALS.indexOf(signal) & 1) == 0 || signal.equals("TERM"))
          .toList();
    }
  }

  @Test
  void signalsReachTheChildAndItsEndIsTheEnd() throws Exception {
    for (var signal : heard()) {
      Files.writeString(directory.resolve("starts"), "");
      var loop =
          supervise(
              "trap 'echo ended >>"
                  + directory.resolve("ends")
                  + "; exit 143' TERM\n"
                  + "while :; do /bin/sleep 0.05; done");
      await(() -> starts().size() == 1);
      new ProcessBuilder("/bin/sh", "-c", "kill -" + signal + " " + loop.pid()).start().waitFor();
      assertThat(loop.waitFor())
          .isEqualTo(
              switch (signal) {
                case "TERM" -> 143;
                case "INT" -> 130;
                default -> 129;
              });
    }
    assertThat(Files.readAllLines(directory.resolve("ends"))).hasSize(heard().size());
  }

  @Test
  void whenNobodyServesForLongVisitorsAreRefusedOnceAndThenTheSocketIsLetGo() throws Exception {
    patience(1);
    supervise(1, "case $last in 1) exit 1;; esac; exec /bin/sleep 30");
    await(() -> starts().size() >= 2);
    await(() -> said().contains("refusing=true"));
    assertThat(starts().get(1)).isEqualTo("1"); // refuse-visitors 1
    var holder = Path.of("/proc", String.valueOf(process().pid()), "fd", "3");
    await(() -> !Files.exists(holder)); // since even that could not run
    assertThat(starts()).hasSize(2);
  }

  @Test
  void aChildThatServesInTimeKeepsVisitorsWaiting() throws Exception {
    patience(3);
    supervise(1, "kill -USR1 $HOLDFAST_SUPERVISOR; exec /bin/sleep 30");
    var state = directory.resolve("home/supervisor.json");
    await(() -> Files.exists(state));
    long from = System.nanoTime();
    await(() -> System.nanoTime() - from > TimeUnit.SECONDS.toNanos(4));
    assertThat(said()).doesNotContain("refusing=true");
    assertThat(Files.readString(state))
        .contains("\"state\":\"running\"")
        .contains("\"refusing\":false");
    assertThat(starts()).hasSize(1);
  }

  /** After how many seconds visitors are refused. */
  private void patience(int seconds) throws IOException {
    var script = directory.resolve("release/holdfast");
    var text = Files.readString(script);
    assertThat(text).contains("SILENCE_SECONDS=60 ");
    Files.writeString(
        script, text.replace("SILENCE_SECONDS=60 ", "SILENCE_SECONDS=" + seconds + " "));
  }

  private Process process() {
    return Objects.requireNonNull(process);
  }

  private Process supervise(String child) throws IOException {
    return supervise(0, child);
  }

  private Process supervise(int held, String child) throws IOException {
    program(
        "jdk/bin/java",
        "for word in \"$@\"; do last=$word; done\n"
            + "echo \"$last\" >>"
            + directory.resolve("starts")
            + "\nHOME_DIR="
            + directory.resolve("home")
            + "\n"
            + child);
    var builder =
        new ProcessBuilder(
            "/bin/sh",
            "-c",
            "exec 3</dev/null; exec /bin/sh \"$@\"",
            "sh",
            directory.resolve("release/holdfast").toString(),
            "--supervise",
            "" + held,
            directory.resolve("home").toString(),
            directory.resolve("jdk").toString(),
            "up");
    builder.environment().merge("PATH", directory.resolve("bin") + ":", (old, own) -> own + old);
    builder.redirectErrorStream(true).redirectOutput(directory.resolve("said").toFile());
    var started = builder.start();
    process = started;
    return started;
  }

  private void program(String name, String text) throws IOException {
    var file = Files.writeString(directory.resolve(name), "#!/bin/sh\n" + text + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /** Seconds between starts; the looks after a child that starts are no wait. */
  private List<Double> delays() {
    return lines("sleeps").stream()
        .filter(line -> !line.equals("0.2"))
        .map(Double::valueOf)
        .toList();
  }

  private List<String> starts() {
    return lines("starts");
  }

  private List<String> lines(String name) {
    try {
      return Files.readAllLines(directory.resolve(name));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private String said() {
    return String.join("\n", lines("said"));
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long from = System.nanoTime();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime() - from).isLessThan(TimeUnit.SECONDS.toNanos(30));
      Thread.sleep(10);
    }
  }
}
