package dev.holdfast.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Unmatched;

/** {@code holdfast down}: done by the platform's own program; here it is only listed. */
@Command(name = "down", description = "End every process of a platform that is not running.")
final class Down extends Verb {
  @Unmatched List<String> rest = List.of();

  Down(Options options) {
    super(options);
  }

  @Override
  void run(Screen screen, Api api) {
    throw Refused.usage("`down` is done by the platform itself: type ./holdfast down");
  }
}
