package dev.holdfast.cli;

import picocli.CommandLine.Command;

/** {@code holdfast ledger diff}. */
@Command(name = "diff", description = "Compare every follower with the store, which is read anew.")
final class LedgerDiff extends Verb {
  LedgerDiff(Options options) {
    super(options);
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var differences = api.get("/v1/ledger/diff");
    if (screen.json()) {
      screen.json(differences);
      return;
    }
    screen.header("Followers against the store at " + Json.shown(differences, "position", "?"));
    for (var one : differences.path("followers")) {
      var agrees =
          switch (Json.shown(one, "agrees", "")) {
            case "true" -> "agrees";
            case "false" -> "DIFFERS";
            default -> "stands elsewhere";
          };
      screen.line(
          Json.shown(one, "name", "") + " at " + Json.shown(one, "position", "?") + ": " + agrees);
      one.path("quarantined")
          .forEach(key -> screen.line("  in quarantine: " + Text.oneLine(key.asString())));
      one.path("unshown")
          .forEach(key -> screen.line("  not served as written: " + Text.oneLine(key.asString())));
    }
  }
}
