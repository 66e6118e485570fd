package dev.holdfast.drones;

import dev.holdfast.ledger.HostName;
import dev.holdfast.limits.Check;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Everything that has to be known to start one process of an app on one drone. Immutable.
 *
 * @param runId drone and lease epoch, such as {@code d7-12}; never used twice
 * @param droneNumber number of the drone on this machine, which decides its user
 * @param artifact SHA-256 of the upload to run
 * @param command command line for {@code sh -c}
 * @param config the app's own variables; what the platform sets itself wins over them
 * @param port port to listen on, or null for a process that nobody connects to
 * @param process name such as {@code web.1}
 * @param app name of the app
 * @param release number of the release
 */
public record LaunchSpec(
    String runId,
    int droneNumber,
    String artifact,
    String command,
    Map<String, String> config,
    @Nullable Integer port,
    String process,
    String app,
    int release) {
  /** Most drones of one machine; each has a user of its own. */
  public static final int DRONES_MAX = 30_000;

  /** Most variables. */
  public static final int CONFIG_MAX = 1000;

  /** Most bytes of all names and values together; the kernel passes twice that with ease. */
  public static final int CONFIG_BYTES_MAX = 64 * 1024;

  /** Most bytes of one value; written in octal it must fit into one kernel string of 128 KiB. */
  public static final int VALUE_BYTES_MAX = 24 * 1024;

  private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,254}");
  private static final Pattern PROCESS = Pattern.compile("[a-z0-9][a-z0-9.-]{0,99}");

  /** Refuses what a kernel, a shell or a path could misunderstand. */
  public LaunchSpec {
    HostName.label("run id", runId);
    Check.that(droneNumber >= 0 && droneNumber < DRONES_MAX, "drone", droneNumber, "0 to 29999");
    Artifact.checkSha(artifact);
    Check.that(
        Procfile.runnable(command),
        "command",
        command,
        "a command of at most " + Procfile.COMMAND_BYTES_MAX + " bytes");
    Check.that(config.size() <= CONFIG_MAX, "config", config.size(), "at most " + CONFIG_MAX);
    long total = 0;
    for (var entry : config.entrySet()) {
      Check.that(
          NAME.matcher(entry.getKey()).matches(),
          "config name",
          entry.getKey(),
          "a letter or _, then letters, digits or _");
      Check.that(
          entry.getValue().indexOf(0) < 0 && bytes(entry.getValue()) <= VALUE_BYTES_MAX,
          "config " + entry.getKey(),
          bytes(entry.getValue()) + " bytes", // never the value: it may be a secret
          "text without NUL of at most " + VALUE_BYTES_MAX + " bytes");
      total += bytes(entry.getKey()) + bytes(entry.getValue());
    }
    Check.that(total <= CONFIG_BYTES_MAX, "config bytes", total, "at most " + CONFIG_BYTES_MAX);
    config = Collections.unmodifiableMap(new TreeMap<>(config));
    if (port != null) {
      Check.that(port >= 1 && port <= 65535, "port", port, "1 to 65535");
    }
    Check.that(PROCESS.matcher(process).matches(), "process", process, "a name such as web.1");
    HostName.label("app", app);
    Check.that(release >= 1, "release", release, ">= 1");
  }

  private static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}
