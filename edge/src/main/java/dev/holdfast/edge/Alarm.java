package dev.holdfast.edge;

import org.jspecify.annotations.Nullable;

/**
 * One deadline that is moved often and met seldom: a member of its loop's {@link Wheel} that knows
 * its neighbours, so that it costs no object. Confined to its event loop.
 */
final class Alarm {
  private final Loop loop;
  private final Runnable action;
  private @Nullable Wheel wheel;
  private @Nullable Alarm before;
  private @Nullable Alarm after;
  private int slot;
  private long seenNanos;
  private long atNanos;
  private boolean set;

  Alarm(Loop loop, Runnable action) {
    this.loop = loop;
    this.action = action;
  }

  /** Rings after so many nanoseconds unless it is moved or switched off before. */
  void in(long nanos) {
    atNanos = loop.now() + nanos;
    set = true;
    if (wheel != null && seenNanos - atNanos > Wheel.TICK_NANOS) {
      close();
      set = true;
    }
    if (wheel == null) {
      loop.wheel().add(this, atNanos);
    }
  }

  void off() {
    set = false;
  }

  /** Off for good, and nothing of it is left in the wheel. */
  void close() {
    set = false;
    var in = wheel;
    if (in == null) {
      return;
    }
    if (before == null) {
      in.remove(slot, after);
    } else {
      before.after = after;
    }
    if (after != null) {
      after.before = before;
    }
    wheel = null;
    before = null;
    after = null;
  }

  void attach(Wheel to, int at, long seen, @Nullable Alarm next) {
    wheel = to;
    slot = at;
    seenNanos = seen;
    before = null;
    after = next;
    if (next != null) {
      next.before = this;
    }
  }

  /** Leaves its ring and says who is next. */
  @Nullable Alarm detach() {
    var next = after;
    wheel = null;
    before = null;
    after = null;
    if (next != null) {
      next.before = null;
    }
    return next;
  }

  void due(long nanos) {
    if (!set) {
      return;
    }
    if (atNanos - nanos > 0) {
      loop.wheel().add(this, atNanos);
    } else {
      set = false;
      action.run();
    }
  }
}
