package dev.holdfast.edge;

import dev.holdfast.limits.Time;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One deadline that is moved often and met seldom: moving it writes a field, and only the task that
 * comes too early schedules itself again. Confined to its event loop.
 */
final class Alarm {
  private final EventLoop loop;
  private final Time time;
  private final Runnable action;
  private @Nullable Future<?> task;
  private long taskNanos;
  private long atNanos;
  private boolean set;

  Alarm(EventLoop loop, Time time, Runnable action) {
    this.loop = loop;
    this.time = time;
    this.action = action;
  }

  /** Rings after {@code wait} unless it is moved or switched off before. */
  void in(Duration wait) {
    atNanos = time.nanos() + wait.toNanos();
    set = true;
    if (task != null && taskNanos - atNanos > 0) {
      task.cancel(false);
      task = null;
    }
    if (task == null) {
      schedule(wait.toNanos());
    }
  }

  void off() {
    set = false;
  }

  /** Off for good, and nothing is left in the event loop. */
  void close() {
    set = false;
    if (task != null) {
      task.cancel(false);
      task = null;
    }
  }

  private void schedule(long nanos) {
    taskNanos = atNanos;
    task = loop.schedule(this::due, nanos, TimeUnit.NANOSECONDS);
  }

  private void due() {
    task = null;
    long left = atNanos - time.nanos();
    if (set && left > 0) {
      schedule(left);
    } else if (set) {
      set = false;
      action.run();
    }
  }
}
