package dev.holdfast.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.limits.Check;
import java.util.HashSet;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How the edge treats requests for a service or for one host of it. What is null is inherited: a
 * host's policy goes over its service's, and that over what the edge is configured with. Immutable.
 *
 * @param maintenance whether every request is answered with H80 instead of by the app
 * @param maintenancePage HTML that people see then; {@code {{code}}} and {@code {{request_id}}} are
 *     replaced
 * @param errorPage HTML that people see when the edge answers for the app, likewise
 * @param https whether plain requests are redirected
 * @param hstsSeconds how long browsers are told to come by HTTPS only (RFC 6797); 0 for not at all
 * @param requestBytesMax largest request body (413)
 * @param requestHeaderBytesMax largest head of a request (431)
 * @param firstByteTimeoutMillis how long the app may think (H12)
 * @param idleTimeoutMillis longest silence while a request is under way (H15)
 * @param tunnelIdleMillis longest silence of a tunnel or an event stream
 * @param tunnelLifetimeMillis longest life of a tunnel or an event stream
 * @param stickySessions whether a visitor comes back to the same endpoint
 * @param upstream what is spoken with the app
 * @param compression what responses may be compressed with, in order of preference
 * @param requestsPerEndpointMax requests under way at one endpoint (H11)
 * @param connectionsPerEndpointMax connections to one endpoint, tunnels counted
 * @param priority who goes first when there is too much
 * @param account whose budgets requests are counted under; the service's own when nobody says
 * @param expectContinue who answers {@code Expect: 100-continue}
 * @param healthPath what every endpoint is asked for now and then; who does not answer with a
 *     status from 200 to 399 is left out
 * @param healthIntervalMillis how often it is asked
 */
