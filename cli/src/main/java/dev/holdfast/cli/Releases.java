package dev.holdfast.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code holdfast releases}. */
@Command(name = "releases", description = "List an app's releases, newest first; show one.")
final class Releases extends AppVerb {
  private static final Pattern VERSION = Pattern.compile("v?([0-9]{1,18})");

  @Option(
      names = {"-n", "--num"},
      paramLabel = "N",
      description = "How many; default: ${DEFAULT-VALUE}.")
  int count = 15;

  private Releases(Options options, AppOption app) {
    super(options, app);
  }

  static CommandLine command(Options options) {
    var app = new AppOption(options);
    return new CommandLine(new Releases(options, app)).addSubcommand(new Show(options, app));
  }

  /** The number in {@code v3} or {@code 3}. */
  static long version(String text) {
    var match = VERSION.matcher(text);
    if (!match.matches()) {
      throw Refused.usage(Refused.sentence("release", text, "vN, such as v3"));
    }
    return Long.parseLong(match.group(1));
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    if (count < 1 || count > Api.PAGE_ITEMS) {
      throw Refused.usage(Refused.sentence("-n", String.valueOf(count), "1 to " + Api.PAGE_ITEMS));
    }
    var releases = api.get(Api.path("apps", app(), "releases") + "?limit=" + count).path("items");
    if (screen.json()) {
      screen.json(releases);
      return;
    }
    if (releases.isEmpty()) {
      screen.line(screen.app(app()) + " has no releases.");
      return;
    }
    var current = "";
    var rows = new ArrayList<List<String>>();
    for (var release : releases) {
      var version = "v" + Json.number(release, "version", 0);
      if (release.path("current").asBoolean(false)) {
        current = " - Current: " + version;
      }
      var status = Json.shown(release, "status", "");
      rows.add(
          List.of(
              version,
              Json.shown(release, "description", ""),
              status.equals("succeeded") ? "" : status,
              Json.shown(release, "actor", ""),
              moment(Json.text(release, "createdAt", ""))));
    }
    screen.header(Text.oneLine(app()) + " Releases" + current);
    screen.table(rows);
  }

  /** {@code holdfast releases info}. */
  @Command(name = "info", description = "Show a release.")
  static final class Show extends AppVerb {
    @Parameters(paramLabel = "vN", description = "The release, such as v3.")
    String version = "";

    Show(Options options, AppOption app) {
      super(options, app);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      long number = version(version);
      var release = api.get(Api.path("apps", app(), "releases", String.valueOf(number)));
      screen.json(release);
      screen.header("Release v" + number);
      var rows = new ArrayList<List<String>>();
      boolean current = release.path("current").asBoolean(false);
      rows.add(
          List.of("Status:", Json.shown(release, "status", "") + (current ? ", current" : "")));
      if (Json.has(release, "step")) {
        rows.add(List.of("Now:", Json.shown(release, "step", "")));
      }
      if (Json.has(release, "failure")) {
        rows.add(List.of("Failure:", Json.shown(release, "failure", "")));
      }
      rows.add(List.of("Change:", Json.shown(release, "description", "")));
      rows.add(List.of("By:", Json.shown(release, "actor", "")));
      rows.add(List.of("When:", moment(Json.text(release, "createdAt", ""))));
      if (Json.has(release, "artifact")) {
        rows.add(List.of("Artifact:", Json.shown(release, "artifact", "")));
      }
      for (var type : release.path("types").properties()) {
        rows.add(
            List.of(
                Text.oneLine(type.getKey()) + ":",
                Json.shown(release.path("types"), type.getKey(), "")));
      }
      screen.table(rows);
    }
  }
}
