package dev.holdfast.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Unmatched;

/** {@code holdfast drill}: the launcher starts the drills' own program; here it is only listed. */
@Command(
    name = "drill",
    description =
        "Do harm to a platform of its own and see whether it holds: drill list, drill run.")
final class Drill extends Verb {
  @Unmatched List<String> rest = List.of();

  Drill(Options options) {
    super(options);
  }

  @Override
  void run(Screen screen, Api api) {
    throw Refused.usage(
        "`drill` harms a platform that it starts itself: type ./holdfast drill list");
  }
}
