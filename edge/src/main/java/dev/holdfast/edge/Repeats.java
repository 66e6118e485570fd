package dev.holdfast.edge;

import dev.holdfast.limits.Keys;

/**
 * Which requests came a moment ago. A fixed table in which the newest wins its place, so it forgets
 * sometimes and never mistakes one for another. Confined to its event loop.
 */
final class Repeats {
  private static final int PLACES = 4096;
  private static final long MOMENT_NANOS = 1_000_000_000L;

  private final long[] keys = new long[PLACES];
  private final long[] seenNanos = new long[PLACES];

  /**
   * Whether the same request came less than a second ago; remembers this one.
   *
   * @param request a key of client, method and target together
   */
  boolean repeated(long request, long now) {
    int place = (int) Keys.mix(request) & (PLACES - 1);
    boolean again = keys[place] == request && now - seenNanos[place] < MOMENT_NANOS;
    keys[place] = request;
    seenNanos[place] = now;
    return again;
  }
}
