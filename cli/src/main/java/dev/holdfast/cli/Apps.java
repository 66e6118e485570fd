package dev.holdfast.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code holdfast apps}. */
@Command(name = "apps", description = "List the apps; create, destroy or show one.")
final class Apps extends Verb {

  private Apps(Options options) {
    super(options);
  }

  static CommandLine command(Options options) {
    return new CommandLine(new Apps(options))
        .addSubcommand(new Create(options))
        .addSubcommand(new Destroy(options))
        .addSubcommand(new Show(options));
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var apps = api.list("/v1/apps");
    if (screen.json()) {
      screen.json(Json.array().addAll(apps));
      return;
    }
    if (apps.isEmpty()) {
      screen.line("There are no apps. Deploy a folder: holdfast deploy DIR");
      return;
    }
    screen.header("Apps");
    var rows = new ArrayList<List<String>>();
    for (var app : apps) {
      var release = Json.has(app, "release") ? "v" + Json.number(app, "release", 0) : "-";
      rows.add(List.of(Json.shown(app, "name", ""), release, Json.shown(app, "url", "")));
    }
    screen.table(rows);
  }

  /** {@code holdfast apps create}. */
  @Command(name = "create", description = "Create an app; deploying does so by itself.")
  static final class Create extends Verb {
    @Parameters(paramLabel = "NAME", description = "The app's name: a-z, 0-9 and '-'.")
    String name = "";

    Create(Options options) {
      super(options);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      screen.action(
          "Creating " + screen.app(name),
          () -> {
            var app = api.send(Call.of("POST", "/v1/apps", Json.object().put("name", name)));
            screen.json(app);
            return "done, " + Json.shown(app, "url", "");
          });
    }
  }

  /** {@code holdfast apps destroy}. */
  @Command(name = "destroy", description = "Destroy an app with its releases and settings.")
  static final class Destroy extends Verb {
    @Parameters(paramLabel = "NAME", description = "The app's name.")
    String name = "";

    @Option(
        names = {"-c", "--confirm"},
        paramLabel = "NAME",
        description = "The name again; asked for at a terminal when left out.")
    @Nullable String confirm;

    Destroy(Options options) {
      super(options);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      var again = confirm == null ? ask(screen) : confirm;
      if (!again.equals(name)) {
        throw new Refused(
            Refused.sentence("confirmation", again, name) + "\nNothing was destroyed.");
      }
      screen.action(
          "Destroying " + screen.app(name),
          () -> {
            screen.json(api.send(Call.of("DELETE", Api.path("apps", name))));
            return "done";
          });
    }

    private String ask(Screen screen) {
      if (!options.shell().terminal() || screen.json()) {
        throw Refused.usage(
            "This destroys "
                + Text.oneLine(name)
                + ". To do so, add: --confirm "
                + Text.oneLine(name));
      }
      screen.remark("This destroys " + Text.oneLine(name) + ". Type its name to go on:");
      try {
        var in =
            new BufferedReader(new InputStreamReader(options.shell().in(), StandardCharsets.UTF_8));
        var line = in.readLine();
        return line == null ? "" : line.strip();
      } catch (IOException e) {
        throw new Refused("Cannot read the confirmation: " + e);
      }
    }
  }

  /** {@code holdfast apps info}. */
  @Command(name = "info", description = "Show an app.")
  static final class Show extends Verb {
    @Parameters(arity = "0..1", paramLabel = "NAME", description = "The app's name.")
    @Nullable String name;

    @Option(
        names = {"-a", "--app"},
        paramLabel = "NAME",
        description = "The same as an option.")
    @Nullable String app;

    Show(Options options) {
      super(options);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      var info = api.get(Api.path("apps", options.app(name == null ? app : name)));
      screen.json(info);
      screen.header(Json.shown(info, "name", ""));
      var domains = new ArrayList<String>();
      info.path("domains").forEach(d -> domains.add(Text.oneLine(d.asString())));
      screen.table(
          List.of(
              List.of("Web URL:", Json.shown(info, "url", "")),
              List.of("Domains:", String.join(", ", domains)),
              List.of(
                  "Release:",
                  Json.has(info, "release") ? "v" + Json.number(info, "release", 0) : "none yet"),
              List.of("Processes:", Scale.formation(info.path("formation"))),
              List.of("Created:", moment(Json.text(info, "createdAt", "")))));
    }
  }
}
