package dev.holdfast.drills;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a drill does and promises, whatever stands between visitors and the app. */
interface Script {
  /** Name on pages and on the command line. */
  String name();

  /** The app that it needs. */
  TestApp.Capacity app();

  /** The harm, in one line. */
  String harm();

  /**
   * Whether the naive side has to break a promise; not where the defence cannot be switched off.
   */
  default boolean hasNaiveSide() {
    return true;
  }

  /**
   * Runs it.
   *
   * @throws IOException when the drill itself cannot go on
   * @throws InterruptedException when the thread is asked to end
   */
  Verdict run(Stage stage) throws IOException, InterruptedException;

  /**
   * What a script is given.
   *
   * @param time clock
   * @param profile which side is tried
   * @param pace how long
   * @param seed of everything that is left to chance
   * @param front what is under test
   * @param app behind it
   * @param timeline where harm is written down, and what else is drawn over time
   */
  record Stage(
      Time time,
      Profile profile,
      Pace pace,
      long seed,
      Front front,
      TestApp app,
      Timeline timeline) {

    Stage(Time time, Profile profile, Pace pace, long seed, Front front, TestApp app) {
      this(time, profile, pace, seed, front, app, new Timeline(time));
    }

    /** A load whose start is that of the timeline. */
    Load load() throws IOException {
      return new Load(time, seed, timeline);
    }

    /** What was found on this stage under that load. */
    Verdict verdict(Script script, Load load, List<Promise> promises, Map<String, String> numbers) {
      var said = new TreeMap<>(numbers);
      said.put("generator was late by", load.scheduleError());
      return new Verdict(
          script.name(),
          profile,
          pace,
          seed,
          script.hasNaiveSide(),
          load.lateMillis(),
          promises,
          said,
          timeline.course());
    }
  }
}
