package dev.holdfast.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which app a verb is about; shared by a verb and its subcommands like {@link Options}. */
final class AppOption {
  private final Options options;
  private @Nullable String app;

  AppOption(Options options) {
    this.options = options;
  }

  @Option(
      names = {"-a", "--app"},
      paramLabel = "APP",
      description = "The app; default: HOLDFAST_APP, or the current folder when it has a Procfile.")
  void app(@Nullable String value) {
    app = value == null ? app : value;
  }

  /**
   * The app's name.
   *
   * @throws Refused when none was given
   */
  String name() {
    return options.app(app);
  }

  /** The name that stands on the line, or null. */
  @Nullable String fromLine() {
    return app;
  }
}
