package dev.holdfast.edge;

import dev.holdfast.limits.Check;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * How requests are logged, and where to. Immutable.
 *
 * @param lanes bounds of what waits between an event loop and the log's thread
 * @param flushEvery longest time that a line waits there; at most 100 ms
 * @param format how lines look in all sinks
 * @param sampleOneIn of requests with a status below 400 and no code, one in so many is logged
 * @param routerLinesPerSecond lines of one service that {@code holdfast logs} shows a second; what
 *     is beyond is left out there and counted
 * @param sinks where lines go besides
 */
public record AccessLogConfig(
    Lanes lanes,
    Duration flushEvery,
    Format format,
    int sampleOneIn,
    int routerLinesPerSecond,
    List<Sink> sinks) {

  private static final int SLOTS_MIN = 16;
  private static final int SLOTS_MAX = 1 << 20;
  private static final int TEXT_BYTES_MIN = 64 * 1024;
  private static final int TEXT_BYTES_MAX = 1 << 28;
  private static final Duration FLUSH_MAX = Duration.ofMillis(100);

  /** How a line looks. */
  public enum Format {
    /** Heroku's router format. */
    LOGFMT,
    /** One JSON object a line. */
    JSON
  }

  /**
   * What waits per event loop. When either is full, lines are dropped and counted.
   *
   * @param slots requests, a power of two
   * @param textBytes their values, a power of two
   */
  public record Lanes(int slots, int textBytes) {
    /** Refuses what is no power of two, or too small for the longest request. */
    public Lanes {
      Check.that(
          slots >= SLOTS_MIN && slots <= SLOTS_MAX && Integer.bitCount(slots) == 1,
          "slots",
          slots,
          "a power of two from " + SLOTS_MIN + " to " + SLOTS_MAX);
      Check.that(
          textBytes >= TEXT_BYTES_MIN
              && textBytes <= TEXT_BYTES_MAX
              && Integer.bitCount(textBytes) == 1,
          "textBytes",
          textBytes,
          "a power of two from " + TEXT_BYTES_MIN + " to " + TEXT_BYTES_MAX);
    }
  }

  /** Where lines go. */
  public sealed interface Sink {

    /**
     * A file that is put aside as {@code NAME.1} (the next older {@code NAME.2} and so on) before
     * it grows beyond its bound.
     *
     * @param keep how many old files are kept, 0 to 100
     */
    record File(Path path, long bytesMax, int keep) implements Sink {
      /** Refuses a file that would be put aside with every line. */
      public File {
        Check.that(bytesMax >= TEXT_BYTES_MIN, "bytesMax", bytesMax, ">= " + TEXT_BYTES_MIN);
        Check.that(keep >= 0 && keep <= 100, "keep", keep, "0 to 100");
      }
    }

    /** The platform's standard output. */
    record Stdout() implements Sink {}

    /** Syslog (RFC 5424) in datagrams over UDP (RFC 5426). */
    record SyslogUdp(String host, int port) implements Sink {
      /** Refuses what is no port. */
      public SyslogUdp {
        checkPort(port);
      }
    }

    /** Syslog (RFC 5424) over TCP, each message with its length in front (RFC 6587). */
    record SyslogTcp(String host, int port) implements Sink {
      /** Refuses what is no port. */
      public SyslogTcp {
        checkPort(port);
      }
    }

    /** Syslog (RFC 5424) in datagrams to a socket of this machine, such as {@code /dev/log}. */
    record SyslogUnix(Path path) implements Sink {}

    private static void checkPort(int port) {
      Check.that(port >= 1 && port <= 65535, "port", port, "1 to 65535");
    }
  }

  /** Refuses bounds that let nothing through, and a line that would wait too long. */
  public AccessLogConfig {
    Check.that(
        flushEvery.isPositive() && flushEvery.compareTo(FLUSH_MAX) <= 0,
        "flushEvery",
        flushEvery,
        "> 0 and <= " + FLUSH_MAX);
    Check.that(sampleOneIn >= 1, "sampleOneIn", sampleOneIn, ">= 1");
    Check.that(
        routerLinesPerSecond >= 1 && routerLinesPerSecond <= 1_000_000,
        "routerLinesPerSecond",
        routerLinesPerSecond,
        "1 to 1000000");
    sinks = List.copyOf(sinks);
  }

  /** Every request, up to 200 lines a second of each service in its log, and no other sink. */
  public static AccessLogConfig defaults() {
    return new AccessLogConfig(
        new Lanes(8192, 1 << 20), Duration.ofMillis(50), Format.LOGFMT, 1, 200, List.of());
  }

  /** The same with other sinks. */
  public AccessLogConfig withSinks(Format lines, List<Sink> others) {
    return new AccessLogConfig(lanes, flushEvery, lines, sampleOneIn, routerLinesPerSecond, others);
  }

  /** The same, with one in so many of the requests that went well. */
  public AccessLogConfig withSample(int oneIn) {
    return new AccessLogConfig(lanes, flushEvery, format, oneIn, routerLinesPerSecond, sinks);
  }

  /** The same with another bound for the lines of one service in its log. */
  public AccessLogConfig withRouterLines(int perSecond) {
    return new AccessLogConfig(lanes, flushEvery, format, sampleOneIn, perSecond, sinks);
  }
}
