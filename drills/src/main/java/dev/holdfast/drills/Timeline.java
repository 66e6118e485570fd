package dev.holdfast.drills;

import dev.holdfast.drills.Course.Point;
import dev.holdfast.drills.Course.Span;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Time;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Writes down what happens when, while a drill runs. It begins at its first {@link #begin}, at
 * which the load begins, too. Thread-safe.
 */
final class Timeline {
  private static final int POINTS_MAX = 20_000;
  private static final int TRACKS_MAX = 64;
  private static final int SPANS_MAX = 256;

  private record Line(String panel, String name) {}

  private final Time time;
  private final ReentrantLock lock = new ReentrantLock();
  private final List<Span> spans = new ArrayList<>();
  private final Map<Line, List<Point>> tracks = new LinkedHashMap<>();
  private final Map<String, Tally> tallies = new LinkedHashMap<>();
  private volatile long start;

  Timeline(Time time) {
    this.time = time;
    start = time.nanos();
  }

  /** From here on seconds are counted. */
  void begin(long nanos) {
    start = nanos;
  }

  /** Seconds since the start. */
  double now() {
    return (time.nanos() - start) / 1e9;
  }

  /** Harm was done from then until then. */
  void span(String what, double from, double to) {
    lock.lock();
    try {
      Check.that(spans.size() < SPANS_MAX, "spans", spans.size(), "below " + SPANS_MAX);
      spans.add(new Span(what, from, to));
    } finally {
      lock.unlock();
    }
  }

  /** Harm is done from now until it is closed. */
  Harm harm(String what) {
    double from = now();
    return () -> span(what, from, now());
  }

  /** What lasts until it is closed. */
  @FunctionalInterface
  interface Harm extends AutoCloseable {
    @Override
    void close();
  }

  /** A count of now. */
  void count(String panel, String name, long value) {
    point(panel, name, (double) value);
  }

  /** A number of now. Points beyond the bound are dropped. */
  void point(String panel, String name, double value) {
    point(panel, name, now(), value);
  }

  /** A number of then. */
  void point(String panel, String name, double at, double value) {
    lock.lock();
    try {
      var line = new Line(panel, name);
      if (tracks.size() < TRACKS_MAX || tracks.containsKey(line)) {
        var points = tracks.computeIfAbsent(line, _ -> new ArrayList<>());
        if (points.size() < POINTS_MAX) {
          points.add(new Point(at, value));
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** A group of visitors whose tally is read at the end. */
  void group(String name, Tally tally) {
    lock.lock();
    try {
      tallies.put(name, tally);
    } finally {
      lock.unlock();
    }
  }

  /** What was written down; called when everything has ended. */
  Course course() {
    lock.lock();
    try {
      var groups = new ArrayList<Course.Group>();
      tallies.forEach((name, tally) -> groups.add(new Course.Group(name, tally.seconds())));
      var lines = new ArrayList<Course.Track>();
      tracks.forEach(
          (line, points) -> lines.add(new Course.Track(line.panel(), line.name(), points)));
      double seconds = 0;
      for (var group : groups) {
        seconds = Math.max(seconds, group.seconds().size());
      }
      for (var span : spans) {
        seconds = Math.max(seconds, span.to());
      }
      for (var track : lines) {
        seconds = Math.max(seconds, track.points().getLast().at());
      }
      var harm = spans.stream().sorted(Comparator.comparingDouble(Span::from)).toList();
      return new Course(seconds, groups, lines, harm);
    } finally {
      lock.unlock();
    }
  }
}
