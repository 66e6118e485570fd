package dev.holdfast.edge;

import dev.holdfast.limits.Check;

/**
 * Bounds of what the edge counts. Immutable.
 *
 * @param servicesMax services that have numbers of their own; the others share {@code _other}
 */
record MetersConfig(int servicesMax) {
  private static final int SERVICES_MAX = 100_000;

  /** Refuses what no scrape could carry. */
  public MetersConfig {
    Check.that(
        servicesMax >= 0 && servicesMax <= SERVICES_MAX,
        "servicesMax",
        servicesMax,
        "0 to " + SERVICES_MAX);
  }

  /** 500 services, which is a scrape of some megabytes when all of them have traffic. */
  public static MetersConfig defaults() {
    return new MetersConfig(500);
  }
}
