package dev.holdfast.edge;

import dev.holdfast.limits.Supervised;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Looks after one edge once a second, on a thread of its own: how much of the machine is used, and
 * who causes it. Thread-safe.
 */
final class Minder implements AutoCloseable {
  private static final Duration PERIOD = Duration.ofSeconds(1);

  private final Shared shared;
  private final Vitals vitals = new Vitals();
  private volatile @Nullable Supervised part;
  private boolean open = true; // of the thread

  Minder(Shared shared) {
    this.shared = shared;
  }

  /** Told whether new connections may come in; the rest waits in the kernel's queue. */
  @FunctionalInterface
  interface Door {
    void open(boolean open);
  }

  void start(Door door) {
    var begun = Supervised.virtual("edge-minder", shared.time, self -> run(self, door));
    part = begun;
    begun.start();
  }

  /** The background part, once it was started. */
  @Nullable Supervised part() {
    return part;
  }

  private void run(Supervised self, Door door) throws InterruptedException {
    while (!self.closed()) {
      look(door);
      shared.time.sleep(PERIOD);
    }
  }

  private void look(Door door) {
    shared.admission.vitals(vitals.read());
    boolean accepts = shared.admission.accepts();
    if (!accepts || !open) {
      open = accepts;
      door.open(accepts);
    }
    shared.admission.merge(shared.time.nanos(), shared.time.now());
  }

  @Override
  public void close() {
    var running = part;
    if (running != null) {
      running.close(Duration.ZERO);
    }
  }
}
