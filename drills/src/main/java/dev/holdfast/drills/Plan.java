package dev.holdfast.drills;

import java.time.Duration;
import java.util.List;

/**
 * Visits that were written down before: when, on which connection, what, and how patient.
 * Immutable.
 *
 * @param connections how many connections the visits are spread over, numbered from 0
 * @param visits in order of time
 */
record Plan(int connections, List<Visit> visits) {
  /** How often a slow reader looks. */
  static final Duration LOOK = Duration.ofMillis(20);

  Plan {
    visits = List.copyOf(visits);
  }

  /**
   * One request.
   *
   * @param dueNanos after the start of the load
   * @param connection that carries it, or a new one when that is still busy
   * @param request all of its bytes
   * @param patience after which the visitor goes away
   * @param bytesPerSecond how fast the answer is read; 0 is as fast as it comes
   * @param resets whether the connection is reset when patience ends, and not ended in order
   * @param last whether the connection ends after it
   */
  @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
  record Visit(
      long dueNanos,
      int connection,
      byte[] request,
      Duration patience,
      long bytesPerSecond,
      boolean resets,
      boolean last) {

    /** What a reader of that speed takes each time it looks. */
    int bytesPerLook(int most) {
      return bytesPerSecond == 0
          ? most
          : Math.clamp(bytesPerSecond * LOOK.toMillis() / 1000, 1, most);
    }
  }

  /** When the last visit is due, in seconds. */
  double seconds() {
    return visits.isEmpty() ? 0 : visits.getLast().dueNanos() / 1e9;
  }
}
