package dev.holdfast.cli;

import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import picocli.CommandLine.Command;
import tools.jackson.databind.JsonNode;

/** {@code holdfast ps}. */
@Command(name = "ps", description = "List an app's processes and how they are.")
final class Ps extends AppVerb {

  Ps(Options options) {
    super(options, new AppOption(options));
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var processes = api.list(Api.path("apps", app(), "processes"));
    if (screen.json()) {
      screen.json(Json.array().addAll(processes));
      return;
    }
    if (processes.isEmpty()) {
      screen.line("No processes of " + screen.app(app()) + " are wanted.");
      return;
    }
    var types = new TreeMap<String, List<JsonNode>>();
    for (var process : processes) {
      types.computeIfAbsent(Json.shown(process, "type", ""), t -> new ArrayList<>()).add(process);
    }
    boolean first = true;
    for (var type : types.entrySet()) {
      if (!first) {
        screen.line("");
      }
      first = false;
      var command = Json.shown(type.getValue().getFirst(), "command", "");
      screen.header(type.getKey() + " (" + type.getValue().size() + "): " + command);
      for (var process : type.getValue()) {
        screen.line(line(process));
      }
    }
  }

  private String line(JsonNode process) {
    var state = Json.shown(process, "state", "");
    var line = new StringBuilder(Json.shown(process, "name", ""));
    line.append(": ").append(state).append(' ').append(moment(Json.text(process, "since", "")));
    if ((state.equals("crashed") || state.equals("down")) && Json.has(process, "lastExit")) {
      line.append(", ").append(Json.shown(process, "lastExit", ""));
    }
    if (Json.has(process, "nextStartAt")) {
      line.append(", next start in ").append(until(Json.text(process, "nextStartAt", "")));
    }
    return line.toString();
  }

  private String until(String time) {
    try {
      return Text.age(Duration.between(now(), Instant.parse(time)));
    } catch (DateTimeParseException e) {
      return Text.oneLine(time);
    }
  }
}
