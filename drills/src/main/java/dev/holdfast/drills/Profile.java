package dev.holdfast.drills;

import java.util.Map;

/**
 * On which side a drill is run: the same program with its defence switched off, which has to break
 * the promises, or on, which has to keep them. Immutable.
 */
public enum Profile {
  /** Without the defence that the drill is about. */
  NAIVE("off", "off"),
  /** As the platform is meant to run. */
  PROTECTED("enforce", "on");

  private final String admission;
  private final String retryBudget;

  Profile(String admission, String retryBudget) {
    this.admission = admission;
    this.retryBudget = retryBudget;
  }

  /** The switches, as the platform reads them from its environment. */
  Map<String, String> environment() {
    return Map.of("HOLDFAST_EDGE_ADMISSION", admission, "HOLDFAST_EDGE_RETRY_BUDGET", retryBudget);
  }
}
