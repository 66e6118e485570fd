package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.holdfast.limits.Check;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Traffic as an edge wrote it down in its access log ({@code edge.access-log-format = json}): when
 * each request came, on which connection, its sizes and how it ended. No bodies, no fields but the
 * host and the user agent. Immutable.
 *
 * @param requests in order of time
 */
record Trace(List<Request> requests) {
  private static final long LINES_MAX = 5_000_000;
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int SLOW_BYTES_MIN = 64 * 1024;
  private static final long SLOW_MILLIS_MIN = 100;
  private static final long BODY_BYTES_MAX = 16 << 20;

  Trace {
    requests = List.copyOf(requests);
  }

  /**
   * One request of the log.
   *
   * @param startMillis since the first of the trace
   * @param connection which one carried it, numbered from 0
   * @param tookMillis until its end
   * @param code how it ended when something was wrong with it, such as H27; empty when nothing was
   */
  record Request(
      long startMillis,
      int connection,
      String method,
      String host,
      String path,
      String agent,
      long bytesIn,
      long bytesOut,
      long tookMillis,
      int status,
      String code) {

    /** Whether the visitor went away before the answer. */
    boolean aborted() {
      return code.equals("H27");
    }

    /** How fast the visitor read, or 0 when that was no matter. */
    long bytesPerSecond() {
      return bytesOut >= SLOW_BYTES_MIN && tookMillis >= SLOW_MILLIS_MIN
          ? bytesOut * 1000 / tookMillis
          : 0;
    }
  }

  /**
   * Reads an access log; lines that are no requests of HTTP/1 are passed over.
   *
   * @throws IOException when it cannot be read or a line is no JSON
   */
  static Trace read(Path log) throws IOException {
    var raw = new ArrayList<JsonNode>();
    try (var lines = Files.lines(log)) {
      for (var line : (Iterable<String>) lines.limit(LINES_MAX)::iterator) {
        try {
          var node = JsonMapper.shared().readTree(line);
          if (node.has("method") && node.path("protocol").asString("").equals("http1.1")) {
            raw.add(node);
          }
        } catch (JacksonException e) {
          throw new IOException(Check.message(log.toString(), Check.printable(line), "JSON"), e);
        }
      }
    }
    raw.sort(Comparator.comparingLong(Trace::started));
    var connections = new HashMap<String, Integer>();
    var requests = new ArrayList<Request>();
    for (var node : raw) {
      requests.add(request(node, started(raw.getFirst()), connections));
    }
    return new Trace(requests);
  }

  private static long started(JsonNode node) {
    return Instant.parse(node.get("time").asString()).toEpochMilli() - took(node);
  }

  private static long took(JsonNode node) {
    return node.path("connect_ms").asLong(0) + node.path("service_ms").asLong(0);
  }

  private static Request request(JsonNode node, long first, Map<String, Integer> connections) {
    var from = node.path("peer").asString("") + ":" + node.path("peer_port").asString("");
    return new Request(
        started(node) - first,
        connections.computeIfAbsent(from, _ -> connections.size()),
        node.get("method").asString(),
        node.path("host").asString(""),
        node.path("path").asString("/"),
        node.path("user_agent").asString(""),
        node.path("bytes_in").asLong(0),
        node.path("bytes").asLong(0),
        took(node),
        node.path("status").asInt(0),
        node.path("code").asString(""));
  }

  /** The same without the first requests. */
  Trace without(long first) {
    return new Trace(requests.subList((int) Math.min(first, requests.size()), requests.size()));
  }

  int connections() {
    return requests.stream().mapToInt(Request::connection).max().orElse(-1) + 1;
  }

  /** From the first request to the last, in seconds. */
  double seconds() {
    return requests.isEmpty() ? 0 : requests.getLast().startMillis() / 1000.0;
  }

  /**
   * The same traffic so many times as fast, again and again for so long.
   *
   * @param from seconds after the start of the load at which it begins
   * @param patience of those who did not go away in the trace
   */
  Plan plan(double from, int speed, double seconds, Duration patience) {
    var visits = new ArrayList<Plan.Visit>();
    var last = new HashMap<Integer, Integer>();
    for (int i = 0; i < requests.size(); i++) {
      last.put(requests.get(i).connection(), i);
    }
    double pass = (seconds() + 0.001) / speed;
    int passes = (int) Math.max(1, Math.round(seconds / pass));
    for (int i = 0; i < passes; i++) {
      for (int j = 0; j < requests.size(); j++) {
        var request = requests.get(j);
        double due = from + i * pass + request.startMillis() / 1000.0 / speed;
        visits.add(
            new Plan.Visit(
                (long) (due * 1e9),
                i * connections() + request.connection(),
                bytes(request),
                request.aborted() ? Duration.ofMillis(Math.max(1, request.tookMillis())) : patience,
                request.bytesPerSecond(),
                request.aborted(),
                Objects.equals(last.get(request.connection()), j)));
      }
    }
    return new Plan(passes * connections(), visits);
  }

  /** The same at the speed at which it was. */
  Plan plan(double from) {
    return plan(from, 1, seconds(), PATIENCE);
  }

  private static byte[] bytes(Request request) {
    var out = new ByteArrayOutputStream();
    var head = new StringBuilder();
    head.append(request.method()).append(' ').append(request.path()).append(" HTTP/1.1\r\nHost: ");
    head.append(request.host()).append("\r\n");
    if (!request.agent().isEmpty()) {
      head.append("User-Agent: ").append(request.agent()).append("\r\n");
    }
    long body = Math.min(request.bytesIn(), BODY_BYTES_MAX);
    if (body > 0) {
      head.append("Content-Length: ").append(body).append("\r\n");
    }
    out.writeBytes(head.append("\r\n").toString().getBytes(ISO_8859_1));
    out.writeBytes(new byte[(int) body]);
    return out.toByteArray();
  }
}
