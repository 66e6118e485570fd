package dev.holdfast.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code holdfast maintenance}. */
@Command(
    name = "maintenance",
    description = "Show whether visitors see an app's maintenance page; put it on or off.")
final class Maintenance extends AppVerb {

  private Maintenance(Options options, AppOption app) {
    super(options, app);
  }

  static CommandLine command(Options options) {
    var app = new AppOption(options);
    return new CommandLine(new Maintenance(options, app))
        .addSubcommand(new On(options, app))
        .addSubcommand(new Off(options, app))
        .addSubcommand(new Info(options, app));
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    info(screen, api, app());
  }

  private static void info(Screen screen, Api api, String app) throws InterruptedException {
    var policy = api.get(Api.path("apps", app, "policy"));
    screen.json(policy);
    var state = Json.text(policy, "maintenance", "").equals("true") ? "on" : "off";
    var page = Json.has(policy, "maintenancePage") ? ", with a page of its own" : "";
    screen.line(screen.app(app) + " maintenance: " + state + page);
  }

  /** {@code holdfast maintenance on}. */
  @Command(name = "on", description = "Answer every visitor with the maintenance page (H80).")
  static final class On extends AppVerb {
    @Option(
        names = "--page",
        paramLabel = "FILE",
        description = "HTML to show, at most 64 KiB; it is kept until another is given.")
    @Nullable String page;

    On(Options options, AppOption app) {
      super(options, app);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      var body = Json.object().put("maintenance", true);
      if (page != null) {
        body.put("maintenancePage", PageFile.read(options.shell(), page));
      }
      screen.action(
          "Enabling maintenance mode for " + screen.app(app()),
          () -> {
            screen.json(api.send(Call.of("PATCH", Api.path("apps", app(), "policy"), body)));
            return "done";
          });
    }
  }

  /** {@code holdfast maintenance off}. */
  @Command(name = "off", description = "Let visitors through to the app again.")
  static final class Off extends AppVerb {
    Off(Options options, AppOption app) {
      super(options, app);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      screen.action(
          "Disabling maintenance mode for " + screen.app(app()),
          () -> {
            var body = Json.object().put("maintenance", false);
            screen.json(api.send(Call.of("PATCH", Api.path("apps", app(), "policy"), body)));
            return "done";
          });
    }
  }

  /** {@code holdfast maintenance info}. */
  @Command(name = "info", description = "Show whether the maintenance page is on.")
  static final class Info extends AppVerb {
    Info(Options options, AppOption app) {
      super(options, app);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      info(screen, api, app());
    }
  }
}
