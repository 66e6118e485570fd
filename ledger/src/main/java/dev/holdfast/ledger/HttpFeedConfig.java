package dev.holdfast.ledger;

import dev.holdfast.limits.Check;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where an {@link HttpFeed} reads from, and its bounds. Immutable.
 *
 * @param controls addresses of control nodes, such as {@code http://10.0.0.1:7070}; one is asked at
 *     a time, the next when it does not answer
 * @param token what opens the stream; one that may only follow is enough
 * @param connectTimeout how long a connection may take to be made
 * @param heartbeat how often the control node is asked to say that all is well
 * @param silence after how long without a word a connection is given up
 * @param entriesMax entries that are kept for the follower before no more are read
 * @param bytesMax bytes of envelopes that are kept so
 * @param only what is asked for of a control node's streams, such as {@code rods}, or null for all
 */
public record HttpFeedConfig(
    List<URI> controls,
    String token,
    Duration connectTimeout,
    Duration heartbeat,
    Duration silence,
    int entriesMax,
    int bytesMax,
    @Nullable String only) {

  /** Refuses addresses that cannot be asked, and bounds under which nothing could be read. */
  public HttpFeedConfig {
    controls = List.copyOf(controls);
    Check.that(!controls.isEmpty(), "controls", controls, "at least one address");
    for (var control : controls) {
      Check.that(
          control.getHost() != null
              && ("http".equals(control.getScheme()) || "https".equals(control.getScheme())),
          "control",
          control,
          "such as http://10.0.0.1:7070");
    }
    Check.that(!token.isBlank(), "token of the follower", "none", "one that may follow");
    Check.that(connectTimeout.isPositive(), "connectTimeout", connectTimeout, "> 0");
    Check.that(heartbeat.toMillis() >= 100, "heartbeat", heartbeat, "at least 100 ms");
    Check.that(silence.compareTo(heartbeat) > 0, "silence", silence, "longer than the heartbeat");
    Check.that(entriesMax >= 1, "entriesMax", entriesMax, ">= 1");
    Check.that(bytesMax >= 1, "bytesMax", bytesMax, ">= 1");
  }

  /** 2 s to connect, a heartbeat a second, 5 s of silence, 4,096 entries or 16 MiB. */
  public static HttpFeedConfig of(List<URI> controls, String token) {
    return new HttpFeedConfig(
        controls,
        token,
        Duration.ofSeconds(2),
        Duration.ofSeconds(1),
        Duration.ofSeconds(5),
        4_096,
        16 << 20,
        null);
  }

  /** The same, but for a part of the ledger; of all else only the positions come. */
  public HttpFeedConfig withOnly(String part) {
    return new HttpFeedConfig(
        controls, token, connectTimeout, heartbeat, silence, entriesMax, bytesMax, part);
  }

  /** What a query says of that part, behind the separator; nothing for all. */
  String part(String separator) {
    return only == null ? "" : separator + "only=" + only;
  }

  /** Shows no token. */
  @Override
  public String toString() {
    return "HttpFeedConfig" + controls;
  }
}
