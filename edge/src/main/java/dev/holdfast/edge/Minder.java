package dev.holdfast.edge;

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
  private volatile @Nullable Thread thread;
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
    thread = Thread.ofVirtual().name("edge-minder").start(() -> run(door));
  }

  private void run(Door door) {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        try {
          look(door);
        } catch (RuntimeException e) {
          Shared.bug("the edge could not be looked after", e);
        }
        shared.time.sleep(PERIOD);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // this is how it ends
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
    var running = thread;
    if (running != null) {
      running.interrupt();
    }
  }
}
