package dev.holdfast.server;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.KnownRod;
import dev.holdfast.limits.Rod;
import java.util.HashMap;
import java.util.Map;

/**
 * What control rods did on one node or on several, each since its process began. Immutable.
 *
 * @param rods what those of the ledger did, by key
 * @param totals what all of a name did, by name
 */
@JsonIgnoreProperties(ignoreUnknown = true) // of an edge that is newer
record RodFelt(Map<String, Long> rods, Map<String, Long> totals) {
  /** Nothing. */
  static final RodFelt NONE = new RodFelt(Map.of(), Map.of());

  private static final int TOTALS_MAX = 100;

  RodFelt {
    Check.that(
        rods.size() <= RodLedger.RODS_MAX, "rods", rods.size(), "at most " + RodLedger.RODS_MAX);
    Check.that(totals.size() <= TOTALS_MAX, "totals", totals.size(), "at most " + TOTALS_MAX);
    rods = Map.copyOf(rods);
    totals = Map.copyOf(totals);
  }

  /** Both together; of more rods than there may be, those that are known longer. */
  RodFelt plus(RodFelt other) {
    return new RodFelt(
        sum(rods, other.rods, RodLedger.RODS_MAX), sum(totals, other.totals, TOTALS_MAX));
  }

  private static Map<String, Long> sum(Map<String, Long> some, Map<String, Long> more, int max) {
    var sum = new HashMap<>(some);
    more.forEach((name, count) -> {
      if (sum.size() < max || sum.containsKey(name)) {
        sum.merge(name, count, Long::sum);
      }
    });
    return sum;
  }

  /** What that rod did, if it stands in the ledger. */
  long of(Rod rod) {
    return rod.source() == Rod.Source.OPERATOR ? rods.getOrDefault(rod.key(), 0L) : 0;
  }

  /** What all rods of that name did. */
  long total(KnownRod known) {
    return totals.getOrDefault(known.word(), 0L);
  }
}
