package dev.holdfast.edge;

import org.jspecify.annotations.Nullable;

/**
 * The deadlines of one event loop: rings of alarms by the tick in which they are looked at
 * (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987). Setting an alarm later costs
 * one assignment; only when its tick comes is it moved. Confined to its event loop.
 */
final class Wheel {
  /** How often alarms are looked at; an alarm rings at most this much too late. */
  static final long TICK_NANOS = 50_000_000;

  private static final int SLOTS = 2048;

  private final @Nullable Alarm[] slots = new Alarm[SLOTS];
  private final long startNanos;
  private long tick;
  private long now;

  Wheel(long now) {
    startNanos = now;
    this.now = now;
  }

  /** The time of the last tick. */
  long now() {
    return now;
  }

  /** Looks at what is due. */
  void advance(long nanos) {
    now = nanos;
    long until = (nanos - startNanos) / TICK_NANOS;
    int steps = (int) Math.min(until - tick, SLOTS);
    tick = Math.max(tick, until - steps);
    for (int i = 0; i < steps; i++) {
      tick++;
      ring((int) (tick & (SLOTS - 1)), nanos);
    }
  }

  private void ring(int slot, long nanos) {
    // One by one off the ring: what rings may close its neighbours.
    for (var alarm = slots[slot]; alarm != null; alarm = slots[slot]) {
      slots[slot] = alarm.detach();
      alarm.due(nanos);
    }
  }

  /** Puts an alarm where its deadline is seen in time. */
  void add(Alarm alarm, long atNanos) {
    long due = Math.max(tick + 1, (atNanos - startNanos + TICK_NANOS - 1) / TICK_NANOS);
    due = Math.min(due, tick + SLOTS - 1);
    int slot = (int) (due & (SLOTS - 1));
    alarm.attach(this, slot, startNanos + due * TICK_NANOS, slots[slot]);
    slots[slot] = alarm;
  }

  void remove(int slot, @Nullable Alarm next) {
    slots[slot] = next;
  }
}