public record Policy(
    @Nullable Boolean maintenance,
    @Nullable String maintenancePage,
    @Nullable String errorPage,
    @Nullable Https https,
    @Nullable Long hstsSeconds,
    @Nullable Long requestBytesMax,
    @Nullable Integer requestHeaderBytesMax,
    @Nullable Long firstByteTimeoutMillis,
    @Nullable Long idleTimeoutMillis,
    @Nullable Long tunnelIdleMillis,
    @Nullable Long tunnelLifetimeMillis,
    @Nullable Boolean stickySessions,
    @Nullable Upstream upstream,
    @Nullable List<Encoding> compression,
    @Nullable Integer requestsPerEndpointMax,
    @Nullable Integer connectionsPerEndpointMax,
    @Nullable Priority priority,
    @Nullable String account,
    @Nullable ExpectContinue expectContinue,
    @Nullable String healthPath,
    @Nullable Long healthIntervalMillis) {
  /** Policies in the ledger. */
  public static final Kind<Policy> KIND = Kind.open("policy", 1, Policy.class);

  /** Longest page in UTF-8 bytes. */
  public static final int PAGE_BYTES_MAX = 64 * 1024;

  /** Inherits everything. */
  public static final Policy NONE =
      new Policy(
          null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
          null, null, null, null, null, null);

  private static final String SERVICE = "policy/service/";
  private static final String HOST = "policy/host/";
  private static final long HSTS_SECONDS_MAX = 10L * 365 * 24 * 3600;
  private static final int HEADER_BYTES_MIN = 1024;
  private static final int HEADER_BYTES_MAX = 1 << 20;
  private static final long WAIT_MILLIS_MAX = 30L * 24 * 3600 * 1000;

  private static final Pattern HEALTH_PATH = Pattern.compile("/[!-~]{0,255}");
  private static final long HEALTH_MILLIS_MIN = 1_000;
  private static final long HEALTH_MILLIS_MAX = 3600 * 1000;

  /** Whether plain requests are redirected. */
  public enum Https {
    /** They are served. */
    OFF,
    /** To HTTPS: GET and HEAD with 301, others with 308, which keeps method and body. */
    ON
  }

  /** What is spoken with the app. */
  public enum Upstream {
    /** HTTP/1.1. */
    HTTP1,
    /** HTTP/2 without TLS and with prior knowledge, as gRPC wants it. */
    H2C
  }

  /** What a response may be compressed with. */
  public enum Encoding {
    /** RFC 1952. */
    GZIP,
    /** Brotli, RFC 7932. */
    BR,
    /** Zstandard, RFC 8878. */
    ZSTD
  }

  /** Who goes first when there is too much. */
  public enum Priority {
    /** Never shed: health, control. */
    CONTROL,
    /** People who wait; shed last. */
    LIVE,
    /** Changes that can be made a little later. */
    CHANGE,
    /** What was tried before. */
    REPEAT,
    /** What nobody waits for; shed first. */
    BATCH
  }

  /** Who answers {@code Expect: 100-continue}. */
  public enum ExpectContinue {
    /** The edge, at once. */
    EDGE,
    /** The app; the edge passes both on. */
    END_TO_END
  }

  /** Refuses bounds that would let nothing through. */
  public Policy {
    checkPage("maintenancePage", maintenancePage);
    checkPage("errorPage", errorPage);
    checkRange("hstsSeconds", hstsSeconds, 0, HSTS_SECONDS_MAX);
    checkRange("requestBytesMax", requestBytesMax, 0, Long.MAX_VALUE);
    checkRange("requestHeaderBytesMax", requestHeaderBytesMax, HEADER_BYTES_MIN, HEADER_BYTES_MAX);
    checkRange("firstByteTimeoutMillis", firstByteTimeoutMillis, 1, WAIT_MILLIS_MAX);
    checkRange("idleTimeoutMillis", idleTimeoutMillis, 1, WAIT_MILLIS_MAX);
    checkRange("tunnelIdleMillis", tunnelIdleMillis, 1, WAIT_MILLIS_MAX);
    checkRange("tunnelLifetimeMillis", tunnelLifetimeMillis, 1, WAIT_MILLIS_MAX);
    checkRange("requestsPerEndpointMax", requestsPerEndpointMax, 1, Integer.MAX_VALUE);
    checkRange("connectionsPerEndpointMax", connectionsPerEndpointMax, 1, Integer.MAX_VALUE);
    checkRange("healthIntervalMillis", healthIntervalMillis, HEALTH_MILLIS_MIN, HEALTH_MILLIS_MAX);
    if (healthPath != null) {
      Check.that(
          HEALTH_PATH.matcher(healthPath).matches(),
          "healthPath",
          healthPath,
          "a path such as /health, at most 256 printable characters");
    }
    if (compression != null) {
      compression = List.copyOf(compression);
      Check.that(
          new HashSet<>(compression).size() == compression.size(),
          "compression",
          compression,
          "each encoding once");
    }
    if (account != null) {
      HostName.label("account", account);
    }
  }

  private static void checkPage(String name, @Nullable String page) {
    if (page != null) {
      int bytes = page.getBytes(UTF_8).length;
      Check.that(
          bytes >= 1 && bytes <= PAGE_BYTES_MAX,
          name,
          bytes + " bytes",
          "1 to " + PAGE_BYTES_MAX + " bytes of HTML");
    }
  }

  private static void checkRange(String name, @Nullable Number value, long min, long max) {
    if (value != null) {
      Check.that(
          value.longValue() >= min && value.longValue() <= max,
          name,
          value,
          max == Long.MAX_VALUE || max == Integer.MAX_VALUE ? ">= " + min : min + " to " + max);
    }
  }

  /** What holds when this is asked first and {@code base} where this says nothing. */
  public Policy over(Policy base) {
    if (equals(NONE)) {
      return base;
    }
    if (base.equals(NONE)) {
      return this;
    }
    return new Policy(
        first(maintenance, base.maintenance),
        first(maintenancePage, base.maintenancePage),
        first(errorPage, base.errorPage),
        first(https, base.https),
        first(hstsSeconds, base.hstsSeconds),
        first(requestBytesMax, base.requestBytesMax),
        first(requestHeaderBytesMax, base.requestHeaderBytesMax),
        first(firstByteTimeoutMillis, base.firstByteTimeoutMillis),
        first(idleTimeoutMillis, base.idleTimeoutMillis),
        first(tunnelIdleMillis, base.tunnelIdleMillis),
        first(tunnelLifetimeMillis, base.tunnelLifetimeMillis),
        first(stickySessions, base.stickySessions),
        first(upstream, base.upstream),
        first(compression, base.compression),
        first(requestsPerEndpointMax, base.requestsPerEndpointMax),
        first(connectionsPerEndpointMax, base.connectionsPerEndpointMax),
        first(priority, base.priority),
        first(account, base.account),
        first(expectContinue, base.expectContinue),
        first(healthPath, base.healthPath),
        first(healthIntervalMillis, base.healthIntervalMillis));
  }

  private static <T> @Nullable T first(@Nullable T own, @Nullable T inherited) {
    return own == null ? inherited : own;
  }

  /** Whether every request is answered with H80. */
  public boolean inMaintenance() {
    return Boolean.TRUE.equals(maintenance);
  }

  /** Whether plain requests are redirected to HTTPS. */
  public boolean redirectsToHttps() {
    return https == Https.ON;
  }

  /** Whether a visitor comes back to the same endpoint. */
  public boolean sticky() {
    return Boolean.TRUE.equals(stickySessions);
  }

  /** What responses may be compressed with, in order of preference. */
  public List<Encoding> encodings() {
    return compression == null ? List.of() : compression;
  }

  /** Where the policy of that service stands in the ledger. */
  public static String serviceKey(String service) {
    return SERVICE + HostName.label("service", service);
  }

  /** Where the policy of that host stands in the ledger. */
  public static String hostKey(String host) {
    return HOST + HostName.of(host);
  }

  /** The service that the policy at that key is of, or null. */
  public static @Nullable String service(String key) {
    return key.startsWith(SERVICE) ? key.substring(SERVICE.length()) : null;
  }

  /** The host that the policy at that key is of, or null. */
  public static @Nullable String host(String key) {
    return key.startsWith(HOST) ? key.substring(HOST.length()) : null;
  }
}
