package dev.holdfast.drones;

import java.time.Duration;
import java.util.concurrent.Callable;

/** Waits on conditions, with a deadline. */
final class Until {
  private static final Duration MOST = Duration.ofSeconds(20);

  private Until() {}

  static void holds(String what, Callable<Boolean> condition) throws Exception {
    long end = System.nanoTime() + MOST.toNanos();
    while (!condition.call()) {
      if (System.nanoTime() - end > 0) {
        throw new AssertionError("not within " + MOST + ": " + what);
      }
      Thread.sleep(10);
    }
  }
}
