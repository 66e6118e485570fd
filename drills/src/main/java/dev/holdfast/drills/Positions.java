package dev.holdfast.drills;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes down how far each process has applied the ledger, as it says itself, until it is closed.
 * One that does not answer leaves a gap. Thread-safe.
 */
final class Positions implements AutoCloseable {
  private static final String PANEL = "Ledger, applied up to position";
  private static final String BEHIND = "Ledger, entries behind whoever is first";
  private static final Duration LOOK_AGAIN = Duration.ofMillis(250);

  private final Thread thread;

  /** Begins to look at processes, by the names of their lines. */
  Positions(Time time, Timeline timeline, Map<String, Victim> victims) {
    thread =
        Thread.ofVirtual()
            .name("positions")
            .start(() -> look(time, timeline, new TreeMap<>(victims)));
  }

  private static void look(Time time, Timeline timeline, Map<String, Victim> victims) {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        var positions = new TreeMap<String, Double>();
        for (var victim : victims.entrySet()) {
          double position = position(victim.getValue());
          timeline.point(PANEL, victim.getKey(), position);
          positions.put(victim.getKey(), position);
        }
        // What stands still for some entries of thousands shows nowhere else.
        double first = positions.values().stream().filter(Double::isFinite).reduce(0.0, Math::max);
        positions.forEach((name, position) -> timeline.point(BEHIND, name, first - position));
        time.sleep(LOOK_AGAIN);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static double position(Victim victim) throws InterruptedException {
    try (var client = new Client(victim.api(), "", "")) {
      var position = client.get(Front.HEALTH).json().path("position");
      return position.isNumber() ? position.asDouble() : Double.NaN;
    } catch (IOException e) {
      return Double.NaN;
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
