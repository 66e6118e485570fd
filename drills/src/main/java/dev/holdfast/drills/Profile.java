package dev.holdfast.drills;

import java.util.Map;

/**
 * On which side a drill is run: the same program with its defence switched off, which has to break
 * the promises, or on, which has to keep them. Immutable.
 */
public enum Profile {
  /** Without the defence that the drill is about. */
  NAIVE(Map.of("HOLDFAST_EDGE_ADMISSION", "off", "HOLDFAST_EDGE_RETRY_BUDGET", "off")),
  /** As the platform is meant to run. */
  PROTECTED(Map.of("HOLDFAST_EDGE_ADMISSION", "enforce", "HOLDFAST_EDGE_RETRY_BUDGET", "on"));

  private final Map<String, String> environment;

  Profile(Map<String, String> environment) {
    this.environment = environment;
  }

  /** The switches, as the platform reads them from its environment. */
  Map<String, String> environment() {
    return environment;
  }
}
