package dev.holdfast.edge;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Lets the tunnels and streams of one event loop go one after the other, in random order and at
 * uneven steps: each of their clients will be back at once, here or elsewhere, and all of them
 * together would be the next outage. A loop that was held up does not catch up. Confined to its
 * event loop.
 */
final class Departures {
  private final Loop loop;
  private final List<ClientConnection> staying;
  private final long stepNanos;

  /**
   * Nobody goes yet.
   *
   * @param nanos until the last one goes
   */
  Departures(Loop loop, List<ClientConnection> staying, long nanos) {
    this.loop = loop;
    this.staying = new ArrayList<>(staying);
    stepNanos = nanos / Math.max(1, staying.size());
  }

  void start() {
    next();
  }

  private void next() {
    if (!staying.isEmpty()) {
      long step = stepNanos / 2 + (stepNanos == 0 ? 0 : loop.random().nextLong(stepNanos));
      var _ = loop.eventLoop().schedule(this::depart, step, TimeUnit.NANOSECONDS);
    }
  }

  private void depart() {
    loop.stamp();
    int any = loop.random().nextInt(staying.size());
    var last = staying.removeLast();
    var gone = any == staying.size() ? last : staying.set(any, last);
    next();
    var exchange = gone.exchange();
    if (exchange != null) {
      exchange.depart();
    }
  }
}
