package dev.holdfast.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Unmatched;

/** {@code holdfast migrate}: done by the platform's own program; here it is only listed. */
@Command(name = "migrate", description = "Move the ledger from its file to PostgreSQL.")
final class Migrate extends Verb {
  @Unmatched List<String> rest = List.of();

  Migrate(Options options) {
    super(options);
  }

  @Override
  void run(Screen screen, Api api) {
    throw Refused.usage(
        "`migrate` is done by the platform itself: type ./holdfast migrate --from sqlite:HOME --to"
            + " jdbc:postgresql://HOST/DATABASE");
  }
}
