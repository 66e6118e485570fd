package dev.holdfast.drills;

import java.util.Locale;

/**
 * One sentence that a drill holds the platform to, with what was measured. Immutable.
 *
 * @param name what is promised
 * @param measured the number found
 * @param limit the number that was promised
 * @param atMost whether more than the limit breaks it; else less does
 * @param unit of both numbers
 * @param judged whether it counts in this run: what needs a quiet machine or a long run does not
 *     count in a short one
 */
record Promise(
    String name, double measured, double limit, boolean atMost, String unit, boolean judged) {

  static Promise atMost(String name, double measured, double limit, String unit) {
    return new Promise(name, measured, limit, true, unit, true);
  }

  /** A count that has to be nothing. */
  static Promise none(String name, long measured, String unit) {
    return atMost(name, (double) measured, 0, unit);
  }

  static Promise atLeast(String name, double measured, double limit, String unit) {
    return new Promise(name, measured, limit, false, unit, true);
  }

  /** The same, counting only if the run is long enough to tell. */
  Promise judgedIf(boolean counts) {
    return new Promise(name, measured, limit, atMost, unit, counts);
  }

  boolean held() {
    return atMost ? measured <= limit : measured >= limit;
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%-6s %s: %.4g %s (promised: %s %.4g %s)%s",
        held() ? "held" : "BROKEN",
        name,
        measured,
        unit,
        atMost ? "at most" : "at least",
        limit,
        unit,
        judged ? "" : " [not judged in the short form]");
  }
}
