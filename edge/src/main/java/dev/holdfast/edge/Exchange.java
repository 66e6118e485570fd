package dev.holdfast.edge;

import dev.holdfast.ledger.Endpoint;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One request from its whole head to its line in the log: it finds a place, holds or connects,
 * passes both bodies, and answers for every way in which that can end. Confined to its event loop.
 *
 * <pre>
 * OPEN -> HELD -> OPEN            (an app starts)
 * OPEN -> CONNECTING -> OPEN      (refused: the next endpoint)
 *         CONNECTING -> ACTIVE -> CONNECTING   (a pooled connection was stale)
 *                       ACTIVE -> TUNNEL
 * any -> DONE
 * </pre>
 */
final class Exchange {
  /** After a refused connect, others are preferred this long. */
  static final Duration AVOID = Duration.ofSeconds(5);

  private enum Phase {
    OPEN,
    HELD,
    CONNECTING,
    ACTIVE,
    TUNNEL,
    DONE
  }

  private final ClientConnection client;
  private final Loop loop;
  private final Shared shared;
  private final Request request;
  private final RequestPump requestPump;
  private final LogLine line;
  private final Set<String> tried = new HashSet<>(2);
  private final HeaderRules.Seen seen;
  private final long startNanos;
  private Phase phase = Phase.OPEN;
  private @Nullable String service;
  private @Nullable Gauge gauge;
  private @Nullable Connecting connecting;
  private @Nullable UpstreamConnection up;
  private @Nullable ResponsePump responsePump;
  private @Nullable Tunnel tunnel;
  private int tries;
  private boolean freshOnly;

  Exchange(ClientConnection client, Loop loop, Request request) {
    this.client = client;
    this.loop = loop;
    this.request = request;
    shared = loop.shared();
    line = new LogLine(client.arrival());
    requestPump = new RequestPump(this, client, request);
    startNanos = shared.time.nanos();
    Time time = shared.time;
    seen =
        new HeaderRules.Seen(
            client.arrival(),
            RequestId.of(request.headers(), loop.random()),
            time.now().toEpochMilli());
    line.method = request.method();
    line.path = request.target();
    line.host = request.authority().text();
    line.requestId = seen.requestId();
    line.forwardedFor = HeaderRules.forwardedFor(request.headers(), seen.arrival().peer());
  }

  Request request() {
    return request;
  }

  @Nullable UpstreamConnection up() {
    return up;
  }

  void start() {
    guarded(this::route);
  }

  private void route() {
    if (HeaderRules.loops(request.headers())) {
      answer(508, null, "Routed in circles", null);
      return;
    }
    var route = shared.view.get().route(request.authority().host());
    if (route == null) {
      answer(404, null, "No such app", null);
      return;
    }
    var address = route.address();
    if (address != null) {
      connect(Target.of(address));
    } else {
      service = route.service();
      choose();
    }
  }

  // Finding a place

  private void choose() {
    if (service == null) {
      throw new IllegalStateException("a route without service and address");
    }
    var choice =
        Chooser.choose(
            shared.view.get(),
            service,
            tried,
            shared.gauges,
            shared.config,
            loop.random(),
            shared.time.nanos());
    switch (choice) {
      case Chooser.Choice.Send(Endpoint endpoint) -> {
        loop.holds().remove(this);
        line.dyno = endpoint.name();
        connect(Target.of(endpoint));
      }
      case Chooser.Choice.Hold _ -> hold();
      case Chooser.Choice.Refuse(Code code) -> fail(code, null);
    }
  }

  /** The routing changed while the request was held. */
  void chooseAgain() {
    if (phase == Phase.HELD) {
      guarded(this::choose);
    }
  }

  private void hold() {
    if (phase == Phase.HELD) {
      return;
    }
    if (!loop.holds().add(this)) {
      fail(Code.H11, null);
      return;
    }
    phase = Phase.HELD;
    client.alarm().in(shared.config.bootWait());
    client.watch();
  }

  // Connecting

