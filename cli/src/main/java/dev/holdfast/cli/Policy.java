package dev.holdfast.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.node.ObjectNode;

/** {@code holdfast policy}. */
@Command(
    name = "policy",
    description = "Show how the edge treats an app or one host of it; set or unset a part.")
final class Policy extends AppVerb {
  private static final Set<String> PAGES = Set.of("maintenancePage", "errorPage");
  private static final Set<String> LISTS = Set.of("compression");
  private static final Set<String> TEXTS = Set.of("account", "healthPath");
  private static final Pattern NUMBER = Pattern.compile("-?[0-9]{1,18}");

  @Mixin final HostOption host;

  private Policy(Options options, AppOption app, HostOption host) {
    super(options, app);
    this.host = host;
  }

  static CommandLine command(Options options) {
    var app = new AppOption(options);
    var host = new HostOption();
    return new CommandLine(new Policy(options, app, host))
        .addSubcommand(new Showing(options, app, host))
        .addSubcommand(new Setting(options, app, host))
        .addSubcommand(new Unsetting(options, app, host));
  }

  /** Which host a policy is of, when it is not an app's; shared like {@link AppOption}. */
  static final class HostOption {
    private @Nullable String host;

    @Option(
        names = "--host",
        paramLabel = "HOST",
        description = "One host; what is set there goes over its app's.")
    void host(@Nullable String value) {
      host = value == null ? host : value;
    }

    /** Whose policy, for people. */
    String subject(AppVerb verb) {
      return host == null ? verb.app() : host;
    }

    String path(AppVerb verb) {
      return host == null
          ? Api.path("apps", verb.app(), "policy")
          : Api.path("hosts", host, "policy");
    }
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    show(this, host, screen, api);
  }

  private static void show(AppVerb verb, HostOption host, Screen screen, Api api)
      throws InterruptedException {
    var policy = api.get(host.path(verb));
    screen.json(policy);
    var rows = new ArrayList<List<String>>();
    for (var field : policy.properties()) {
      if (!field.getValue().isNull()) {
        var value = Json.shown(policy, field.getKey(), "");
        var shown = PAGES.contains(field.getKey()) ? value.length() + " characters" : value;
        rows.add(List.of(Text.oneLine(field.getKey()) + ":", shown));
      }
    }
    var subject = Text.oneLine(host.subject(verb));
    if (rows.isEmpty()) {
      screen.line(subject + " has no policy of its own.");
      return;
    }
    screen.header(subject + " Policy");
    screen.table(rows);
  }

  private static void change(
      AppVerb verb, HostOption host, Screen screen, Api api, String doing, ObjectNode body)
      throws InterruptedException {
    var keys = Text.oneLine(String.join(", ", body.propertyNames()));
    screen.action(
        doing + " " + keys + " of " + Text.oneLine(host.subject(verb)),
        () -> {
          screen.json(api.send(Call.of("PATCH", host.path(verb), body)));
          return "done";
        });
  }

  /** {@code holdfast policy show}. */
  @Command(name = "show", description = "Show what is set.")
  static final class Showing extends AppVerb {
    @Mixin final HostOption host;

    Showing(Options options, AppOption app, HostOption host) {
      super(options, app);
      this.host = host;
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      show(this, host, screen, api);
    }
  }

  /** {@code holdfast policy set}. */
  @Command(
      name = "set",
      description = {
        "Set parts of a policy.",
        "A page is the name of a file; a list has commas, or is 'none'."
      })
  static final class Setting extends AppVerb {
    @Mixin final HostOption host;

    @Parameters(
        arity = "1..*",
        paramLabel = "KEY=VALUE",
        description = "Such as https=on or requestBytesMax=1048576.")
    List<String> pairs = List.of();

    Setting(Options options, AppOption app, HostOption host) {
      super(options, app);
      this.host = host;
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      var body = Json.object();
      for (var pair : pairs) {
        int equals = pair.indexOf('=');
        if (equals < 1) {
          throw Refused.usage(Refused.sentence("policy", pair, "KEY=VALUE, such as https=on"));
        }
        put(body, pair.substring(0, equals), pair.substring(equals + 1));
      }
      change(this, host, screen, api, "Setting", body);
    }

    private void put(ObjectNode body, String key, String value) {
      if (PAGES.contains(key)) {
        body.put(key, PageFile.read(options.shell(), value));
      } else if (LISTS.contains(key)) {
        var list = body.putArray(key);
        if (!value.isEmpty() && !value.equals("none")) {
          List.of(value.split(",", -1)).forEach(list::add);
        }
      } else if (value.equals("true") || value.equals("false")) {
        body.put(key, value.equals("true"));
      } else if (!TEXTS.contains(key) && NUMBER.matcher(value).matches()) {
        body.put(key, Long.parseLong(value));
      } else {
        body.put(key, value);
      }
    }
  }

  /** {@code holdfast policy unset}. */
  @Command(name = "unset", description = "Inherit parts of a policy again.")
  static final class Unsetting extends AppVerb {
    @Mixin final HostOption host;

    @Parameters(arity = "1..*", paramLabel = "KEY", description = "Such as https.")
    List<String> keys = List.of();

    Unsetting(Options options, AppOption app, HostOption host) {
      super(options, app);
      this.host = host;
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      var body = Json.object();
      keys.forEach(body::putNull);
      change(this, host, screen, api, "Unsetting", body);
    }
  }
}
