package dev.holdfast.drills;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** {@link AnchorDrill} among the others. Immutable. */
record Anchoring() implements Drill {
  private static final int PER_SECOND = 500;
  private static final int SHORT_SECONDS = 8;
  private static final int LONG_SECONDS = 60;

  @Override
  public String name() {
    return "anchor";
  }

  @Override
  public String harm() {
    return "the process that serves is killed under 500 new connections a second";
  }

  @Override
  public Verdict run(Run run) throws IOException, InterruptedException {
    var length = Duration.ofSeconds(run.pace().isLong() ? LONG_SECONDS : SHORT_SECONDS);
    var found =
        new AnchorDrill(run.directory(), launcher(), run.time(), run.profile())
            .run(PER_SECOND, length);
    return run.verdict(
        this,
        0,
        List.of(
            Promise.none("refused connections", found.refused(), "visitors"),
            Promise.none("lost that came when nobody served", found.lostOutside(), "visitors"),
            Promise.none("answered with anything but 200", found.otherwise(), "visitors"),
            Promise.atLeast(
                "came when nobody served, and were answered",
                (double) found.waited(),
                1,
                "visitors")),
        Map.of(
            "offered", Long.toString(found.offered()),
            "answered", Long.toString(found.answered()),
            "lost inside the killed process", Long.toString(found.lostInside()),
            "nobody served for", found.away().toMillis() + " ms",
            "longest wait for an answer", found.longest().toMillis() + " ms"));
  }

  /** The script beside this program, as it is released or as it is built. */
  private static Path launcher() throws IOException {
    var program = System.getProperty("java.class.path").split(File.pathSeparator, 2)[0];
    var here = Path.of(program).toAbsolutePath();
    for (var folder = here.getParent(); folder != null; folder = folder.getParent()) {
      if (Files.isRegularFile(folder.resolve("holdfast"))) {
        return folder.resolve("holdfast");
      }
    }
    throw new IOException("no launcher lies above " + here);
  }
}
