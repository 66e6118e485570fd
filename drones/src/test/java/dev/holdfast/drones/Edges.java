package dev.holdfast.drones;

import java.util.concurrent.atomic.AtomicInteger;

/** Edges that have applied everything up to a position, with so many requests under way. */
final class Edges implements Traffic {
  volatile long applied = Long.MAX_VALUE;
  volatile int inFlight;
  final AtomicInteger asked = new AtomicInteger();

  @Override
  public boolean applied(long position) {
    asked.incrementAndGet();
    return position <= applied;
  }

  @Override
  public int inFlight(String service, String endpointId) {
    return inFlight;
  }

  @Override
  public void forget(String service, String endpointId) {}

  /** Several looks later, what was to happen would have. */
  void askedAgain() throws Exception {
    int before = asked.get();
    Until.holds("edges asked again", () -> asked.get() >= before + 5);
  }
}
