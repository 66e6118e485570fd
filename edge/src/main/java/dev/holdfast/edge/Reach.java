package dev.holdfast.edge;

import dev.holdfast.ledger.Policy;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How one request reaches an app: which endpoint, over which connection, and where to next when
 * nobody takes it. Used again for the next request. Confined to its event loop.
 */
final class Reach {
  /** After a refused connect, others are preferred this long. */
  static final Duration AVOID = Duration.ofSeconds(5);

  private final Exchange exchange;
  private final ClientConnection client;
  private final Loop loop;
  private final Shared shared;
  private @Nullable Set<String> tried;
  private @Nullable Gauge gauge;
  private @Nullable Connecting connecting;
  private int tries;
  private boolean freshOnly;
  private final Returning.Token token = new Returning.Token();

  Reach(Exchange exchange, ClientConnection client, Loop loop) {
    this.exchange = exchange;
    this.client = client;
    this.loop = loop;
    shared = loop.shared();
  }

  /** Ready for a new request. */
  void reset() {
    tried = null;
    tries = 0;
    freshOnly = false;
    token.reset();
  }

  /** What is known of the endpoint that was chosen, or null. */
  @Nullable Gauge gauge() {
    return gauge;
  }

  /** Whether the request is a retry. */
  boolean freshOnly() {
    return freshOnly;
  }

  /** To the same endpoint again, once, by a connection that nobody used before. */
  boolean again(UpstreamConnection stale, Entry entry) {
    var to = gauge;
    if (to == null || freshOnly || !entry.mayRetry()) {
      return false;
    }
    freshOnly = true;
    exchange.meter().retried();
    stale.close();
    leave();
    connect(to);
    return true;
  }

  /** Finds an endpoint for the request, lets it wait for one, or says why there is none. */
  void choose(Place found) {
    boolean ours = found.serviceName() != null;
    if (ours) {
      var closed = Closed.always(found);
      if (closed != null) {
        exchange.fail(closed, null);
        return;
      }
    }
    var most = found.policy().requestsPerEndpointMax();
    int max =
        most != null ? most : ours ? shared.config.requestsPerEndpointMax() : Integer.MAX_VALUE;
    boolean many = found.policy().upstream() == Policy.Upstream.H2C;
    int links = many ? Integer.MAX_VALUE : connectionsMax(found);
    var candidates = loop.candidates().of(found, tried, max, links, loop.now());
    int choice = home(found, candidates);
    if (choice < 0) {
      choice = Balance.pick(candidates, loop.random());
    }
    if (choice >= 0) {
      loop.holds().remove(exchange);
      exchange.tally().dyno = found.dyno(choice);
      connect(found.gauge(choice));
    } else if (choice == Balance.FULL) {
      exchange.fail(Code.H11, null);
    } else if (tried != null) {
      exchange.fail(Code.H21, null);
    } else {
      var refusal = Closed.now(found);
      if (refusal == null) {
        hold();
      } else {
        exchange.fail(refusal, null);
      }
    }
  }

  private static int connectionsMax(Place place) {
    var most = place.policy().connectionsPerEndpointMax();
    return most == null ? Integer.MAX_VALUE : most;
  }

  /** Where the visitor came from, when that counts and it is a place to go to. */
  private int home(Place found, Candidates candidates) {
    var extras = found.extras();
    var asked = exchange.request();
    return extras == null || !extras.sticky() || asked == null
        ? Returning.ANYWHERE
        : loop.returning().home(asked, found, candidates, token);
  }

  /** The line that makes the visitor come back, or null when there is nothing to say. */
  byte @Nullable [] cookie() {
    return gauge == null
        ? null
        : loop.returning().line(gauge.target, token, client.arrival().secure());
  }

  /** Admission let the request in after a wait; false when nobody waits any more. */
  boolean goesOn() {
    var found = exchange.place();
    if (exchange.phase() != Phase.WAITING || found == null) {
      return false;
    }
    exchange.phase(Phase.OPEN);
    try {
      choose(found);
    } catch (RuntimeException e) {
      exchange.broke(e);
    }
    return true;
  }

  /** The routing changed while the request was held. */
  void chooseAgain() {
    if (exchange.phase() != Phase.HELD) {
      return;
    }
    try {
      var found = exchange.placeNow();
      if (found == null) {
        exchange.answer(404, null, "No such app", null, "");
      } else {
        choose(found);
      }
    } catch (RuntimeException e) {
      exchange.broke(e);
    }
  }

  private void hold() {
    if (exchange.phase() == Phase.HELD) {
      return;
    }
    if (!loop.holds().add(exchange)) {
      exchange.fail(Code.H11, null);
      return;
    }
    exchange.phase(Phase.HELD);
    client.alarm().in(shared.bootWaitNanos);
    client.watch();
  }

  // Connecting

  private void connect(Gauge to) {
    exchange.phase(Phase.CONNECTING);
    client.alarm().off();
    to.enter();
    gauge = to;
    if (!freshOnly) {
      var pooled = loop.pool().take(to.target, to.generation(), loop.now());
      if (pooled != null) {
        exchange.tally().connectMillis = 0;
        exchange.meter().reused();
        exchange.attach(pooled);
        return;
      }
    }
    client.watch();
    var place = exchange.place();
    int links = place == null ? Integer.MAX_VALUE : connectionsMax(place);
    if (to.connections() >= links) {
      loop.makeRoom(to);
    }
    var attempt = new Connecting(loop, to, shared.config.connectTriesMax() - tries, links, this);
    connecting = attempt;
    attempt.start();
  }

  void connected(Connecting attempt, UpstreamConnection connection) {
    if (exchange.phase() != Phase.CONNECTING || attempt != connecting) {
      connection.close();
      return;
    }
    connecting = null;
    tries += attempt.tries();
    exchange.tally().connectMillis = attempt.nanos() / Entry.NANOS_PER_MILLI;
    exchange.meter().connected(attempt.nanos());
    try {
      exchange.attach(connection);
    } catch (RuntimeException e) {
      exchange.broke(e);
    }
  }

  /** No address of the target took a connection. */
  void unreachable(Connecting attempt, Code code, @Nullable String cause) {
    if (exchange.phase() != Phase.CONNECTING || attempt != connecting) {
      return;
    }
    connecting = null;
    tries += Math.max(1, attempt.tries());
    exchange.tally().connectMillis = attempt.nanos() / Entry.NANOS_PER_MILLI;
    if (gauge != null) {
      if (code != Code.H11) { // which says that it is busy, not that it is ill
        exchange.meter().connectFailed();
        gauge.avoidUntil(shared.time.nanos() + AVOID.toNanos());
        gauge.quarantine.failed(loop.now());
      }
      gauge.leave();
      gauge = null;
    }
    var excluded = tried == null ? new HashSet<String>(2) : tried;
    tried = excluded;
    excluded.add(attempt.target().id());
    try {
      var now = tries >= shared.config.connectTriesMax() ? null : others(excluded);
      if (now == null) {
        exchange.fail(code, cause);
      } else {
        exchange.phase(Phase.OPEN);
        choose(now);
      }
    } catch (RuntimeException e) {
      exchange.broke(e);
    }
  }

  /** The place in the routing of now, when an endpoint of it is left that was not tried. */
  private @Nullable Place others(Set<String> excluded) {
    var found = exchange.placeNow();
    return found != null
            && found.serviceName() != null
            && loop.candidates().of(found, excluded, 0, 0, loop.now()).any()
        ? found
        : null;
  }

  /** Nothing is under way at the endpoint any more. */
  void leave() {
    if (gauge != null) {
      gauge.leave();
      gauge = null;
    }
  }
}
