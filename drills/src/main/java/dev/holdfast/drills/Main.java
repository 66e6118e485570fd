package dev.holdfast.drills;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;

/**
 * Lists drills and runs them by name: {@code drill list}, {@code drill run NAME...}. Exits with 0
 * when every promise held (with both profiles: when naive broke one, too), 1 when one was broken, 2
 * when it was not understood, 3 when a drill could not be run or the machine was too busy for its
 * numbers to mean anything.
 */
public final class Main {
  private static final int HELD = 0;
  private static final int BROKEN = 1;
  private static final int USAGE = 2;
  private static final int NOTHING_SAID = 3;
  private static final String ALL = "all";
  private static final String HELP =
      """
      Usage: holdfast drill list
             holdfast drill run NAME... [--profile naive|protected|both] [--short] [--seed N]
                                        [--report DIR]

        NAME...          drills of the list, or all
        --profile P      protected (default): as the platform is meant to run, which has to keep
                         every promise; naive: the same without the defence that the drill is about,
                         which has to break one; both: one after the other
        --short          less than a minute each; judges what a busy machine can keep
        --seed N         draws the same arrivals again (default 1)
        --report DIR     where the HTML and the JSON of each run go (default drill-reports)

      Exit codes: 0 every promise held (with both: and naive broke one), 1 one was broken,
      2 not understood, 3 a drill could not be run, or the machine was too busy to tell.
      """;

  private Main() {}

  /** What the command line asks for. */
  private record Options(
      List<Drill> drills, List<Profile> profiles, Pace pace, long seed, Path report) {}

  /** Does what is asked for and ends the process with its exit code. */
  public static void main(String[] arguments) throws InterruptedException {
    System.exit(run(System.out, System.err, arguments));
  }

  /** The same without the end of the process. */
  static int run(PrintStream out, PrintStream err, String... arguments)
      throws InterruptedException {
    var words = new ArrayList<>(Arrays.asList(arguments));
    words.remove("drill");
    if (words.isEmpty() || words.contains("--help") || words.contains("-h")) {
      out.print(HELP);
      return words.isEmpty() ? USAGE : HELD;
    }
    var verb = words.removeFirst();
    if (verb.equals("run")) {
      Options options;
      try {
        options = options(words);
      } catch (IllegalArgumentException e) {
        return misunderstood(err, String.valueOf(e.getMessage()));
      }
      return run(out, err, options);
    }
    if (!verb.equals("list")) {
      return misunderstood(err, "drill wants a word: list or run");
    }
    if (!words.isEmpty()) {
      return misunderstood(err, words.getFirst() + ": not understood after list");
    }
    list(out);
    return HELD;
  }

  private static int misunderstood(PrintStream err, String why) {
    err.println(" !    " + why);
    err.println(" !    See: holdfast drill --help");
    return USAGE;
  }

  private static void list(PrintStream out) {
    int width = Drills.ALL.stream().mapToInt(drill -> drill.name().length()).max().orElse(0);
    for (var drill : Drills.ALL) {
      out.println(
          drill.name()
              + " ".repeat(width - drill.name().length() + 2)
              + drill.harm()
              + (drill.hasNaiveSide() ? "" : " (no naive side)"));
    }
  }

  private static int run(PrintStream out, PrintStream err, Options options)
      throws InterruptedException {
    boolean both = options.profiles.size() > 1;
    int code = HELD;
    for (var drill : options.drills) {
      for (var profile : options.profiles) {
        try {
          out.println(drill.name() + ", " + profile.word() + ": " + drill.harm() + " ...");
          var verdict = Drills.run(drill, profile, options.pace, options.seed);
          var page = new Report(drill, verdict).write(options.report);
          out.print(verdict.text());
          out.println("  report: " + page);
          out.println();
          boolean well = both ? verdict.asExpected() : verdict.broken().isEmpty();
          code = Math.max(code, well ? HELD : verdict.isVoid() ? NOTHING_SAID : BROKEN);
        } catch (IOException | RuntimeException e) {
          err.println(" !    " + drill.name() + " could not be run: " + e);
          code = NOTHING_SAID;
        }
      }
    }
    return code;
  }

  private static Options options(List<String> words) {
    var drills = new ArrayList<Drill>();
    var profiles = List.of(Profile.PROTECTED);
    var pace = Pace.LONG;
    long seed = 1;
    var report = Path.of("drill-reports");
    for (var left = words.iterator(); left.hasNext(); ) {
      var word = left.next();
      switch (word) {
        case "--short" -> pace = Pace.SHORT;
        case "--profile" -> profiles = profiles(value(word, left));
        case "--seed" -> seed = seed(value(word, left));
        case "--report" -> report = Path.of(value(word, left));
        default -> drills.addAll(drills(word));
      }
    }
    if (drills.isEmpty()) {
      throw new IllegalArgumentException("no drill is named; see: holdfast drill list");
    }
    return new Options(List.copyOf(drills), profiles, pace, seed, report);
  }

  private static String value(String option, Iterator<String> left) {
    if (!left.hasNext()) {
      throw new IllegalArgumentException(option + " needs a value");
    }
    return left.next();
  }

  private static List<Profile> profiles(String word) {
    return switch (word) {
      case "naive" -> List.of(Profile.NAIVE);
      case "protected" -> List.of(Profile.PROTECTED);
      case "both" -> List.of(Profile.NAIVE, Profile.PROTECTED);
      default ->
          throw new IllegalArgumentException(
              "--profile: " + word + " (expected: naive, protected or both)");
    };
  }

  private static long seed(String word) {
    try {
      return Long.parseLong(word);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("--seed: " + word + " (expected: a whole number)", e);
    }
  }

  private static List<Drill> drills(String word) {
    if (word.equals(ALL)) {
      return Drills.ALL;
    }
    var drill = Drills.named(word);
    if (drill == null) {
      throw new IllegalArgumentException(
          word
              + (word.startsWith("-") ? " is not an option" : " is not a drill")
              + "; see: holdfast drill "
              + (word.startsWith("-") ? "--help" : "list"));
    }
    return List.of(drill);
  }
}
