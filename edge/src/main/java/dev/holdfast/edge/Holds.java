package dev.holdfast.edge;

import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The requests of one event loop that wait for an app to come up. One glance at the routing every
 * few milliseconds serves all of them, and only a routing that changed costs more. Confined to its
 * event loop.
 */
final class Holds {
  private static final Duration GLANCE = Duration.ofMillis(20);

  private final Loop loop;
  private final Set<Exchange> held = new LinkedHashSet<>();
  private @Nullable Routing seen;
  private boolean glancing;

  Holds(Loop loop) {
    this.loop = loop;
  }

  /** Holds the request, or answers false when enough are held. */
  boolean add(Exchange exchange) {
    var shared = loop.shared();
    if (shared.waiting.incrementAndGet() > shared.config.waitingMax()) {
      shared.waiting.decrementAndGet();
      return false;
    }
    held.add(exchange);
    seen = null;
    glanceLater();
    return true;
  }

  void remove(Exchange exchange) {
    if (!held.isEmpty() && held.remove(exchange)) {
      loop.shared().waiting.decrementAndGet();
    }
  }

  private void glanceLater() {
    if (!glancing) {
      glancing = true;
      var _ = loop.eventLoop().schedule(this::glance, GLANCE.toNanos(), TimeUnit.NANOSECONDS);
    }
  }

  @SuppressWarnings("ReferenceEquality") // a view is published by replacing it
  private void glance() {
    glancing = false;
    var now = loop.shared().view.get();
    if (now != seen) {
      seen = now;
      for (var exchange : List.copyOf(held)) {
        exchange.reach().chooseAgain();
      }
    }
    if (!held.isEmpty()) {
      glanceLater();
    }
  }
}
