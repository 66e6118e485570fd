package dev.holdfast.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code holdfast ledger skip}. */
@Command(
    name = "skip",
    description = {
      "Let frozen followers pass over an entry that cannot be read or is missing,",
      "or, with --apply, let a mass deletion happen."
    })
final class LedgerSkip extends Verb {
  @Parameters(paramLabel = "POSITION", description = "The first entry that stopped them.")
  long from;

  @Option(
      names = "--through",
      paramLabel = "POSITION",
      description = "The last one; default: only the first.")
  @Nullable Long through;

  @Option(names = "--apply", description = "Apply what was held back instead of passing over it.")
  boolean apply;

  @Option(
      names = "--reason",
      required = true,
      paramLabel = "TEXT",
      description = "Why; it stands in the ledger with your name.")
  String reason = "";

  LedgerSkip(Options options) {
    super(options);
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var body = Json.object().put("from", from).put("apply", apply).put("reason", reason);
    if (through != null) {
      body.put("through", through.longValue());
    }
    screen.action(
        (apply ? "Applying " : "Passing over ") + from + (through == null ? "" : " to " + through),
        () -> {
          var decided = api.send(Call.of("POST", "/v1/ledger/skip", body));
          screen.json(decided);
          return "decided at " + Json.shown(decided, "position", "?");
        });
  }
}
