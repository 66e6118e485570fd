package dev.holdfast.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import picocli.CommandLine.Command;

/** {@code holdfast version}. */
@Command(name = "version", description = "Show the version of this command.")
final class Version extends Verb {

  Version(Options options) {
    super(options);
  }

  @Override
  void run(Screen screen, Api api) {
    var java = Runtime.version().toString();
    screen.line("holdfast " + own() + " java " + java);
    screen.json(Json.object().put("version", own()).put("java", java));
  }

  /** The version that this command was built as. */
  static String own() {
    try (var in = Version.class.getResourceAsStream("version.txt")) {
      return in == null ? "unknown" : new String(in.readAllBytes(), UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
