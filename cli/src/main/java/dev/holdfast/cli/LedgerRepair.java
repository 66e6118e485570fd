package dev.holdfast.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code holdfast ledger repair}. */
@Command(
    name = "repair",
    description = {
      "Write the last good state of a key again, which ends its quarantine;",
      "or undo the deletions from a position on, which followers held back."
    })
final class LedgerRepair extends Verb {
  @Parameters(
      paramLabel = "POSITION|KEY",
      description = "Such as route/www.example.org, or the first entry that stopped them.")
  String what = "";

  @Option(
      names = "--through",
      paramLabel = "POSITION",
      description = "With a position: the last entry that is undone.")
  @Nullable Long through;

  @Option(
      names = "--reason",
      required = true,
      paramLabel = "TEXT",
      description = "Why; it stands in the ledger with your name.")
  String reason = "";

  LedgerRepair(Options options) {
    super(options);
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var body = Json.object().put("reason", reason);
    if (what.matches("[0-9]{1,18}")) {
      body.put("from", Long.parseLong(what));
      if (through != null) {
        body.put("through", through.longValue());
      }
    } else {
      body.put("key", what);
    }
    screen.action(
        "Repairing " + Text.oneLine(what),
        () -> {
          var decided = api.send(Call.of("POST", "/v1/ledger/repair", body));
          screen.json(decided);
          int keys = decided.path("keys").size();
          return keys + (keys == 1 ? " key" : " keys") + " written again";
        });
  }
}
