package dev.holdfast.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code holdfast domains}. */
@Command(name = "domains", description = "List the hosts an app answers for; add or remove one.")
final class Domains extends AppVerb {

  private Domains(Options options, AppOption app) {
    super(options, app);
  }

  static CommandLine command(Options options) {
    var app = new AppOption(options);
    return new CommandLine(new Domains(options, app))
        .addSubcommand(new Add(options, app))
        .addSubcommand(new Remove(options, app));
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var domains = api.list(Api.path("apps", app(), "domains"));
    if (screen.json()) {
      screen.json(Json.array().addAll(domains));
      return;
    }
    screen.header(Text.oneLine(app()) + " Domains");
    var rows = new ArrayList<List<String>>();
    for (var domain : domains) {
      rows.add(List.of(Json.shown(domain, "host", ""), Json.shown(domain, "kind", "")));
    }
    screen.table(rows);
  }

  /** {@code holdfast domains add}. */
  @Command(name = "add", description = "Let an app answer for a host.")
  static final class Add extends AppVerb {
    @Parameters(paramLabel = "HOST", description = "Such as www.example.org.")
    String host = "";

    Add(Options options, AppOption app) {
      super(options, app);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      screen.action(
          "Adding " + Text.oneLine(host) + " to " + screen.app(app()),
          () -> {
            var body = Json.object().put("host", host);
            screen.json(api.send(Call.of("POST", Api.path("apps", app(), "domains"), body)));
            return "done";
          });
    }
  }

  /** {@code holdfast domains remove}. */
  @Command(name = "remove", description = "Stop answering for a host.")
  static final class Remove extends AppVerb {
    @Parameters(paramLabel = "HOST", description = "Such as www.example.org.")
    String host = "";

    Remove(Options options, AppOption app) {
      super(options, app);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      screen.action(
          "Removing " + Text.oneLine(host) + " from " + screen.app(app()),
          () -> {
            screen.json(api.send(Call.of("DELETE", Api.path("apps", app(), "domains", host))));
            return "done";
          });
    }
  }
}
