package dev.holdfast.edge;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.function.LongSupplier;

/** Virtual time: everything that happens, in order, on one thread, from one seed. */
final class World {
  static final long MICRO = 1_000L;
  static final long MILLI = 1_000_000L;
  static final long SECOND = 1_000_000_000L;

  final SplittableRandom random;
  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private long now;
  private long count;

  private record Event(long at, long order, Runnable action) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      int byTime = Long.compare(at, other.at);
      return byTime != 0 ? byTime : Long.compare(order, other.order);
    }
  }

  World(long seed) {
    random = new SplittableRandom(seed);
  }

  long now() {
    return now;
  }

  void in(long nanos, Runnable action) {
    events.add(new Event(now + nanos, count++, action));
  }

  void every(long nanos, Runnable action) {
    in(
        nanos,
        () -> {
          action.run();
          every(nanos, action);
        });
  }

  /** Poisson arrivals until that time. */
  void arrivals(double perSecond, long until, Runnable action) {
    long gap = (long) (-Math.log(1 - random.nextDouble()) / perSecond * SECOND) + 1;
    if (now + gap < until) {
      in(
          gap,
          () -> {
            arrivals(perSecond, until, action);
            action.run();
          });
    }
  }

  void run(long until) {
    while (!events.isEmpty() && events.peek().at <= until) {
      var event = events.remove();
      now = event.at;
      event.action.run();
    }
    now = until;
  }

  /** Something that does one thing after the other: an event loop, or one of an app's workers. */
  final class Server {
    private final ArrayDeque<LongSupplier> tasks = new ArrayDeque<>();
    private final int workers;
    private int busy;

    Server(int workers) {
      this.workers = workers;
    }

    /** Queues a task that answers how long it takes once it begins. */
    void submit(LongSupplier task) {
      if (busy < workers) {
        begin(task);
      } else {
        tasks.add(task);
      }
    }

    private void begin(LongSupplier task) {
      busy++;
      in(
          Math.max(1, task.getAsLong()),
          () -> {
            busy--;
            var next = tasks.poll();
            if (next != null) {
              begin(next);
            }
          });
    }

    int queued() {
      return tasks.size();
    }
  }

  /** Numbers of which quantiles are asked. */
  static final class Sample {
    private long[] values = new long[1024];
    private int size;

    void add(long value) {
      if (size == values.length) {
        values = Arrays.copyOf(values, 2 * size);
      }
      values[size++] = value;
    }

    int size() {
      return size;
    }

    long p(double quantile) {
      var sorted = Arrays.copyOf(values, size);
      Arrays.sort(sorted);
      return size == 0 ? 0 : sorted[(int) Math.min(size - 1, Math.floor(quantile * size))];
    }
  }
}
