package dev.holdfast.drills;

import dev.holdfast.limits.Check;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.IntPredicate;
import org.HdrHistogram.Histogram;

/**
 * What a group of visitors met, second by second. A visit belongs to the second in which it was
 * meant to begin, and its latency counts from there, however late it could really be sent. Written
 * by the load's thread only; read after the load has ended.
 */
final class Tally {
  /** Longest latency that is told apart, in microseconds; longer ones count as this. */
  static final long MICROS_MAX = Duration.ofSeconds(60).toNanos() / 1000;

  private static final int DIGITS = 2;
  private static final int SECONDS_MAX = 3_600;

  private final Histogram uncorrected = new Histogram(MICROS_MAX, DIGITS);
  private final List<Second> seconds = new ArrayList<>();

  /** One second of visits. */
  private static final class Second {
    final Histogram latency = new Histogram(MICROS_MAX, DIGITS);
    long offered;
    long tries;
    long good;
    long refused;
    long failed;
    long late;
    long firstRefusalNanos = Long.MAX_VALUE;
  }

  /** How a visit ended. */
  enum End {
    /** Answered with 200 in time. */
    GOOD,
    /** Told 429 or 503. */
    REFUSED,
    /** Any other answer, or none because the connection broke. */
    FAILED,
    /** Not answered in time. */
    LATE
  }

  /**
   * Several seconds together.
   *
   * @param seconds how many
   * @param offered visits that were meant to begin
   * @param tries requests that were sent for them
   * @param good visits that were answered with 200 in time
   * @param refused visits that were told 429 or 503 in the end
   * @param failed visits that got another answer or none
   * @param late visits that nobody answered in time
   * @param latency of the good ones, in microseconds
   */
  record Sum(
      int seconds,
      long offered,
      long tries,
      long good,
      long refused,
      long failed,
      long late,
      Histogram latency) {

    double goodPerSecond() {
      return seconds == 0 ? 0 : (double) good / seconds;
    }

    /** Good visits among the offered ones, 0 to 1. */
    double goodShare() {
      return offered == 0 ? 0 : (double) good / offered;
    }

    /** Visits that were not good, whatever the reason. */
    long lost() {
      return offered - good;
    }

    /**
     * Latency in milliseconds below which this percentage of those lies that were let in: the late
     * ones were, and nobody knows for how long.
     */
    double admittedMillis(double percent) {
      var all = latency.copy();
      all.recordValueWithCount(MICROS_MAX, late);
      return all.getTotalCount() == 0
          ? Double.POSITIVE_INFINITY
          : all.getValueAtPercentile(percent) / 1000.0;
    }

    /** Latency in milliseconds below which this percentage of good visits lies. */
    double millis(double percent) {
      return latency.getTotalCount() == 0
          ? Double.POSITIVE_INFINITY
          : latency.getValueAtPercentile(percent) / 1000.0;
    }

    @Override
    public String toString() {
      return ("%d s: %d offered, %d tries, %d good, %d refused, %d failed, %d late; "
              + "p50 %.1f ms, p99 %.1f ms")
          .formatted(seconds, offered, tries, good, refused, failed, late, millis(50), millis(99));
    }
  }

  void offered(long dueNanos) {
    at(dueNanos).offered++;
  }

  void tried(long sentNanos) {
    at(sentNanos).tries++;
  }

  /** A try was told no at this moment, whatever becomes of the visit. */
  void refusal(long nanos) {
    var second = at(nanos);
    second.firstRefusalNanos = Math.min(second.firstRefusalNanos, nanos);
  }

  void ended(long dueNanos, long endNanos, End how) {
    var second = at(dueNanos);
    switch (how) {
      case GOOD -> {
        second.good++;
        second.latency.recordValue(Math.clamp((endNanos - dueNanos) / 1000, 1, MICROS_MAX));
      }
      case REFUSED -> second.refused++;
      case FAILED -> second.failed++;
      case LATE -> second.late++;
    }
  }

  /** A good visit, from when it could be sent: what a generator measures that waits for answers. */
  void sent(long sentNanos, long endNanos) {
    uncorrected.recordValue(Math.clamp((endNanos - sentNanos) / 1000, 1, MICROS_MAX));
  }

  /** Latency in milliseconds of good visits, from when they were sent; never what is promised. */
  double uncorrectedMillis(double percent) {
    return millis(uncorrected, percent);
  }

  /** Sums the seconds from {@code from} to before {@code to}. */
  Sum between(int from, int to) {
    return between(from, to, _ -> true);
  }

  /** Sums those seconds among them. */
  Sum between(int from, int to, IntPredicate which) {
    int count = 0;
    var latency = new Histogram(MICROS_MAX, DIGITS);
    long offered = 0;
    long tries = 0;
    long good = 0;
    long refused = 0;
    long failed = 0;
    long late = 0;
    for (int i = from; i < to; i++) {
      if (!which.test(i)) {
        continue;
      }
      count++;
      if (i >= seconds.size()) {
        continue; // nobody came
      }
      var second = seconds.get(i);
      latency.add(second.latency);
      offered += second.offered;
      tries += second.tries;
      good += second.good;
      refused += second.refused;
      failed += second.failed;
      late += second.late;
    }
    return new Sum(count, offered, tries, good, refused, failed, late, latency);
  }

  /** Seconds from {@code from} until the first try was refused; infinite when none was. */
  double firstRefusalAfter(int from) {
    for (int i = from; i < seconds.size(); i++) {
      long first = seconds.get(i).firstRefusalNanos;
      if (first != Long.MAX_VALUE) {
        return first / 1e9 - from;
      }
    }
    return Double.POSITIVE_INFINITY;
  }

  /** What was met, second by second. */
  List<Course.Second> seconds() {
    return seconds.stream()
        .map(second -> {
          var latency = second.latency;
          return new Course.Second(
              second.offered,
              second.tries,
              second.good,
              second.refused,
              second.failed,
              second.late,
              millis(latency, 50),
              millis(latency, 90),
              millis(latency, 99),
              millis(latency, 100));
        })
        .toList();
  }

  private static double millis(Histogram latency, double percent) {
    return latency.getTotalCount() == 0
        ? Double.NaN
        : latency.getValueAtPercentile(percent) / 1000.0;
  }

  /** Good visits of each second. */
  List<Long> goods() {
    return seconds.stream().map(second -> second.good).toList();
  }

  private Second at(long nanos) {
    int index = (int) TimeUnit.NANOSECONDS.toSeconds(nanos);
    Check.that(index < SECONDS_MAX, "second", index, "below " + SECONDS_MAX);
    while (seconds.size() <= index) {
      seconds.add(new Second());
    }
    return seconds.get(index);
  }
}
