package dev.holdfast.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.random.RandomGenerator;

/** Where a test types commands: a folder, an environment, a clock that only waits in its mind. */
final class Desk {
  private final Random random = new Random(7); // one for all commands, as chance is

  static final Instant NOW = Instant.parse("2026-11-21T22:44:18Z");

  final Map<String, String> env = new HashMap<>();
  final List<List<String>> started = new ArrayList<>();
  final Path folder;
  boolean terminal;
  String typed = "";
  String out = "";
  String err = "";
  Duration rested = Duration.ZERO;

  Desk(Path folder, Path home) {
    this.folder = folder;
    env.put("HOLDFAST_HOME", home.toString());
  }

  /** Runs the command and keeps what it printed. */
  int run(String... args) {
    var outBytes = new ByteArrayOutputStream();
    var errBytes = new ByteArrayOutputStream();
    int code;
    try (var outStream = new PrintStream(outBytes, true, UTF_8);
        var errStream = new PrintStream(errBytes, true, UTF_8)) {
      var shell =
          new Shell(
              outStream,
              errStream,
              new ByteArrayInputStream(typed.getBytes(UTF_8)),
              env,
              folder,
              folder,
              terminal,
              ZoneOffset.UTC,
              pace(),
              started::add);
      code = Main.run(shell, args);
    }
    out = outBytes.toString(UTF_8);
    err = errBytes.toString(UTF_8);
    return code;
  }

  private Pace pace() {
    return new Pace() {
      @Override
      public Instant now() {
        return NOW.plus(rested);
      }

      @Override
      public void rest(Duration duration) {
        rested = rested.plus(duration);
      }

      @Override
      public RandomGenerator random() {
        return random;
      }
    };
  }
}
