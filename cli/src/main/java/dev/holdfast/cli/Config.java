package dev.holdfast.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ObjectNode;

/** {@code holdfast config}. */
@Command(name = "config", description = "Show an app's config vars; set, unset or get some.")
final class Config extends AppVerb {
  private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

  private Config(Options options, AppOption app) {
    super(options, app);
  }

  static CommandLine command(Options options) {
    var app = new AppOption(options);
    return new CommandLine(new Config(options, app))
        .addSubcommand(new Setting(options, app))
        .addSubcommand(new Unsetting(options, app))
        .addSubcommand(new Getting(options, app));
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var vars = api.get(Api.path("apps", app(), "config")).path("vars");
    screen.json(vars);
    if (vars.isEmpty()) {
      screen.line(screen.app(app()) + " has no config vars.");
      return;
    }
    screen.header(Text.oneLine(app()) + " Config Vars");
    var rows = new ArrayList<List<String>>();
    for (var entry : vars.properties()) {
      rows.add(List.of(Text.oneLine(entry.getKey()) + ":", Json.shown(vars, entry.getKey(), "")));
    }
    screen.table(rows);
  }

  /** Sends the change once, however often the connection breaks, and waits for its release. */
  private static void change(
      AppVerb verb, Screen screen, Api api, String doing, List<String> names, ObjectNode body)
      throws InterruptedException {
    var app = verb.app();
    api.get("/v1/health");
    screen.action(
        doing + " " + String.join(", ", names) + " and restarting " + screen.app(app),
        () -> {
          var call = Call.of("PATCH", Api.path("apps", app, "config"), body);
          var answer = api.insist(call.withKey(verb.options.shell().pace().requestKey()));
          if (!Json.has(answer, "release")) {
            screen.json(answer);
            return "done, no release (nothing changed, or nothing is deployed yet)";
          }
          var watch = new ReleaseWatch(api, verb.options.shell().pace());
          return watch.done(screen, app, answer.path("release"));
        });
  }

  private static String checkedName(String name) {
    if (!NAME.matcher(name).matches()) {
      throw Refused.usage(
          Refused.sentence("config var", name, "letters, digits and '_', such as DATABASE_URL"));
    }
    return name;
  }

  /** {@code holdfast config set}. */
  @Command(name = "set", description = "Set config vars and restart with them.")
  static final class Setting extends AppVerb {
    @Parameters(arity = "1..*", paramLabel = "K=V", description = "Such as FOO=bar.")
    List<String> pairs = List.of();

    Setting(Options options, AppOption app) {
      super(options, app);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      var names = new ArrayList<String>();
      var body = Json.object();
      var set = body.putObject("set");
      for (var pair : pairs) {
        int equals = pair.indexOf('=');
        if (equals < 1) {
          throw Refused.usage(Refused.sentence("config var", pair, "KEY=VALUE, such as FOO=bar"));
        }
        var name = checkedName(pair.substring(0, equals));
        set.put(name, pair.substring(equals + 1));
        names.add(name);
      }
      body.putArray("unset");
      change(this, screen, api, "Setting", names, body);
    }
  }

  /** {@code holdfast config unset}. */
  @Command(name = "unset", description = "Remove config vars and restart without them.")
  static final class Unsetting extends AppVerb {
    @Parameters(arity = "1..*", paramLabel = "KEY", description = "Such as FOO.")
    List<String> names = List.of();

    Unsetting(Options options, AppOption app) {
      super(options, app);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      var body = Json.object();
      body.putObject("set");
      var unset = body.putArray("unset");
      names.forEach(name -> unset.add(checkedName(name)));
      change(this, screen, api, "Unsetting", names, body);
    }
  }

  /** {@code holdfast config get}. */
  @Command(name = "get", description = "Print the value of a config var.")
  static final class Getting extends AppVerb {
    @Parameters(paramLabel = "KEY", description = "Such as FOO.")
    String name = "";

    Getting(Options options, AppOption app) {
      super(options, app);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      var vars = api.get(Api.path("apps", app(), "config")).path("vars");
      if (!Json.has(vars, name)) {
        throw new Refused(Text.oneLine(name) + " is not set on " + Text.oneLine(app()) + ".");
      }
      screen.json(vars.path(name));
      var value = Json.text(vars, name, "");
      // A script wants the very value; only a terminal has to be protected from it.
      screen.line(options.shell().terminal() ? Text.safe(value) : value);
    }
  }
}
