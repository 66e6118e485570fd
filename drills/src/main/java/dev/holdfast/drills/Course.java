package dev.holdfast.drills;

import java.util.List;

/**
 * What happened when in one run, on one time axis: seconds since its start. Immutable.
 *
 * @param seconds how long the run took
 * @param groups of visitors, each with what it met second by second
 * @param tracks other numbers over time, such as positions
 * @param spans when harm was done
 */
record Course(double seconds, List<Group> groups, List<Track> tracks, List<Span> spans) {
  /** Nothing was looked at over time. */
  static final Course NONE = new Course(0, List.of(), List.of(), List.of());

  Course {
    groups = List.copyOf(groups);
    tracks = List.copyOf(tracks);
    spans = List.copyOf(spans);
  }

  /** A group of visitors. */
  record Group(String name, List<Second> seconds) {
    Group {
      seconds = List.copyOf(seconds);
    }
  }

  /**
   * One second of a group. Latencies are those of good visits, in milliseconds, and not a number
   * where there were none.
   */
  record Second(
      long offered,
      long tries,
      long good,
      long refused,
      long failed,
      long late,
      double p50,
      double p90,
      double p99,
      double most) {}

  /**
   * A number over time. Tracks of one panel share an axis.
   *
   * @param panel heading under which it is drawn, with the unit
   * @param name of the line
   * @param points in order of time
   */
  record Track(String panel, String name, List<Point> points) {
    Track {
      points = List.copyOf(points);
    }
  }

  /** A number at a time. */
  record Point(double at, double value) {}

  /** Harm, from when until when. */
  record Span(String what, double from, double to) {}
}
