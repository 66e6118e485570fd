package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What stands on the command line. A start that wrongly succeeds would not return. */
@Timeout(60)
class MainTest {
  @TempDir private Path temp;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  /** A user range of its own: nothing is noted on the machine that runs the tests. */
  @BeforeEach
  void configure() throws IOException {
    Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwxr-xr-x"));
    add("drones.uid-first = 29000");
  }

  private void add(String line) throws IOException {
    Files.writeString(
        temp.resolve("holdfast.conf"),
        line + "\n",
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }

  @Test
  void withoutAVerbItSaysHowItIsCalled() {
    assertThat(run()).isEqualTo(2);
    assertThat(said())
        .contains("verb: [] (expected: up, down, restore or migrate)")
        .contains(usage());
  }

  @Test
  void anUnknownVerbAndAnUnknownOptionAreUsageErrors() {
    assertThat(run("fly")).isEqualTo(2);
    assertThat(said())
        .contains("verb: [fly] (expected: up, down, restore or migrate)")
        .contains(usage());
    assertThat(run("up", "--port", "80")).isEqualTo(2);
    assertThat(said())
        .contains(
            "option: --port (expected: --home, --http, --api, --roles, --control, --store, --from,"
                + " --to, --password-file)");
    assertThat(said()).contains(usage());
  }

  @Test
  void anOptionWithoutItsValueIsAUsageError() {
    assertThat(run("up", "--home")).isEqualTo(2);
    assertThat(said()).contains("option: --home (expected: a value behind it)").contains(usage());
  }

  @Test
  void aHomeOfNoNameIsRefused() {
    assertThat(run("down", "--home", "")).isEqualTo(1);
    assertThat(said()).contains("home:  (expected: a directory)");
    assertThat(Main.run(List.of("down"), Map.of("HOLDFAST_HOME", ""), stream(out), stream(err)))
        .isEqualTo(1);
  }

  @Test
  void tooManyAndTooFewWordsAreUsageErrors() {
    assertThat(run("up", "now")).isEqualTo(2);
    assertThat(said()).contains("arguments: up now (expected: 0 behind the verb)");
    assertThat(run("restore")).isEqualTo(2);
    assertThat(said()).contains("arguments: restore (expected: 1 behind the verb)");
  }

  @Test
  void anAddressThatIsNoneIsNamed() {
    assertThat(run("up", "--home", temp.toString(), "--http", "8080")).isEqualTo(1);
    assertThat(said())
        .isEqualTo(" !    http: 8080 (expected: ADDR:PORT, such as 127.0.0.1:8080)\n");
    assertThat(run("up", "--home=" + temp, "--api=here")).isEqualTo(1);
    assertThat(said()).startsWith(" !    api: here (expected: ADDR:PORT");
  }

  @Test
  void anAddressOfAnotherMachineIsNamedAndNothingGoesOn() {
    for (var option : List.of("--http", "--api")) {
      var other = option.equals("--http") ? "--api" : "--http";
      int status =
          run(
              "up",
              "--home",
              temp.toString(),
              option,
              "no-such-host.invalid:80",
              other,
              "127.0.0.1:0");
      assertThat(said())
          .contains("no-such-host.invalid")
          .contains("expected: an address of this machine")
          .doesNotContain("Exception");
      assertThat(status).isEqualTo(1);
      assertThat(run("down", "--home", temp.toString())).isZero(); // so it is not locked
    }
  }

  @Test
  void aRunsDirectoryThatCannotBeIsNamed() throws IOException {
    var file = Files.writeString(temp.resolve("file"), "");
    add("drones.directory = " + file + "/runs");
    assertThat(run("up", "--home", temp.toString(), "--http=127.0.0.1:0", "--api=127.0.0.1:0"))
        .isEqualTo(1);
    assertThat(said()).startsWith(" !    runs in " + file);
  }

  @Test
  void downNeedsAHomeThatExists() {
    assertThat(run("down", "--home", temp.resolve("none").toString())).isEqualTo(1);
    assertThat(said()).contains(temp.resolve("none") + " (expected: a home that exists)");
    assertThat(temp.resolve("none")).doesNotExist();
  }

  @Test
  void downOfAQuietHomeEndsNothing() {
    assertThat(run("down", "--home", temp.toString())).isZero();
    assertThat(out.toString(UTF_8)).isEqualTo("Ended 0 processes.\n");
  }

  @Test
  void aWrongConfigurationFileIsNamedWithItsLine() throws IOException {
    add("color = red");
    assertThat(run("up", "--home", temp.toString())).isEqualTo(1);
    assertThat(said()).startsWith(" !    " + temp.resolve("holdfast.conf") + " line 2: key: color");
  }

  @Test
  void restoreOfWhatIsNotThereSaysSo() {
    int status =
        run("restore", temp.resolve("none").toString(), "--home", temp.resolve("h").toString());
    assertThat(status).isEqualTo(1);
    assertThat(said()).contains("none (expected: a file that can be read)");
    assertThat(temp.resolve("h")).doesNotExist();
  }

  private int run(String... arguments) {
    out.reset();
    err.reset();
    return Main.run(List.of(arguments), Map.of(), stream(out), stream(err));
  }

  private String said() {
    return err.toString(UTF_8);
  }

  private static String usage() {
    return "usage: holdfast up [--home DIR] [--http ADDR:PORT] [--api ADDR:PORT]";
  }

  private static PrintStream stream(ByteArrayOutputStream to) {
    return new PrintStream(to, true, UTF_8);
  }
}
