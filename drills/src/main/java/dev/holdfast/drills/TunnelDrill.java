package dev.holdfast.drills;

import dev.holdfast.limits.Deadline;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Thousands of idle WebSockets: what one costs the platform's memory, and how fast they are let go
 * when it ends, since all of them will be back at once. The memory is the difference in resident
 * size between few tunnels and many, after a full collection each time, in a heap that gives back
 * what it does not use. Immutable.
 */
final class TunnelDrill implements Drill {
  static final String NAME = "tunnels";
  private static final String TRACK = "tunnels";
  private static final int SHORT_TUNNELS = 600;
  private static final int LONG_TUNNELS = 8_000;
  private static final int WARM_UP_TUNNELS = 200;
  private static final int SHORT_FIRST_TUNNELS = 100;
  private static final double KIB_EACH = 8;
  private static final int ENDED_PER_SECOND = 300;
  private static final double JITTER = 1.2;
  private static final Duration END_WAIT = Duration.ofMinutes(5);
  private static final Duration SETTLE = Duration.ofSeconds(1);
  private static final Duration SHORT_END_WAIT = Duration.ofSeconds(30);

  /** A heap that follows what is live, so that the resident size tells. */
  private static final List<String> FLAGS =
      List.of("-Xmx256m", "-Xmn16m", "-XX:MinHeapFreeRatio=5", "-XX:MaxHeapFreeRatio=10");

  private static final Duration LOOK_AGAIN = Duration.ofMillis(10);
  private static final int LOOKS_PER_POINT = 10;

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String harm() {
    return "thousands of idle WebSockets, then the platform ends";
  }

  @Override
  public Verdict run(Run run) throws IOException, InterruptedException {
    var time = run.time();
    var pace = run.pace();
    int count = pace.isLong() ? LONG_TUNNELS : SHORT_TUNNELS;
    int first = pace.isLong() ? WARM_UP_TUNNELS : SHORT_FIRST_TUNNELS;
    try (var app = new AppProcess();
        var scene = new Scene(run.directory(), time, run.profile(), FLAGS, app.address());
        var tunnels = new Tunnels(time)) {
      var to = scene.front().visitors();
      try (var warmUp = new Tunnels(time)) {
        warmUp.open(to, WARM_UP_TUNNELS);
      }
      run.timeline().begin(time.nanos());
      run.timeline().point(TRACK, "open", 0);
      tunnels.open(to, first);
      run.timeline().point(TRACK, "open", tunnels.open());
      time.sleep(SETTLE);
      long few = scene.residentKib();
      tunnels.open(to, count - first);
      time.sleep(SETTLE);
      long many = scene.residentKib();
      int held = tunnels.open();
      run.timeline().point(TRACK, "open", held);
      double each = (double) (many - few) / Math.max(1, held - first);
      long asked = time.nanos();
      var process = scene.end();
      var deadline = Deadline.after(time, pace.isLong() ? END_WAIT : SHORT_END_WAIT);
      try (var _ = run.timeline().harm("the platform ends")) {
        for (int i = 0; tunnels.ended() < held && !deadline.passed() && process.isAlive(); i++) {
          if (i % LOOKS_PER_POINT == 0) {
            run.timeline().point(TRACK, "open", held - tunnels.ended());
          }
          time.sleep(LOOK_AGAIN);
        }
      }
      run.timeline().point(TRACK, "open", held - tunnels.ended());
      time.sleep(SETTLE);
      double took = (time.nanos() - asked) / 1e9;
      var promises = new ArrayList<Promise>();
      promises.add(Promise.atLeast("tunnels held", held, count, "tunnels"));
      promises.add(
          Promise.atMost("memory of an idle tunnel", each, KIB_EACH, "KiB")
              .judgedIf(pace.isLong()));
      promises.add(
          Promise.atMost(
              "tunnels ended in the busiest second",
              tunnels.busiestSecond(),
              Math.max(ENDED_PER_SECOND, LONG_TUNNELS / 100) * JITTER,
              "tunnels"));
      promises.add(Promise.atLeast("tunnels ended in the end", tunnels.ended(), held, "tunnels"));
      return run.verdict(
          this,
          0, // tunnels lie idle: nothing is due at a time
          promises,
          Map.of(
              "resident", "%d KiB with %d, %d KiB with %d".formatted(few, first, many, held),
              "refused", tunnels.refusal().isEmpty() ? "none" : tunnels.refusal(),
              "drain", "%.1f s, %s".formatted(took, tunnels.ends())));
    }
  }
}
