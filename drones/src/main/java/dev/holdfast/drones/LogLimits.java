package dev.holdfast.drones;

import dev.holdfast.limits.Check;
import java.time.Duration;

/**
 * How much of an app's log is kept and how fast it is read. Immutable.
 *
 * @param segmentBytesMax size at which a file is followed by the next
 * @param segmentsMax how many files of one app are kept
 * @param lineBytesMax bytes of one line in UTF-8; the rest is cut
 * @param queueMax lines that may wait to be written; more are dropped and counted
 * @param followerMax lines that may wait for one follower; more and it is cut off
 * @param followersMax followers of one app; one more cuts off the oldest
 * @param lastMax most lines of the past in one answer
 * @param pollMin how often a spool with output is looked at
 * @param pollMax how often a silent spool is looked at
 */
public record LogLimits(
    int segmentBytesMax,
    int segmentsMax,
    int lineBytesMax,
    int queueMax,
    int followerMax,
    int followersMax,
    int lastMax,
    Duration pollMin,
    Duration pollMax) {

  /** Refuses limits under which nothing could be kept. */
  public LogLimits {
    Check.that(segmentBytesMax >= 4096, "segmentBytesMax", segmentBytesMax, ">= 4096");
    Check.that(segmentsMax >= 2, "segmentsMax", segmentsMax, ">= 2");
    Check.that(lineBytesMax >= 64, "lineBytesMax", lineBytesMax, ">= 64");
    Check.that(queueMax >= 1, "queueMax", queueMax, ">= 1");
    Check.that(followerMax >= 1, "followerMax", followerMax, ">= 1");
    Check.that(followersMax >= 1, "followersMax", followersMax, ">= 1");
    Check.that(lastMax >= 1, "lastMax", lastMax, ">= 1");
    Check.that(pollMin.toMillis() >= 1, "pollMin", pollMin, ">= 1 ms");
    Check.that(pollMax.compareTo(pollMin) >= 0, "pollMax", pollMax, ">= " + pollMin);
  }

  /** Two files of 5 MiB, lines of 8 KiB, 8192 waiting, spools every 50 to 500 ms. */
  public static LogLimits defaults() {
    return new LogLimits(
        5 << 20, 2, 8192, 8192, 2048, 64, 10_000, Duration.ofMillis(50), Duration.ofMillis(500));
  }

  /** The same with smaller or larger files. */
  public LogLimits withSegmentBytesMax(int bytes) {
    return new LogLimits(
        bytes,
        segmentsMax,
        lineBytesMax,
        queueMax,
        followerMax,
        followersMax,
        lastMax,
        pollMin,
        pollMax);
  }

  /** The same with another room for lines that wait. */
  public LogLimits withQueueMax(int lines, int follower) {
    return new LogLimits(
        segmentBytesMax,
        segmentsMax,
        lineBytesMax,
        lines,
        follower,
        followersMax,
        lastMax,
        pollMin,
        pollMax);
  }
}
