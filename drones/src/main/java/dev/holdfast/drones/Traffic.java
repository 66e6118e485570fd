package dev.holdfast.drones;

/** What drones must know of the edges before they take something away from them. Thread-safe. */
public interface Traffic {

  /** Whether every live edge routes by that position or a later one. */
  boolean applied(long position);

  /**
   * As {@link #applied}, but of every edge that may still serve, one that was not heard of for a
   * while included: what an edge knows of an endpoint is true until it applied its removal.
   */
  default boolean forgotten(long position) {
    return applied(position);
  }

  /**
   * How many requests are under way to that endpoint. Upgraded connections do not count: they end
   * when their app ends them, which is what it is told to do next.
   */
  int inFlight(String service, String endpointId);

  /** Lets go of what is idle towards that endpoint. */
  void forget(String service, String endpointId);
}
