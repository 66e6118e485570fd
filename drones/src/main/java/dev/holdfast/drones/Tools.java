package dev.holdfast.drones;

import dev.holdfast.limits.Check;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where this machine keeps the few programs that a run is made of. They are named by absolute path
 * everywhere, so that no app's PATH can put one of its own in their place. Immutable.
 *
 * @param setpriv null exactly when no privileges are dropped
 */
record Tools(
    Path sh,
    Path setsid,
    Path dd,
    Path mkfifo,
    Path ln,
    Path mv,
    Path rm,
    Path sleep,
    @Nullable Path setpriv) {
  static final String SANE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  private static final List<Path> PLACES =
      List.of(Path.of("/usr/bin"), Path.of("/bin"), Path.of("/usr/sbin"), Path.of("/sbin"));

  /**
   * Finds them.
   *
   * @throws IllegalStateException naming the one that is missing
   */
  static Tools find(boolean dropPrivileges) {
    return new Tools(
        find("sh"),
        find("setsid"),
        find("dd"),
        find("mkfifo"),
        find("ln"),
        find("mv"),
        find("rm"),
        find("sleep"),
        dropPrivileges ? find("setpriv") : null);
  }

  private static Path find(String name) {
    for (var place : PLACES) {
      if (Files.isExecutable(place.resolve(name))) {
        return place.resolve(name);
      }
    }
    throw new IllegalStateException(
        Check.message("program " + name, "not found in " + PLACES, "util-linux and coreutils"));
  }
}
