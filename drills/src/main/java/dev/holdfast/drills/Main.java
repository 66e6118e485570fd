package dev.holdfast.drills;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * Runs drills by name: {@code Main NAME... [--profile naive|protected] [--form short|long] [--seed
 * N] [--out DIR]}. Exits with 0 when each run showed what its profile has to show, 1 when one did
 * not, 2 when it was called wrongly.
 */
public final class Main {
  private static final List<Script> SCRIPTS =
      List.of(new OverloadDrill(), new HeavyClientDrill(), new BrownOutDrill(), new AttackDrill());
  private static final String USAGE =
      """
      usage: drills NAME... [--profile naive|protected|both] [--form short|long] [--seed N]
                            [--out DIR]
      names: all, %s, %s
      """
          .formatted(
              String.join(", ", SCRIPTS.stream().map(Script::name).toList()), TunnelDrill.NAME);

  private Main() {}

  /** What the command line asks for. */
  private static final class Options {
    final List<String> names = new ArrayList<>();
    List<Profile> profiles = List.of(Profile.NAIVE, Profile.PROTECTED);
    Pace pace = Pace.LONG;
    long seed = 1;
    Path out = Path.of("drill-results");
  }

  /** Runs the drills that are named. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    Options options;
    try {
      options = read(arguments);
    } catch (IllegalArgumentException e) {
      System.err.print(e.getMessage() + "\n" + USAGE);
      System.exit(2);
      return;
    }
    boolean asExpected = true;
    for (var name : options.names) {
      for (var profile : options.profiles) {
        var directory = Files.createTempDirectory("holdfast-drill");
        try {
          Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
          var verdict = run(name, directory, Time.system(), profile, options.pace, options.seed);
          System.out.println(verdict.text());
          verdict.write(options.out);
          asExpected &= verdict.asExpected();
        } finally {
          delete(directory);
        }
      }
    }
    System.exit(asExpected ? 0 : 1);
  }

  /** One drill against a platform of its own. */
  static Verdict run(String name, Path directory, Time time, Profile profile, Pace pace, long seed)
      throws IOException, InterruptedException {
    if (name.equals(TunnelDrill.NAME)) {
      return new TunnelDrill(directory, time, profile, pace).run();
    }
    var script = script(name);
    try (var app = new TestApp(time, script.app(), 0);
        var scene = new Scene(directory, time, profile, app.address())) {
      return script.run(new Script.Stage(time, profile, pace, seed, scene.front(), app));
    }
  }

  private static Script script(String name) {
    return SCRIPTS.stream()
        .filter(script -> script.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no drill is called " + name));
  }

  private static Options read(String[] arguments) {
    var options = new Options();
    for (int i = 0; i < arguments.length; i++) {
      var word = arguments[i];
      if (!word.startsWith("--")) {
        add(options.names, word);
        continue;
      }
      if (++i == arguments.length) {
        throw new IllegalArgumentException(word + " needs a value");
      }
      var value = arguments[i];
      switch (word) {
        case "--profile" ->
            options.profiles =
                value.equals("both")
                    ? List.of(Profile.NAIVE, Profile.PROTECTED)
                    : List.of(Profile.valueOf(value.toUpperCase(Locale.ROOT)));
        case "--form" -> options.pace = Pace.valueOf(value.toUpperCase(Locale.ROOT));
        case "--seed" -> options.seed = Long.parseLong(value);
        case "--out" -> options.out = Path.of(value);
        default -> throw new IllegalArgumentException("unknown option " + word);
      }
    }
    if (options.names.isEmpty()) {
      throw new IllegalArgumentException("no drill is named");
    }
    return options;
  }

  private static void add(List<String> names, String word) {
    if (word.equals("all")) {
      SCRIPTS.forEach(script -> names.add(script.name()));
      names.add(TunnelDrill.NAME);
    } else {
      if (!word.equals(TunnelDrill.NAME)) {
        script(word);
      }
      names.add(word);
    }
  }

  private static void delete(Path directory) throws IOException {
    try (var files = Files.walk(directory)) {
      for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
