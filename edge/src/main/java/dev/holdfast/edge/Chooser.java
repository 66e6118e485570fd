package dev.holdfast.edge;

import dev.holdfast.ledger.Endpoint;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Which endpoint gets a request: of two taken by chance the one with less under way (Mitzenmacher,
 * "The Power of Two Choices in Randomized Load Balancing", 1996), which spreads nearly as well as
 * the least loaded of all and never sends a whole crowd to the same one. Stateless.
 */
final class Chooser {
  /** No endpoint takes requests; see {@link #refusal}. */
  static final int NONE = -1;

  /** Every endpoint has as much under way as it may. */
  static final int FULL = -2;

  private Chooser() {}

  /** The index of an endpoint of the place, or a negative sign. */
  static int choose(
      Place place, @Nullable Set<String> tried, int perEndpointMax, RandomGenerator random, long now) {
    int size = place.size();
    if (size == 1 && tried == null) {
      return fits(place, 0, perEndpointMax) ? 0 : FULL;
    }
    int best = NONE;
    int open = 0;
    for (int pass = 0; pass < 2 && best == NONE; pass++) {
      // Avoiding is a preference: the last one left is tried however it behaved.
      boolean picky = pass == 0;
      open = candidates(place, tried, picky, now);
      if (open > 0) {
        best = pick(place, tried, picky, open, random, now);
      }
    }
    if (best == NONE || fits(place, best, perEndpointMax)) {
      return best;
    }
    for (int i = 0; i < size; i++) {
      if (candidate(place, i, tried, false, now) && fits(place, i, perEndpointMax)) {
        return i;
      }
    }
    return FULL;
  }

  /** Whether an endpoint is left that was not tried. */
  static boolean others(Place place, Set<String> tried) {
    return candidates(place, tried, false, 0) > 0;
  }

  /** Why a service takes no requests whatever runs, or null. */
  static @Nullable Code closed(Place place) {
    var service = place.service();
    if (service == null || !service.released()) {
      return Code.H81;
    }
    return service.instances() == 0 ? Code.H14 : null;
  }

  /** Why a place without an endpoint that is up refuses; null when the request may wait for one. */
  static @Nullable Code refusal(Place place) {
    boolean crashed = false;
    for (var endpoint : place.endpoints()) {
      if (endpoint.state() == Endpoint.State.STARTING) {
        return null;
      }
      crashed |= endpoint.state() == Endpoint.State.CRASHED;
    }
    return crashed ? Code.H10 : null;
  }

  private static int pick(
      Place place,
      @Nullable Set<String> tried,
      boolean picky,
      int open,
      RandomGenerator random,
      long now) {
    int first = nth(place, tried, picky, random.nextInt(open), now);
    if (open == 1) {
      return first;
    }
    int other = random.nextInt(open - 1);
    int second = nth(place, tried, picky, other, now);
    if (second >= first) {
      second = nth(place, tried, picky, other + 1, now);
    }
    return place.gauge(second).inFlight() < place.gauge(first).inFlight() ? second : first;
  }

  private static int nth(
      Place place, @Nullable Set<String> tried, boolean picky, int nth, long now) {
    int left = nth;
    for (int i = 0; i < place.size(); i++) {
      if (candidate(place, i, tried, picky, now) && left-- == 0) {
        return i;
      }
    }
    return NONE;
  }

  private static int candidates(
      Place place, @Nullable Set<String> tried, boolean picky, long now) {
    int count = 0;
    for (int i = 0; i < place.size(); i++) {
      count += candidate(place, i, tried, picky, now) ? 1 : 0;
    }
    return count;
  }

  private static boolean candidate(
      Place place, int i, @Nullable Set<String> tried, boolean picky, long now) {
    var gauge = place.gauge(i);
    return (tried == null || !tried.contains(gauge.target.id())) && !(picky && gauge.avoided(now));
  }

  private static boolean fits(Place place, int i, int max) {
    return place.gauge(i).requests() < max;
  }
}
