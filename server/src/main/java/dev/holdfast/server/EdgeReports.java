package dev.holdfast.server;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Time;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the edges in other processes say of themselves: how far they applied the ledger, and what is
 * under way to endpoints that are drained. Forgotten when this process ends; edges say it again.
 * Thread-safe.
 */
final class EdgeReports {
  /** An edge that said nothing for so long is not waited for when something is drained. */
  static final Duration LIVE = Duration.ofSeconds(10);

  /** But it may serve on by itself: so long its ports are not given to others. */
  static final Duration KNOWN = Duration.ofHours(1);

  /** Most edges. */
  static final int EDGES_MAX = 1_000;

  private static final Duration RETRY_AFTER = Duration.ofSeconds(10);
  static final Pattern NAME = Pattern.compile("[a-z0-9-]{1,63}");

  private final Ledger ledger;
  private final Time time;
  private final long waitUntilNanos;
  private final Map<String, Heard> edges = new ConcurrentHashMap<>();

  private record Heard(Report report, long nanos) {}

  /**
   * What an edge says once a second, and soon after it applied something.
   *
   * @param position up to where it applied the ledger
   * @param standing of its follower
   * @param address where visitors reach it
   * @param requests under way to endpoints that are drained, by key of the endpoint
   * @param rods what control rods did there
   * @param follower everything else that its follower says of itself, or null
   */
  @JsonIgnoreProperties(ignoreUnknown = true) // of an edge that is newer
  record Report(
      long position,
      String standing,
      String address,
      Map<String, Integer> requests,
      @Nullable RodFelt rods,
      @Nullable FollowerShape follower) {
    Report {
      Check.that(position >= 0, "position", position, "0 or more");
      Objects.requireNonNull(standing, "standing");
      Objects.requireNonNull(address, "address");
      requests = Map.copyOf(Objects.requireNonNull(requests, "requests"));
    }
  }

  /** An edge as people see it. */
  record EdgeShape(
      String name, String address, long position, long behind, String standing, long secondsAgo) {}

  /** All of them. */
  record EdgeList(List<EdgeShape> items) {}

  /**
   * Knows of no edge yet.
   *
   * @param wait how long after this start edges are expected to come back before what they apply is
   *     believed to be all
   */
  EdgeReports(Ledger ledger, Duration wait, Time time) {
    this.ledger = ledger;
    this.time = time;
    waitUntilNanos = time.nanos() + wait.toNanos();
  }

  List<Operation> all() {
    return List.of(
        Operation.of(
                HandlerType.PUT,
                "/v1/edges/{name}",
                "An edge in a process of its own says how far it is.",
                Report.class,
                null,
                204,
                this::report)
            .as(Operation.Access.FOLLOW_CALL, null)
            .doing(Operation.Effect.READS),
        Operation.get(
            "/v1/edges",
            "Lists the edges in processes of their own that were heard of lately.",
            EdgeList.class,
            _ -> list()));
  }

  private @Nullable Object report(Context context) throws IOException {
    var name = context.pathParam("name");
    Check.that(NAME.matcher(name).matches(), "edge", name, "a name of a-z, 0-9 and '-'");
    var report = Json.body(context, Report.class);
    long now = time.nanos();
    edges.values().removeIf(heard -> now - heard.nanos() > KNOWN.toNanos());
    if (edges.size() >= EDGES_MAX && !edges.containsKey(name)) {
      throw Problem.of(new Refusal.Unavailable(EDGES_MAX + " edges are known", RETRY_AFTER));
    }
    edges.put(name, new Heard(report, now));
    return null;
  }

  private Object list() {
    long now = time.nanos();
    return new EdgeList(
        edges.entrySet().stream()
            .sorted(Map.Entry.comparingByKey())
            .map(edge -> {
              var report = edge.getValue().report();
              return new EdgeShape(
                  edge.getKey(),
                  report.address(),
                  report.position(),
                  Math.max(0, ledger.head() - report.position()),
                  report.standing(),
                  Duration.ofNanos(now - edge.getValue().nanos()).toSeconds());
            })
            .toList());
  }

  /** What the followers of edges say that were heard of lately, each by the name of its edge. */
  List<FollowerShape> followers() {
    long now = time.nanos();
    var all = new ArrayList<FollowerShape>();
    new TreeMap<>(edges)
        .forEach((name, heard) -> {
          var said = heard.report().follower();
          if (said != null && now - heard.nanos() <= LIVE.toNanos()) {
            all.add(said.named("edge " + name));
          }
        });
    return all;
  }

  /** Whether every edge that was heard of within that time applied the ledger up to there. */
  boolean applied(long position, Duration within) {
    long now = time.nanos();
    if (now - waitUntilNanos < 0) {
      return false;
    }
    for (var heard : edges.values()) {
      if (now - heard.nanos() <= within.toNanos() && heard.report().position() < position) {
        return false;
      }
    }
    return true;
  }

  /** What control rods did at all edges that were heard of lately. */
  RodFelt felt() {
    long now = time.nanos();
    var sum = RodFelt.NONE;
    for (var heard : edges.values()) {
      var felt = heard.report().rods();
      if (felt != null && now - heard.nanos() <= KNOWN.toNanos()) {
        sum = sum.plus(felt);
      }
    }
    return sum;
  }

  /**
   * The lowest position that an edge which was heard of lately stands at, or {@code most} when all
   * are beyond it.
   */
  long lowest(long most) {
    long now = time.nanos();
    long lowest = most;
    for (var heard : edges.values()) {
      if (now - heard.nanos() <= KNOWN.toNanos()) {
        lowest = Math.min(lowest, heard.report().position());
      }
    }
    return lowest;
  }

  /** How many requests are under way at live edges to that endpoint, which is drained. */
  int inFlight(String service, String endpointId) {
    long now = time.nanos();
    int sum = 0;
    for (var heard : edges.values()) {
      if (now - heard.nanos() <= LIVE.toNanos()) {
        sum += heard.report().requests().getOrDefault(Endpoint.key(service, endpointId), 0);
      }
    }
    return sum;
  }
}
