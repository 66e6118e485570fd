package dev.holdfast.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code holdfast ledger show}. */
@Command(
    name = "show",
    description = "Show one entry, also when it cannot be read; secrets are left out.")
final class LedgerShow extends Verb {
  @Parameters(
      paramLabel = "POSITION|KEY",
      description = "Such as 1234, or route/www.example.org for its newest entry.")
  String what = "";

  LedgerShow(Options options) {
    super(options);
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var path =
        what.matches("[0-9]{1,18}")
            ? "/v1/ledger/entries/" + what
            : "/v1/ledger/entries?key=" + Api.escape(what);
    var detail = api.get(path);
    if (screen.json()) {
      screen.json(detail);
      return;
    }
    if (Json.has(detail, "entry")) {
      screen.line(Ledger.format(detail.path("entry")));
    } else {
      screen.line(
          Json.shown(detail, "position", "?")
              + " cannot be read: "
              + Text.oneLine(Json.shown(detail, "unreadable", "")));
      screen.line(Json.shown(detail, "bytes", "?") + " bytes: " + Json.shown(detail, "hex", ""));
    }
  }
}