  private void connect(Target target) {
    phase = Phase.CONNECTING;
    client.alarm().off();
    var entered = shared.gauges.of(target);
    entered.enter();
    gauge = entered;
    if (!freshOnly) {
      var pooled = loop.pool().take(target, entered.generation(), shared.time.nanos());
      if (pooled != null) {
        line.connectMillis = 0;
        attach(pooled);
        return;
      }
    }
    client.watch();
    var attempt =
        new Connecting(loop, target, entered, shared.config.connectTriesMax() - tries, this);
    connecting = attempt;
    attempt.start();
  }

  void connected(UpstreamConnection connection) {
    var attempt = connecting;
    connecting = null;
    if (phase != Phase.CONNECTING || attempt == null) {
      connection.close();
      return;
    }
    tries += attempt.tries();
    line.connectMillis = attempt.millis();
    guarded(() -> attach(connection));
  }

  /** No address of the target took a connection. */
  void unreachable(Code code, @Nullable String cause) {
    var attempt = connecting;
    connecting = null;
    if (phase != Phase.CONNECTING || attempt == null) {
      return;
    }
    tries += Math.max(1, attempt.tries());
    line.connectMillis = attempt.millis();
    if (gauge != null) {
      gauge.avoidUntil(shared.time.nanos() + AVOID.toNanos());
      gauge.leave();
      gauge = null;
    }
    guarded(() -> {
      tried.add(attempt.target().id());
      if (service == null || tries >= shared.config.connectTriesMax() || !others()) {
        fail(code, cause);
      } else {
        phase = Phase.OPEN;
        choose();
      }
    });
  }

  /** Whether an endpoint is left that was not tried. */
  private boolean others() {
    return service != null
        && shared.view.get().endpoints(service).stream()
            .anyMatch(e -> e.state() == Endpoint.State.UP && !tried.contains(e.id()));
  }

  private void attach(UpstreamConnection connection) {
    phase = Phase.ACTIVE;
    up = connection;
    connection.attach(this);
    if (gauge != null) {
      gauge.reached();
    }
    responsePump = new ResponsePump(this, client, connection, shared.config);
    requestPump.begin(connection, seen);
    connection.channel().read();
  }

  // What the two connections and the clock say

  void clientProgress() {
    if (phase == Phase.ACTIVE) {
      guarded(requestPump::pump);
    } else if (phase != Phase.DONE && client.ended() && requestPump.neverWhole()) {
      clientGone();
      client.abort();
    }
  }

  void clientWritable() {
    if (phase == Phase.ACTIVE) {
      touch();
      guarded(this::pumpResponse);
    } else if (tunnel != null) {
      tunnel.writable(true);
    }
  }

  void upstreamWritable() {
    if (phase == Phase.ACTIVE) {
      touch();
      guarded(requestPump::pump);
    }
  }

  void upstreamProgress() {
    if (phase == Phase.ACTIVE) {
      touch();
      guarded(this::pumpResponse);
    }
  }

  /** The app takes no more of the request: what matters now is its answer. */
  void upstreamDeaf() {
    if (phase == Phase.ACTIVE) {
      requestPump.cut();
    }
  }

  /** The whole request is on its way; the app may think from now on. */
  void requestSent() {
    if (phase == Phase.ACTIVE && responsePump != null && !responsePump.begun()) {
      client.alarm().in(shared.config.firstByteTimeout());
    }
  }

  /** A byte passed in either direction. */
  void touch() {
    boolean thinking = requestPump.done() && responsePump != null && !responsePump.begun();
    if (!thinking) {
      client.alarm().in(shared.config.idleTimeout());
    }
  }

  void timedOut() {
    switch (phase) {
      case HELD -> fail(Code.H20, null);
      case ACTIVE -> {
        if (responsePump != null && responsePump.begun()) {
          fail(client.channel().isWritable() ? Code.H15 : Code.H28, null);
        } else {
          fail(requestPump.waitsForClient() ? Code.H28 : Code.H12, null);
        }
      }
      case TUNNEL -> {
        if (tunnel != null) {
          tunnel.timedOut();
        }
      }
      case OPEN, CONNECTING, DONE -> {}
    }
  }

  /** The client's connection broke. */
  void clientGone() {
    if (tunnel != null) {
      tunnel.gone(true);
    } else if (phase != Phase.DONE) {
      line.status = Code.H27.status();
      end(Code.H27, null);
    }
  }

