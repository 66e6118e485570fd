package dev.holdfast.drills;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How a drill ended: every promise with its number, and the numbers behind them. Immutable.
 *
 * @param drill its name
 * @param profile the side that was tried
 * @param form short or long
 * @param seed that draws the same arrivals again
 * @param hasNaiveSide whether the naive profile has to break a promise
 * @param lateMillis how late the load itself was sent, at the 99th percentile
 * @param promises in the order of the drill's page
 * @param numbers what was seen, phase by phase, in words
 * @param course what happened when
 */
record Verdict(
    String drill,
    Profile profile,
    Pace form,
    long seed,
    boolean hasNaiveSide,
    double lateMillis,
    List<Promise> promises,
    Map<String, String> numbers,
    Course course) {

  /** A load that is sent later than this says more about its machine than about the platform. */
  static final double LATE_MILLIS_MAX = 25;

  Verdict {
    promises = List.copyOf(promises);
    numbers = Map.copyOf(numbers);
  }

  /** The promises that count in this run and did not hold. */
  List<Promise> broken() {
    return promises.stream().filter(promise -> promise.judged() && !promise.held()).toList();
  }

  /** Whether the machine was too busy for a broken promise to mean anything. */
  boolean isVoid() {
    return lateMillis > LATE_MILLIS_MAX;
  }

  /** Whether the run says what it has to: protected keeps every promise, naive breaks one. */
  boolean asExpected() {
    return switch (profile) {
      case NAIVE -> !hasNaiveSide || !broken().isEmpty();
      case PROTECTED -> broken().isEmpty();
    };
  }

  /** A page for people. */
  String text() {
    var page = new StringBuilder();
    page.append(drill)
        .append(", ")
        .append(profile.word())
        .append(", ")
        .append(form.word())
        .append(" form, seed ")
        .append(seed)
        .append(": ")
        .append(broken().isEmpty() ? "every promise held" : broken().size() + " promises broken")
        .append(asExpected() ? "\n" : " (NOT what this profile has to show)\n");
    if (isVoid()) {
      page.append(
          "  VOID: the load itself was %.0f ms late (at most %.0f ms may be): the machine was busy\n"
              .formatted(lateMillis, LATE_MILLIS_MAX));
    }
    promises.forEach(promise -> page.append("  ").append(promise).append('\n'));
    new TreeMap<>(numbers)
        .forEach(
            (name, said) -> page.append("  ").append(name).append(": ").append(said).append('\n'));
    return page.toString();
  }

  /** How the same run is asked for again. */
  String repeat() {
    return "./holdfast drill run %s --profile %s%s --seed %d"
        .formatted(drill, profile.word(), form.isLong() ? "" : " --short", seed);
  }
}
