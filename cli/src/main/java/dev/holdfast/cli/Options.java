package dev.holdfast.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * The options that every verb has, wherever on the line they stand. One object serves all commands
 * of a run: the parser resets options for each subcommand, so a setter only ever adds. Confined to
 * one thread.
 */
final class Options {
  private final Shell shell;
  private @Nullable String home;
  private @Nullable String server;
  private boolean json;

  Options(Shell shell) {
    this.shell = shell;
  }

  @Option(
      names = "--home",
      paramLabel = "DIR",
      description = "The platform's folder; default: HOLDFAST_HOME or ~/.holdfast.")
  void home(@Nullable String value) {
    home = value == null ? home : value;
  }

  @Option(
      names = "--server",
      paramLabel = "URL",
      description = "The platform's API, with HOLDFAST_TOKEN; for a platform elsewhere.")
  void server(@Nullable String value) {
    server = value == null ? server : value;
  }

  @Option(names = "--json", description = "Print the API's JSON and nothing else.")
  void json(boolean value) {
    json |= value;
  }

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  void help(boolean value) {}

  Shell shell() {
    return shell;
  }

  Screen screen() {
    return new Screen(shell, json);
  }

  /** The platform that the line and the environment name. */
  Target target() {
    if (server != null) {
      return Target.server(server, shell.env("HOLDFAST_TOKEN"));
    }
    var named = home != null ? home : shell.env("HOLDFAST_HOME");
    return Target.home(
        named == null ? shell.userHome().resolve(".holdfast") : shell.folder().resolve(named));
  }

  /** The app that the line, the environment or the current folder names. */
  String app(@Nullable String fromLine) {
    if (fromLine != null) {
      return fromLine;
    }
    var named = shell.env("HOLDFAST_APP");
    if (named != null) {
      return named;
    }
    if (Files.isRegularFile(shell.folder().resolve("Procfile"))) {
      return nameOf(shell.folder());
    }
    throw Refused.usage(
        "No app given. Name one with -a APP or HOLDFAST_APP, or go to its folder (the one with the"
            + " Procfile).");
  }

  /** What an app is called when nobody says otherwise: its folder's name in lower case. */
  static String nameOf(Path folder) {
    var name = folder.toAbsolutePath().normalize().getFileName();
    return name == null ? "" : name.toString().toLowerCase(Locale.ROOT);
  }
}