  /** The edge goes down and cannot wait any longer. */
  void cut() {
    if (tunnel != null) {
      tunnel.cut(Code.H24);
    } else if (phase != Phase.DONE) {
      line.status = 0;
      end(Code.H24, null);
    }
  }

  // Passing

  private void pumpResponse() {
    if (responsePump != null) {
      responsePump.pump();
    }
  }

  boolean requestDone() {
    return requestPump.done();
  }

  /** Whether the client sent everything, passed on or not. */
  boolean requestWhole() {
    return requestPump.whole();
  }

  /** Whether a 100 went to the client already. */
  boolean continued() {
    return requestPump.continued();
  }

  void sent(long bytes) {
    line.bytes += bytes;
  }

  void status(int status) {
    line.status = status;
  }

  /** The response is over. */
  void finished(boolean reusable, Duration keep, boolean keepAlive) {
    var connection = up;
    up = null;
    if (connection != null) {
      connection.release(reusable, keep);
    }
    end(null, null);
    client.channel().flush(); // last, so that whoever has the answer finds it accounted for
    client.exchangeDone(keepAlive);
  }

  /**
   * The app closed a connection that had lain in the pool before it said anything. The request goes
   * to a fresh one when it may be sent twice and nothing of its body is gone.
   */
  boolean retry() {
    var stale = up;
    if (stale == null
        || !stale.reused()
        || freshOnly
        || !request.idempotent()
        || requestPump.bodyBegun()) {
      return false;
    }
    freshOnly = true;
    up = null;
    stale.close();
    leave();
    connect(stale.target());
    return true;
  }

  void beginTunnel(UpstreamConnection connection) {
    phase = Phase.TUNNEL;
    if (gauge != null) {
      gauge.tunnel(1);
    }
    var begun =
        new Tunnel(
            this,
            client.channel(),
            connection.channel(),
            client.alarm(),
            shared.config.idleTimeout());
    tunnel = begun;
    connection.attach(begun);
    client.attach(begun);
    begun.start(client.takeIn(), connection.takeIn());
    if (client.ended()) {
      begun.ended(true);
    }
    if (connection.ended()) {
      begun.ended(false);
    }
  }

  void tunnelEnded(@Nullable Code code) {
    tunnel = null;
    if (gauge != null) {
      gauge.tunnel(-1);
    }
    end(code, null);
  }

  // Ending

  void internal() {
    fail(Code.H99, null);
  }

  void fail(Code code, @Nullable String cause) {
    fail(code, cause, code == Code.H28 ? 408 : code.status());
  }

  /** Ends with that code: a page when nothing of a response is out yet, otherwise a reset. */
  void fail(Code code, @Nullable String cause, int status) {
    if (phase == Phase.DONE) {
      return;
    }
    boolean out = responsePump != null && responsePump.out();
    if (out) {
      end(code, cause);
      client.abort();
    } else {
      answer(status, code, code.description(), cause);
    }
  }

  private void answer(int status, @Nullable Code code, String title, @Nullable String cause) {
    line.status = code == Code.H28 ? code.status() : status;
    end(code, cause);
    client.answer(
        new ErrorPage(status, code, title, seen.requestId()),
        request,
        request.keepAlive() && requestPump.bodyRead() && code != Code.H28);
  }

  private void end(@Nullable Code code, @Nullable String cause) {
    loop.holds().remove(this);
    phase = Phase.DONE;
    client.alarm().off();
    var connection = up;
    up = null;
    if (connection != null) {
      connection.close();
    }
    leave();
    line.serviceMillis = Math.max(0, (shared.time.nanos() - startNanos) / 1_000_000);
    shared.log(service, line.render(code, cause));
  }

  private void leave() {
    if (gauge != null) {
      gauge.leave();
      gauge = null;
    }
  }

  /** A defect of ours costs one request and shows as H99. */
  private void guarded(Runnable step) {
    try {
      step.run();
    } catch (RuntimeException e) {
      Shared.bug("a request failed", e);
      internal();
    }
  }
}
