package dev.holdfast.drones;

import dev.holdfast.limits.Check;
import java.util.Objects;

/**
 * An upload that passed every check and is on disk. Immutable.
 *
 * @param sha256 its name: the SHA-256 of its bytes, 64 hexadecimal digits
 * @param bytes its size, packed
 * @param procfile what it can run
 */
public record Artifact(String sha256, long bytes, Procfile procfile) {
  /** Refuses a name that is no digest. */
  public Artifact {
    checkSha(sha256);
    Check.that(bytes >= 1, "bytes", bytes, ">= 1");
    Objects.requireNonNull(procfile, "procfile");
  }

  /** The digest itself, which makes it safe as a file name. */
  static String checkSha(String sha256) {
    boolean digest = sha256.length() == 64;
    for (int i = 0; digest && i < sha256.length(); i++) {
      char c = sha256.charAt(i);
      digest = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    }
    Check.that(digest, "artifact", sha256, "64 hexadecimal digits, lower case");
    return sha256;
  }
}
