package dev.holdfast.drills;

import java.util.Locale;
import java.util.Map;

/**
 * On which side a drill is run: the same program with its defence switched off, which has to break
 * the promises, or on, which has to keep them. Immutable.
 */
public enum Profile {
  /** Without the defence that the drill is about. */
  NAIVE("off", "off", "0s"),
  /** As the platform is meant to run. */
  PROTECTED("enforce", "on", "60s");

  private final String admission;
  private final String retryBudget;
  private final String drainMax;

  Profile(String admission, String retryBudget, String drainMax) {
    this.admission = admission;
    this.retryBudget = retryBudget;
    this.drainMax = drainMax;
  }

  /** Its name on pages and on the command line. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Switches that exist for drills alone: the naive side has these defences off. */
  Map<String, String> without(String... defences) {
    return switch (this) {
      case NAIVE -> Map.of("HOLDFAST_DRILL_WITHOUT", String.join(",", defences));
      case PROTECTED -> Map.of();
    };
  }

  /** The switches, as the platform reads them from its environment. */
  Map<String, String> environment() {
    return Map.of(
        "HOLDFAST_EDGE_ADMISSION",
        admission,
        "HOLDFAST_EDGE_RETRY_BUDGET",
        retryBudget,
        "HOLDFAST_EDGE_DRAIN_MAX",
        drainMax);
  }
}
