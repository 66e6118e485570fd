package dev.holdfast.edge;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What one event loop has between its accepts and its client connections. Confined to it. */
final class Porch {
  private final Front front;
  private final Loop loop;
  private final Set<Guest> guests = new HashSet<>();

  Porch(Front front, Loop loop) {
    this.front = front;
    this.loop = loop;
  }

  Front front() {
    return front;
  }

  Loop loop() {
    return loop;
  }

  /** Whether one more connection may be here; if so it counts from now on. */
  boolean enter(Guest guest) {
    var shared = loop.shared();
    if (shared.connections.incrementAndGet() > shared.config.connectionsMax()
        && !loop.quiet().makeRoom()) {
      shared.connections.decrementAndGet();
      return false;
    }
    guests.add(guest);
    shared.connectionsOf.enter(guest.seat().client);
    loop.quiet().add(guest.seat(), loop.now());
    return true;
  }

  void leave(Guest guest) {
    if (guests.remove(guest)) {
      loop.quiet().remove(guest.seat());
      loop.shared().connectionsOf.leave(guest.seat().client);
      loop.shared().connections.decrementAndGet();
    }
  }

  void drain() {
    List.copyOf(guests).forEach(Guest::drain);
  }

  void cut() {
    List.copyOf(guests).forEach(Guest::cut);
  }
}
