package dev.holdfast.drones;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What the machine shows of an instance at this moment. Immutable.
 *
 * @param startedAt when its process was started, or null when it was not yet
 * @param ending how it ended, or null while it lives
 * @param answers whether it listens on its own port and passes the health check
 * @param foreign whether somebody else listens on its port
 * @param quiet whether no edge sends it anything and nothing is under way
 */
record Observed(
    @Nullable Instant startedAt,
    @Nullable Ending ending,
    boolean answers,
    boolean foreign,
    boolean quiet) {
  /** Placed, and nothing seen yet. */
  static final Observed NOTHING = new Observed(null, null, false, false, false);

  /** Whether its process was started. */
  boolean launched() {
    return startedAt != null;
  }

  /** How an instance ended. */
  record Ending(How how, String text) {}

  /** Whose doing the end was. */
  enum How {
    /** It ended by itself with status 0. */
    CLEAN,
    /** It ended by itself with another status, by a signal, or could not be started. */
    FAILED,
    /** It went away with the machine or the platform, or was never started: nobody's fault. */
    GONE
  }
}
