package dev.holdfast.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Unmatched;

/** {@code holdfast restore}: done by the platform's own program; here it is only listed. */
@Command(name = "restore", description = "Make a platform's folder from a backup.")
final class Restore extends Verb {
  @Unmatched List<String> rest = List.of();

  Restore(Options options) {
    super(options);
  }

  @Override
  void run(Screen screen, Api api) {
    throw Refused.usage("`restore` is done by the platform itself: type ./holdfast restore FILE");
  }
}
