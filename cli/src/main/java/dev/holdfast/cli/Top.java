package dev.holdfast.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import tools.jackson.databind.JsonNode;

/** {@code holdfast top}. */
@Command(
    name = "top",
    description = "Show who causes the load: apps, clients, routes and programs, costliest first.")
final class Top extends Verb {
  private static final List<List<String>> PARTS =
      List.of(
          List.of("apps", "Apps"),
          List.of("clients", "Clients"),
          List.of("routes", "Routes"),
          List.of("agents", "User agents"));

  Top(Options options) {
    super(options);
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var load = api.get("/v1/load");
    screen.json(load);
    screen.line(Json.shown(load, "summary", "No load in the last ten seconds."));
    accounts(screen, load.path("accounts"));
    for (var part : PARTS) {
      var rows = new ArrayList<List<String>>();
      for (var cause : load.path(part.getFirst())) {
        rows.add(List.of(percent(cause), Json.shown(cause, "name", "")));
      }
      table(screen, part.getLast(), rows);
    }
    if (!screen.json()) {
      parts(screen, api.get("/v1/parts").path("items"));
    }
  }

  /** The platform's own parts: those that are not well, or that all are. */
  private void parts(Screen screen, JsonNode parts) {
    var rows = new ArrayList<List<String>>();
    for (var part : parts) {
      var state = Json.shown(part, "state", "?");
      if (!state.equals("running")) {
        rows.add(
            List.of(
                Json.shown(part, "name", "?"),
                state,
                Json.number(part, "failures", 0) + " deaths in a row",
                Json.shown(part, "cause", "")));
      }
    }
    if (rows.isEmpty()) {
      screen.line("");
      screen.line("All " + parts.size() + " background parts of the platform run.");
    }
    table(screen, "Parts of the platform that are not well", rows);
  }

  private void accounts(Screen screen, JsonNode accounts) {
    var rows = new ArrayList<List<String>>();
    for (var account : accounts) {
      var state = Json.shown(account, "state", "");
      rows.add(
          List.of(
              percent(account),
              Json.shown(account, "name", ""),
              state.equals("normal")
                  ? state
                  : state + " " + moment(Json.text(account, "since", ""))));
    }
    table(screen, "Accounts", rows);
  }

  private static void table(Screen screen, String title, List<List<String>> rows) {
    if (!rows.isEmpty()) {
      screen.line("");
      screen.header(title);
      screen.table(rows);
    }
  }

  private static String percent(JsonNode cause) {
    return Json.number(cause, "percent", 0) + " %";
  }
}
