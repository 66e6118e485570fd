package dev.holdfast.edge;

import dev.holdfast.limits.Check;
import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * Every bound and every wait of the edge. Immutable.
 *
 * @param listen where clients connect to
 * @param eventLoops threads that carry all traffic
 * @param transport {@code epoll}, {@code nio}, {@code io_uring}, or {@code auto}
 * @param httpsPort where clients are sent that shall come by HTTPS
 * @param connectTimeout how long a connect to an app may take (H19)
 * @param firstByteTimeout how long an app may think after it got the whole request (H12)
 * @param idleTimeout longest silence in both directions while a request or a tunnel is under way
 *     (H15, H28), and the time a client has for a whole request head
 * @param bootWait how long a request is held for an app that starts (H20)
 * @param clientIdleTimeout how long a client connection may lie idle between requests
 * @param upstreamIdleTimeout how long a connection to an app is kept for reuse. Shorter than the 5
 *     s after which Node, the least patient of the common servers, closes it: whoever closes second
 *     loses requests
 * @param drainWait how long {@link Edge#close} lets requests finish before it cuts them (H24)
 * @param connectTriesMax connect attempts per request, each to another place (H21)
 * @param requestLineBytesMax longest request line (414)
 * @param headerLineBytesMax longest header line (431)
 * @param headersMax most headers in one message (431)
 * @param headBytesMax all header lines of a request together (431)
 * @param connectionsMax client connections at one time (H22); each may need a second descriptor
 *     towards an app
 * @param waitingMax requests that are held for starting apps at one time (H11)
 * @param requestsPerEndpointMax requests under way at one endpoint, tunnels not counted (H11)
 * @param idlePerEndpointMax connections kept for reuse, per endpoint and event loop
 * @param idlePerLoopMax connections kept for reuse, per event loop
 * @param writeBufferLowBytes a connection takes more again below this many unsent bytes
 * @param writeBufferHighBytes a connection takes no more above this many unsent bytes
 * @param accessLog how requests are logged
 * @param admission who is let in when there is too much
 * @param retryBudget whether retries are bounded to a share of the requests
 * @param startsTraces whether a request without a trace context (W3C) gets one; one that has is
 *     always followed
 * @param drain how what would not end by itself is ended
 * @param pause how requests wait while the control rod {@code pause} is in
 */
public record EdgeConfig(
    InetSocketAddress listen,
    int eventLoops,
    String transport,
    int httpsPort,
    Duration connectTimeout,
    Duration firstByteTimeout,
    Duration idleTimeout,
    Duration bootWait,
    Duration clientIdleTimeout,
    Duration upstreamIdleTimeout,
    Duration drainWait,
    int connectTriesMax,
    int requestLineBytesMax,
    int headerLineBytesMax,
    int headersMax,
    int headBytesMax,
    int connectionsMax,
    int waitingMax,
    int requestsPerEndpointMax,
    int idlePerEndpointMax,
    int idlePerLoopMax,
    int writeBufferLowBytes,
    int writeBufferHighBytes,
    AccessLogConfig accessLog,
    AdmissionConfig admission,
    boolean retryBudget,
    boolean startsTraces,
    Drain drain,
    Pause pause) {

  /**
   * How requests wait for a control rod to be lifted.
   *
   * @param heldMax requests that are held at one time; more get 503
   * @param longest after which a request that is held gets 503
   * @param perSecond at what pace those that are held go on when it is lifted
   */
  public record Pause(int heldMax, Duration longest, int perSecond) {
    /** Refuses bounds that hold nothing, or let nothing go again. */
    public Pause {
      Check.that(heldMax >= 1, "pause.heldMax", heldMax, ">= 1");
      Check.that(
          longest.isPositive() && longest.compareTo(LONGEST_MAX) <= 0,
          "pause.longest",
          longest,
          "more than 0 s, at most " + LONGEST_MAX.toMinutes() + " min");
      Check.that(
          perSecond >= 1 && perSecond <= PER_SECOND_MAX,
          "pause.perSecond",
          perSecond,
          "1 to " + PER_SECOND_MAX);
    }

    /** 1,000 requests for 30 s, 200 a second afterwards. */
    public static Pause defaults() {
      return new Pause(1_000, Duration.ofSeconds(30), 200);
    }
  }

  /**
   * How tunnels and streams are let go when the edge goes down.
   *
   * @param perSecond how many, unless that would take longer than the longest
   * @param longest after which none is left
   */
  public record Drain(int perSecond, Duration longest) {
    private static final double NANOS_PER_SECOND = 1e9;

    /** Refuses rates and waits beyond all reason. */
    public Drain {
      Check.that(
          perSecond >= 1 && perSecond <= PER_SECOND_MAX,
          "drain.perSecond",
          perSecond,
          "1 to " + PER_SECOND_MAX);
      Check.that(
          !longest.isNegative() && longest.compareTo(LONGEST_MAX) <= 0,
          "drain.longest",
          longest,
          "0 s to " + LONGEST_MAX.toMinutes() + " min");
    }

    /** How long so many take. */
    long nanos(int count) {
      return Math.min(longest.toNanos(), (long) (count * NANOS_PER_SECOND / perSecond));
    }
  }

  /**
   * What is for an operator to choose; the components are those of {@link EdgeConfig}. Immutable.
   */
  public record Choices(
      InetSocketAddress listen,
      int eventLoops,
      String transport,
      int httpsPort,
      int connectionsMax,
      AccessLogConfig accessLog,
      AdmissionConfig admission,
      boolean retryBudget,
      boolean startsTraces,
      Drain drain,
      Pause pause) {

    /** What is chosen when nobody chooses. */
    public static Choices defaults() {
      return new Choices(
          new InetSocketAddress(PORT),
          Math.max(2, Runtime.getRuntime().availableProcessors()),
          "auto",
          HTTPS_PORT,
          8000,
          AccessLogConfig.defaults(),
          AdmissionConfig.defaults(),
          true,
          false,
          new Drain(250, Duration.ofSeconds(60)),
          Pause.defaults());
    }

    /** The same at another address. */
    public Choices at(InetSocketAddress address) {
      return new Choices(
          address,
          eventLoops,
          transport,
          httpsPort,
          connectionsMax,
          accessLog,
          admission,
          retryBudget,
          startsTraces,
          drain,
          pause);
    }
  }

  private static final int PER_SECOND_MAX = 100_000;
  private static final Duration LONGEST_MAX = Duration.ofMinutes(30);

  /** Longest header name in bytes. */
  public static final int HEADER_NAME_BYTES_MAX = 1000;

  /** Default of {@link #headersMax}. */
  public static final int HEADERS_MAX = 1000;

  /** Default of {@link #listen}. */
  public static final int PORT = 8080;

  /** Default of {@link #httpsPort}. */
  public static final int HTTPS_PORT = 443;

  private static final String POSITIVE = "> 0";

  /** Refuses waits that never end or end at once, and bounds that let nothing through. */
  public EdgeConfig {
    Check.that(eventLoops >= 1, "eventLoops", eventLoops, ">= 1");
    Check.that(connectTimeout.isPositive(), "connectTimeout", connectTimeout, POSITIVE);
    Check.that(firstByteTimeout.isPositive(), "firstByteTimeout", firstByteTimeout, POSITIVE);
    Check.that(idleTimeout.isPositive(), "idleTimeout", idleTimeout, POSITIVE);
    Check.that(!bootWait.isNegative(), "bootWait", bootWait, ">= 0");
    Check.that(clientIdleTimeout.isPositive(), "clientIdleTimeout", clientIdleTimeout, POSITIVE);
    Check.that(
        upstreamIdleTimeout.isPositive(), "upstreamIdleTimeout", upstreamIdleTimeout, POSITIVE);
    Check.that(!drainWait.isNegative(), "drainWait", drainWait, ">= 0");
    Check.that(connectTriesMax >= 1, "connectTriesMax", connectTriesMax, ">= 1");
    Check.that(requestLineBytesMax >= 64, "requestLineBytesMax", requestLineBytesMax, ">= 64");
    Check.that(headerLineBytesMax >= 64, "headerLineBytesMax", headerLineBytesMax, ">= 64");
    Check.that(headersMax >= 1, "headersMax", headersMax, ">= 1");
    Check.that(
        headBytesMax >= headerLineBytesMax,
        "headBytesMax",
        headBytesMax,
        ">= headerLineBytesMax " + headerLineBytesMax);
    Check.that(connectionsMax >= 1, "connectionsMax", connectionsMax, ">= 1");
    Check.that(waitingMax >= 0, "waitingMax", waitingMax, ">= 0");
    Check.that(
        requestsPerEndpointMax >= 1, "requestsPerEndpointMax", requestsPerEndpointMax, ">= 1");
    Check.that(idlePerEndpointMax >= 0, "idlePerEndpointMax", idlePerEndpointMax, ">= 0");
    Check.that(idlePerLoopMax >= 0, "idlePerLoopMax", idlePerLoopMax, ">= 0");
    Check.that(writeBufferLowBytes >= 1, "writeBufferLowBytes", writeBufferLowBytes, ">= 1");
    Check.that(
        writeBufferHighBytes > writeBufferLowBytes,
        "writeBufferHighBytes",
        writeBufferHighBytes,
        "> writeBufferLowBytes " + writeBufferLowBytes);
  }

  /** What holds when nothing is configured: Heroku's waits, and bounds for 20,000 descriptors. */
  public static EdgeConfig defaults() {
    return of(Choices.defaults());
  }

  /** What an operator chose, and the defaults of everything else. */
  public static EdgeConfig of(Choices chosen) {
    return new EdgeConfig(
        chosen.listen(),
        chosen.eventLoops(),
        chosen.transport(),
        chosen.httpsPort(),
        Duration.ofSeconds(5),
        Duration.ofSeconds(30),
        Duration.ofSeconds(55),
        Duration.ofSeconds(75),
        Duration.ofSeconds(60),
        Duration.ofSeconds(4),
        Duration.ofSeconds(10),
        10,
        8192,
        8192,
        HEADERS_MAX,
        128 * 1024,
        chosen.connectionsMax(),
        1024,
        200,
        256,
        1024,
        64 * 1024,
        256 * 1024,
        chosen.accessLog(),
        chosen.admission(),
        chosen.retryBudget(),
        chosen.startsTraces(),
        chosen.drain(),
        chosen.pause());
  }
}
