package dev.holdfast.cli;

import java.time.Duration;
import java.util.List;
import picocli.CommandLine.Command;

/** {@code holdfast info}, also typed {@code health} and {@code status}. */
@Command(name = "info", description = "Show whether the platform runs, and where.")
final class Info extends Verb {

  Info(Options options) {
    super(options);
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var health = api.get("/v1/health");
    screen.json(health);
    screen.header("Holdfast " + Json.shown(health, "version", "?") + " at " + api.address());
    screen.table(
        List.of(
            List.of("Status:", Json.shown(health, "status", "")),
            List.of("Edge:", Json.shown(health, "edge", "")),
            List.of("Node:", Json.shown(health, "node", "")),
            List.of("Position:", Json.shown(health, "position", "")),
            List.of(
                "Up for:", Text.age(Duration.ofSeconds(Json.number(health, "uptimeSeconds", 0)))),
            List.of("Where:", Text.oneLine(api.name()))));
    if (!Json.text(health, "status", "").equals("ok")) {
      throw new Refused("The platform's health is: " + Json.shown(health, "status", "unknown"));
    }
  }
}
