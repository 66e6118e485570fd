package dev.holdfast.drills;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.json.JsonMapper;

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
 */
record Verdict(
    String drill,
    Profile profile,
    Pace form,
    long seed,
    boolean hasNaiveSide,
    double lateMillis,
    List<Promise> promises,
    Map<String, String> numbers) {

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
        .append(profile)
        .append(", ")
        .append(form)
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

  /** The same for programs. */
  String json() {
    var mapper = JsonMapper.shared();
    var out = mapper.createObjectNode();
    out.put("drill", drill).put("profile", profile.name()).put("form", form.name());
    out.put("seed", seed).put("held", broken().isEmpty()).put("asExpected", asExpected());
    out.put("lateMillis", lateMillis).put("void", isVoid());
    var all = out.putArray("promises");
    for (var promise : promises) {
      all.addObject()
          .put("name", promise.name())
          .put("measured", promise.measured())
          .put("limit", promise.limit())
          .put("atMost", promise.atMost())
          .put("unit", promise.unit())
          .put("judged", promise.judged())
          .put("held", promise.held());
    }
    var said = out.putObject("numbers");
    new TreeMap<>(numbers).forEach(said::put);
    return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(out);
  }

  /** Writes both pages into a directory. */
  void write(Path directory) throws IOException {
    Files.createDirectories(directory);
    var name = drill + "-" + profile.name().toLowerCase(Locale.ROOT);
    Files.writeString(directory.resolve(name + ".txt"), text());
    Files.writeString(directory.resolve(name + ".json"), json() + "\n");
  }
}
