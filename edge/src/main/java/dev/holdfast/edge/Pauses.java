package dev.holdfast.edge;

import dev.holdfast.limits.KnownRod;
import dev.holdfast.limits.RodView;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * The requests of one event loop that the control rod {@code pause} holds, in the order in which
 * they came. When it is lifted they go on in that order, at a pace: an app that was stopped for a
 * minute must not get a minute's requests at once. Confined to its event loop.
 */
final class Pauses {
  private static final Duration GLANCE = Duration.ofMillis(20);
  private static final double NANOS_PER_SECOND = 1e9;

  private final Loop loop;
  private final Set<Entry> held = new LinkedHashSet<>();
  private double credit;
  private long creditNanos;
  private boolean glancing;

  Pauses(Loop loop) {
    this.loop = loop;
  }

  /** Holds the request, or answers false when enough are held. */
  boolean add(Entry entry) {
    var shared = loop.shared();
    if (shared.paused.incrementAndGet() > shared.config.pause().heldMax()) {
      shared.paused.decrementAndGet();
      return false;
    }
    held.add(entry);
    glanceLater();
    return true;
  }

  void remove(Entry entry) {
    if (!held.isEmpty() && held.remove(entry)) {
      loop.shared().paused.decrementAndGet();
    }
  }

  private void glanceLater() {
    if (!glancing) {
      glancing = true;
      creditNanos = loop.shared().time.nanos();
      var _ = loop.eventLoop().schedule(this::glance, GLANCE.toNanos(), TimeUnit.NANOSECONDS);
    }
  }

  private void glance() {
    glancing = false;
    earn();
    var rods = loop.shared().rods.get();
    var free = new ArrayList<Entry>();
    for (var entry : held) {
      if (free.size() >= (int) credit) {
        break;
      }
      if (!paused(entry, rods)) {
        free.add(entry);
      }
    }
    credit -= free.size();
    for (var entry : free) {
      remove(entry);
      entry.unpaused();
    }
    if (!held.isEmpty()) {
      glanceLater();
    }
  }

  /** Each event loop has its part of the pace. */
  private void earn() {
    loop.stamp();
    double perSecond =
        (double) loop.shared().config.pause().perSecond() / Math.max(1, loop.shared().loops.size());
    double most = Math.max(1, perSecond * GLANCE.toNanos() / NANOS_PER_SECOND);
    double earned = perSecond * (loop.now() - creditNanos) / NANOS_PER_SECOND;
    credit = Math.min(most, credit + earned);
  }

  private boolean paused(Entry entry, RodView rods) {
    var place = entry.place();
    return place != null
        && rods.find(KnownRod.PAUSE, place.app(), place.tenant(), loop.millis()) != null;
  }
}
