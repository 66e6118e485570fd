package dev.holdfast.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;

/** {@code holdfast ledger status}. */
@Command(
    name = "status",
    description = "Show how the ledger's followers are: standing, position, lag, quarantine.")
final class LedgerStatus extends Verb {
  LedgerStatus(Options options) {
    super(options);
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var status = api.get("/v1/ledger/status");
    if (screen.json()) {
      screen.json(status);
      return;
    }
    screen.header("Ledger at " + Json.shown(status, "head", "?"));
    var rows = new ArrayList<List<String>>();
    for (var one : status.path("followers")) {
      rows.add(
          List.of(
              Json.shown(one, "name", ""),
              Json.shown(one, "standing", ""),
              "at " + Json.shown(one, "position", "?"),
              Json.shown(one, "lag", "0") + " behind",
              Json.shown(one, "digest", "")));
    }
    screen.table(rows);
    for (var one : status.path("followers")) {
      var name = Json.shown(one, "name", "");
      var cause = Json.shown(one, "cause", "");
      if (!cause.isEmpty()) {
        screen.line(name + ": " + Text.oneLine(cause));
      }
      if (Json.has(one, "blocked")) {
        var from = Json.shown(one.path("blocked"), "from", "?");
        var through = Json.shown(one.path("blocked"), "through", "?");
        screen.line(
            "  see: holdfast ledger show "
                + from
                + "; decide: holdfast ledger skip "
                + from
                + (from.equals(through) ? "" : " --through " + through)
                + " --reason ...");
      }
      if (Json.has(one, "divergence")) {
        screen.line(
            name + " differs: " + Text.oneLine(Json.shown(one.path("divergence"), "cause", "")));
      }
      one.path("quarantine")
          .properties()
          .forEach(held ->
              screen.line(
                  name
                      + " keeps the last good "
                      + Text.oneLine(held.getKey())
                      + ": "
                      + Text.oneLine(held.getValue().asString())));
      var trouble = Json.shown(one, "trouble", "");
      if (!trouble.isEmpty()) {
        screen.line(name + ": " + Text.oneLine(trouble));
      }
    }
    for (var alarm : status.path("alarms")) {
      screen.line(
          "ALARM at "
              + Json.shown(alarm, "position", "?")
              + ": "
              + Text.oneLine(Json.shown(alarm, "key", "nothing that can be read"))
              + ", written by "
              + Text.oneLine(Json.shown(alarm, "writer", "nobody known"))
              + ", "
              + Json.shown(alarm, "bytes", "0")
              + " bytes: "
              + Json.shown(alarm, "hex", ""));
    }
  }
}
