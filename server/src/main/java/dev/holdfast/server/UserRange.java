package dev.holdfast.server;

import dev.holdfast.limits.Check;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The user ids that the drones of one home run as when root runs the platform: a range of its own
 * for each home on the machine, since whoever shares a user id can end the other's processes. A
 * range is a file that names its home; a home keeps its range for as long as it exists.
 */
final class UserRange {
  /** Above what containers and user namespaces are given by default, below 2^31. */
  static final int FIRST = 2_000_000_000;

  /** User ids in a range: the most drones that a platform may have. */
  static final int SIZE = 10_000;

  /** Most homes on a machine. */
  static final int RANGES_MAX = 1_000;

  private UserRange() {}

  /**
   * The first user id of the home's range.
   *
   * @param registry directory that all platforms of the machine share
   * @throws IOException when the registry cannot be read or written, or every range is taken
   */
  static int of(Path home, Path registry) throws IOException {
    Files.createDirectories(registry);
    int free = -1;
    for (int range = 0; range < RANGES_MAX; range++) {
      var file = registry.resolve("users-" + range);
      if (!Files.exists(file)) {
        free = free < 0 ? range : free;
        continue;
      }
      var owner = Files.readString(file).strip();
      if (owner.equals(home.toString())) {
        return FIRST + range * SIZE;
      }
      if (!Files.isDirectory(Path.of(owner)) && free < 0) {
        Files.delete(file);
        free = range;
      }
    }
    Check.that(free >= 0, "homes on this machine", RANGES_MAX + 1, "at most " + RANGES_MAX);
    for (int range = free; range < RANGES_MAX; range++) {
      try {
        Files.writeString(
            registry.resolve("users-" + range), home + "\n", StandardOpenOption.CREATE_NEW);
        return FIRST + range * SIZE;
      } catch (FileAlreadyExistsException e) {
        // another platform was faster: the next one
      }
    }
    throw new IOException("every range of user ids in " + registry + " is taken");
  }
}
