package dev.holdfast.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** {@code holdfast scale}. */
@Command(name = "scale", description = "Set how many processes of each type run, or show it.")
final class Scale extends AppVerb {
  private static final Pattern WANT = Pattern.compile("([A-Za-z0-9_-]{1,63})=([0-9]{1,6})");

  @Parameters(arity = "0..*", paramLabel = "TYPE=N", description = "Such as web=2 worker=1.")
  List<String> wants = List.of();

  Scale(Options options) {
    super(options, new AppOption(options));
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var path = Api.path("apps", app(), "formation");
    if (wants.isEmpty()) {
      var formation = api.get(path);
      screen.json(formation);
      screen.line(formation(formation));
      return;
    }
    var body = Json.object();
    wanted().forEach(body::put);
    screen.action(
        "Scaling",
        () -> {
          var formation = api.send(Call.of("PATCH", path, body));
          screen.json(formation);
          return "done, now running " + running(formation);
        });
  }

  private Map<String, Integer> wanted() {
    var wanted = new LinkedHashMap<String, Integer>();
    for (var want : wants) {
      var match = WANT.matcher(want);
      if (!match.matches()) {
        throw Refused.usage(Refused.sentence("scale", want, "TYPE=N, such as web=2"));
      }
      wanted.put(match.group(1), Integer.valueOf(match.group(2)));
    }
    return wanted;
  }

  private static String running(JsonNode formation) {
    var parts = new ArrayList<String>();
    for (var type : formation.properties()) {
      parts.add(Text.oneLine(type.getKey()) + " at " + type.getValue());
    }
    return String.join(", ", parts);
  }

  /** {@code web=1 worker=0}. */
  static String formation(JsonNode formation) {
    var parts = new ArrayList<String>();
    for (var type : formation.properties()) {
      parts.add(Text.oneLine(type.getKey()) + "=" + type.getValue());
    }
    return parts.isEmpty() ? "none" : String.join(" ", parts);
  }
}
