package dev.holdfast.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Unmatched;

/** {@code holdfast up}: the launcher starts the platform's own program; here it is only listed. */
@Command(name = "up", description = "Start the platform; it runs until it is told to end.")
final class Up extends Verb {
  @Unmatched List<String> rest = List.of();

  Up(Options options) {
    super(options);
  }

  @Override
  void run(Screen screen, Api api) {
    throw Refused.usage("`up` starts the platform itself: type ./holdfast up");
  }
}
