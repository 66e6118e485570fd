package dev.holdfast.drills;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All drills, and how one of them is run in a directory that is gone afterwards. */
final class Drills {
  /** In the order in which they are listed. */
  static final List<Drill> ALL =
      List.of(
          new Scripted(new OverloadDrill()),
          new Scripted(new HeavyClientDrill()),
          new Scripted(new BrownOutDrill()),
          new Scripted(new AttackDrill()),
          new TunnelDrill(),
          new Anchoring(),
          new Killing(),
          new HeadlessDrill(),
          new SupervisorDrill(),
          new PoisonDrill(),
          new CollisionDrill(),
          new DriftDrill(),
          new ReplayDrill());

  private Drills() {}

  /** The drill of that name, or null. */
  static @Nullable Drill named(String name) {
    return ALL.stream().filter(drill -> drill.name().equals(name)).findFirst().orElse(null);
  }

  /** Runs a drill in a directory of its own, which is removed when it has ended. */
  static Verdict run(Drill drill, Profile profile, Pace pace, long seed)
      throws IOException, InterruptedException {
    var time = Time.system();
    var directory = Files.createTempDirectory("holdfast-drill");
    try {
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
      return drill.run(new Drill.Run(directory, time, profile, pace, seed, new Timeline(time)));
    } finally {
      delete(directory);
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
