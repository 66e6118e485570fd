package dev.holdfast.cli;

import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.ZoneId;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What surrounds one run of the command. Immutable.
 *
 * @param terminal whether a person reads {@code out} on a screen
 * @param folder the current directory
 * @param userHome where {@code .holdfast} stands unless told otherwise
 */
record Shell(
    PrintStream out,
    PrintStream err,
    InputStream in,
    Map<String, String> env,
    Path folder,
    Path userHome,
    boolean terminal,
    ZoneId zone,
    Pace pace,
    Programs programs) {

  /** The value of an environment variable, or null when it is unset or empty. */
  @Nullable String env(String name) {
    var value = env.get(name);
    return value == null || value.isEmpty() ? null : value;
  }
}
