package dev.holdfast.drills;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Harm with a list of promises, which can be asked for by name. */
interface Drill {
  /** Name on pages and on the command line. */
  String name();

  /** The harm, in one line. */
  String harm();

  /** Whether the naive side has to break a promise; not where nothing can be switched off. */
  default boolean hasNaiveSide() {
    return true;
  }

  /**
   * Runs it on a platform of its own.
   *
   * @throws IOException when the drill itself cannot go on
   * @throws InterruptedException when the thread is asked to end
   */
  Verdict run(Run run) throws IOException, InterruptedException;

  /**
   * One run.
   *
   * @param directory an empty one that apps may enter, for everything that the run leaves
   * @param time clock
   * @param profile which side is tried
   * @param pace how long
   * @param seed of everything that is left to chance
   * @param timeline where harm is written down, and what else is drawn over time
   */
  record Run(Path directory, Time time, Profile profile, Pace pace, long seed, Timeline timeline) {

    /** What was found in this run; {@code lateMillis} is how late its load was sent. */
    Verdict verdict(
        Drill drill, double lateMillis, List<Promise> promises, Map<String, String> numbers) {
      return new Verdict(
          drill.name(),
          profile,
          pace,
          seed,
          drill.hasNaiveSide(),
          lateMillis,
          promises,
          numbers,
          timeline.course());
    }
  }
}
