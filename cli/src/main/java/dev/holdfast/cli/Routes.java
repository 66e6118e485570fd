package dev.holdfast.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code holdfast routes}. */
@Command(
    name = "routes",
    description = "List the hosts that lead to addresses; add, remove or import some.")
final class Routes extends Verb {

  private Routes(Options options) {
    super(options);
  }

  static CommandLine command(Options options) {
    return new CommandLine(new Routes(options))
        .addSubcommand(new Add(options))
        .addSubcommand(new Remove(options))
        .addSubcommand(new RoutesImport(options));
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var routes = api.list("/v1/routes");
    if (screen.json()) {
      screen.json(Json.array().addAll(routes));
      return;
    }
    screen.header("Routes");
    var rows = new ArrayList<List<String>>();
    for (var route : routes) {
      rows.add(List.of(Json.shown(route, "host", ""), Json.shown(route, "to", "")));
    }
    screen.table(rows);
  }

  /** {@code holdfast routes add}. */
  @Command(name = "add", description = "Lead a host to an address that Holdfast does not run.")
  static final class Add extends Verb {
    @Parameters(paramLabel = "HOST", description = "Such as www.example.org.")
    String host = "";

    @Option(
        names = "--to",
        required = true,
        paramLabel = "http://ADDR:PORT",
        description = "Such as http://127.0.0.1:3000.")
    String to = "";

    Add(Options options) {
      super(options);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      var route = RouteLine.checked(host, to);
      screen.action(
          "Routing " + route.host() + " to " + route.to(),
          () -> {
            var body = Json.object().put("to", route.to());
            screen.json(api.send(Call.of("PUT", Api.path("routes", route.host()), body)));
            return "done";
          });
    }
  }

  /** {@code holdfast routes remove}. */
  @Command(name = "remove", description = "Forget where a host led to.")
  static final class Remove extends Verb {
    @Parameters(paramLabel = "HOST", description = "Such as www.example.org.")
    String host = "";

    Remove(Options options) {
      super(options);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      screen.action(
          "Removing route " + Text.oneLine(host),
          () -> {
            screen.json(api.send(Call.of("DELETE", Api.path("routes", host))));
            return "done";
          });
    }
  }
}
