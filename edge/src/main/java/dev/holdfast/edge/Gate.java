package dev.holdfast.edge;

import dev.holdfast.limits.RetryBudget;
import dev.holdfast.limits.WaitingRoom;
import org.jspecify.annotations.Nullable;

/**
 * One app as one event loop sees it: what all loops share, and the requests that wait here.
 * Confined to its event loop.
 */
final class Gate {
  /** What a request is taken to cost before one was measured. */
  private static final long COST_FIRST_NANOS = 1_000_000L;

  private static final int COST_SMOOTHING = 16;

  final AppState app;

  /** Those who are within their share. */
  @Nullable WaitingRoom<Waiter> room;

  /** Those who have more than their share under way already. */
  @Nullable WaitingRoom<Waiter> heavyRoom;

  /** How many its endpoints take in all, whatever was learnt. */
  int most = Integer.MAX_VALUE;

  int inFlight;
  int turn;
  boolean pumping;
  long usedNanos;
  private long meanCost = COST_FIRST_NANOS;

  Gate(AppState app, long now) {
    this.app = app;
    usedNanos = now;
  }

  /** The app's retry budget: deposit per first try, withdraw before a retry. */
  RetryBudget retries() {
    return app.retries;
  }

  /** Requests that wait here. */
  int waiting() {
    return (room == null ? 0 : room.size()) + (heavyRoom == null ? 0 : heavyRoom.size());
  }

  /** What a request of this app costs on average. */
  long meanCost() {
    return meanCost;
  }

  void costed(long cost) {
    meanCost += (cost - meanCost) / COST_SMOOTHING;
  }
}
