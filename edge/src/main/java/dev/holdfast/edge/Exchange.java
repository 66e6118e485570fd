package dev.holdfast.edge;

import dev.holdfast.ledger.Policy;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One request from its whole head to its line in the log: it finds a place, holds or connects,
 * passes both bodies, and answers for every way in which that can end. A connection has one and
 * uses it again for its next request. Confined to its event loop.
 *
 * <pre>
 * OPEN -> HELD -> OPEN            (an app starts)
 * OPEN -> CONNECTING -> OPEN      (refused: the next endpoint)
 *         CONNECTING -> ACTIVE -> CONNECTING   (a pooled connection was stale)
 *                       ACTIVE -> TUNNEL
 * any -> DONE
 * </pre>
 */
final class Exchange implements Waiter {
  /** After a refused connect, others are preferred this long. */
  static final Duration AVOID = Duration.ofSeconds(5);

  private static final long NANOS_PER_MILLI = 1_000_000;

  private enum Phase {
    OPEN,
    PARKED,
    WAITING,
    HELD,
    CONNECTING,
    ACTIVE,
    TUNNEL,
    DONE
  }

  private final ClientConnection client;
  private final Loop loop;
  private final Shared shared;
  private final RequestPump requestPump;
  private final ResponsePump responsePump;
  private final Heads.Sent seen = new Heads.Sent();
  private final Tally tally = new Tally();
  private Phase phase = Phase.DONE;
  private long number;
  private long startNanos;
  private @Nullable Request request;
  private @Nullable Place place;
  private @Nullable Set<String> tried;
  private @Nullable Meter meter;
  private @Nullable Gate gate;
  private boolean admitted;
  private boolean parked;
  private boolean streams;
  private long sentNanos;
  private long bodyMax;
  private long idleNanos;
  private long firstByteNanos;
  private @Nullable Gauge gauge;
  private @Nullable Connecting connecting;
  private @Nullable UpstreamConnection up;
  private @Nullable Tunnel tunnel;
  private int tries;
  private boolean freshOnly;

  Exchange(ClientConnection client, Loop loop) {
    this.client = client;
    this.loop = loop;
    shared = loop.shared();
    requestPump = new RequestPump(this, client);
    responsePump = new ResponsePump(this, client);
  }

  Loop loop() {
    return loop;
  }

  /** Which of the connection's requests this is, so that what comes late is known as such. */
  long number() {
    return number;
  }

  @Nullable UpstreamConnection up() {
    return up;
  }

  /** Takes a request over and begins with it. */
  void start(Request next) {
    number++;
    request = next;
    phase = Phase.OPEN;
    place = null;
    tried = null;
    tries = 0;
    freshOnly = false;
    startNanos = loop.now();
    requestPump.reset(next);
    tally.reset();
    meter = null;
    gate = null;
    admitted = false;
    streams = false;
    sentNanos = startNanos;
    bodyMax = Long.MAX_VALUE;
    idleNanos = shared.idleNanos;
    firstByteNanos = shared.firstByteNanos;
    RequestId.of(next.head, loop.random(), seen);
    Heads.noteForwardedFor(next.head, client.arrival().peerBytes(), seen);
    try {
      route(next);
    } catch (RuntimeException e) {
      broke(e);
    }
  }

  private void route(Request asked) {
    if (Heads.loops(asked.head)) {
      answer(508, null, "Routed in circles", null, "");
      return;
    }
    if (Challenges.asked(asked)) {
      var proof = Challenges.response(asked, shared.keys);
      if (proof != null) {
        prove(proof);
        return;
      }
    }
    var found = loop.places().find(asked.authority, shared.view.get());
    if (found == null) {
      answer(404, null, "No such app", null, "");
      return;
    }
    place = found;
    measured(found.serviceName());
    if (obeys(asked, found.policy())) {
      enter(asked, found);
    }
  }

  /** Whether the policy of the host lets the request go on. */
  private boolean obeys(Request asked, Policy policy) {
    if (policy.inMaintenance()) {
      fail(Code.H80, null);
      return false;
    }
    if (policy.redirectsToHttps() && !client.arrival().secure()) {
      int status = asked.toHead() || asked.isGet() ? 301 : 308;
      var to = "Location: https://" + asked.location(shared.config.httpsPort()) + "\r\n";
      answer(status, null, "Come by HTTPS", null, to);
      return false;
    }
    var first = policy.firstByteTimeoutMillis();
    if (first != null) {
      firstByteNanos = first * NANOS_PER_MILLI;
    }
    var idle = policy.idleTimeoutMillis();
    if (idle != null) {
      idleNanos = idle * NANOS_PER_MILLI;
    }
    var most = policy.requestBytesMax();
    if (most != null) {
      bodyMax = most;
      if (asked.framing.length() > most) {
        tooLarge();
        return false;
      }
    }
    return true;
  }

  /** Answers a certificate authority that asks whether the host is ours. */
  private void prove(String proof) {
    var asked = request;
    tally.status = 200;
    boolean keepAlive = asked != null && asked.keepAlive() && requestPump.bodyRead();
    boolean bodyless = asked != null && asked.toHead();
    end(null, null);
    client.answer(Challenges.page(proof, bodyless, !keepAlive || client.closing()), keepAlive);
  }

  private void tooLarge() {
    answer(413, null, "Body too large", null, "");
  }

  // Admission

  private void enter(Request asked, Place found) {
    if (asked.upgrades()) {
      long wait = shared.admission.pace(0, loop.now());
      if (wait < 0) {
        refuse(503, Code.H11, "handshakes", -wait);
        return;
      }
      parked = true;
      if (wait > 0) {
        phase = Phase.PARKED;
        client.alarm().in(wait);
        client.watch();
        return;
      }
      unpark();
    }
    admit(asked, found);
  }

  private void admit(Request asked, Place found) {
    long now = loop.now();
    var lane = loop.lane();
    var entered = lane.app(found.app(), found.tenant(), Math.max(1, found.size()), now);
    gate = entered;
    var priority = Classes.of(asked, found.policy(), lane, client.key(), now);
    long deadline = Priority.deadline(Classes.deadline(asked), firstByteNanos, now);
    var verdict = lane.admit(entered, client.key(), priority, deadline, now);
    switch (verdict) {
      case ADMITTED -> {
        admitted = true;
        choose(found);
      }
      case WAIT -> {
        phase = Phase.WAITING;
        client.alarm().off();
        lane.park(entered, this, deadline, now);
        loop.crowd();
        if (phase == Phase.WAITING) {
          client.watch();
        }
      }
      case SHED, RATE, SHARE, FULL, DEADLINE -> refused(verdict);
    }
  }

  @Override
  public long clientKey() {
    return client.key();
  }

  @Override
  public void admitted(long now) {
    admitted = true;
    var found = place;
    if (phase != Phase.WAITING || found == null) {
      leaveGate();
      return;
    }
    phase = Phase.OPEN;
    try {
      choose(found);
    } catch (RuntimeException e) {
      broke(e);
    }
  }

  @Override
  public void refused(Verdict verdict) {
    var lane = loop.lane();
    long seconds = lane.retryAfterSeconds(verdict);
    switch (verdict) {
      case RATE, SHARE -> refuse(verdict.status(), null, verdict.name(), seconds);
      case SHED -> refuse(verdict.status(), Code.H11, "node overloaded", seconds);
      case DEADLINE -> refuse(verdict.status(), Code.H11, "deadline passed", seconds);
      case FULL -> refuse(verdict.status(), Code.H11, null, seconds);
      case ADMITTED, WAIT -> throw new IllegalArgumentException(verdict + " refuses nobody");
    }
  }

  private void refuse(int status, @Nullable Code code, @Nullable String cause, long seconds) {
    var more = new StringBuilder(96).append("Retry-After: ").append(seconds).append("\r\n");
    var entered = gate;
    if (status == 429 && entered != null) {
      more.append("RateLimit-Policy: \"account\";q=").append(shared.admission.quota());
      more.append(";w=").append(shared.admission.quotaSeconds()).append("\r\n");
      more.append("RateLimit: \"account\";r=")
          .append(shared.admission.remaining(entered, loop.now()));
      more.append(";t=").append(shared.admission.resetSeconds(entered, loop.now())).append("\r\n");
    }
    more.append("X-Overload: no-retry\r\n");
    answer(
        status,
        code,
        code == null ? "Too many requests" : code.description(),
        cause,
        more.toString());
  }

  /** Gives the app's slot back. */
  private void leaveGate() {
    var entered = gate;
    if (entered != null && admitted) {
      admitted = false;
      long now = loop.now();
      loop.lane()
          .finished(
              entered, client.key(), 0, 0, now - sentNanos, tally.bytesIn + tally.bytesOut, now);
    }
  }

  private Meter measured(@Nullable String service) {
    var known = meter;
    if (known == null) {
      known = loop.meters().meter(service);
      known.begun();
      meter = known;
    }
    return known;
  }

  // Finding a place

  private void choose(Place found) {
    boolean ours = found.serviceName() != null;
    if (ours) {
      var closed = Closed.always(found);
      if (closed != null) {
        fail(closed, null);
        return;
      }
    }
    var most = found.policy().requestsPerEndpointMax();
    int max =
        most != null ? most : ours ? shared.config.requestsPerEndpointMax() : Integer.MAX_VALUE;
    int choice = Balance.pick(loop.candidates().of(found, tried, max, loop.now()), loop.random());
    if (choice >= 0) {
      loop.holds().remove(this);
      tally.dyno = found.dyno(choice);
      connect(found.gauge(choice));
    } else if (choice == Balance.FULL) {
      fail(Code.H11, null);
    } else if (tried != null) {
      fail(Code.H21, null);
    } else {
      var refusal = Closed.now(found);
      if (refusal == null) {
        hold();
      } else {
        fail(refusal, null);
      }
    }
  }

  /** The routing changed while the request was held. */
  void chooseAgain() {
    var asked = request;
    if (phase != Phase.HELD || asked == null) {
      return;
    }
    try {
      var found = loop.places().find(asked.authority, shared.view.get());
      if (found == null) {
        answer(404, null, "No such app", null, "");
      } else {
        place = found;
        choose(found);
      }
    } catch (RuntimeException e) {
      broke(e);
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
    client.alarm().in(shared.bootWaitNanos);
    client.watch();
  }

  // Connecting

  private void connect(Gauge to) {
    phase = Phase.CONNECTING;
    client.alarm().off();
    to.enter();
    gauge = to;
    if (!freshOnly) {
      var pooled = loop.pool().take(to.target, to.generation(), loop.now());
      if (pooled != null) {
        tally.connectMillis = 0;
        if (meter != null) {
          meter.reused();
        }
        attach(pooled);
        return;
      }
    }
    client.watch();
    var attempt = new Connecting(loop, to, shared.config.connectTriesMax() - tries, this);
    connecting = attempt;
    attempt.start();
  }

  void connected(Connecting attempt, UpstreamConnection connection) {
    if (phase != Phase.CONNECTING || attempt != connecting) {
      connection.close();
      return;
    }
    connecting = null;
    tries += attempt.tries();
    tally.connectMillis = attempt.nanos() / 1_000_000;
    if (meter != null) {
      meter.connected(attempt.nanos());
    }
    try {
      attach(connection);
    } catch (RuntimeException e) {
      broke(e);
    }
  }

  /** No address of the target took a connection. */
  void unreachable(Connecting attempt, Code code, @Nullable String cause) {
    var found = place;
    if (phase != Phase.CONNECTING || attempt != connecting || found == null) {
      return;
    }
    connecting = null;
    tries += Math.max(1, attempt.tries());
    tally.connectMillis = attempt.nanos() / 1_000_000;
    if (meter != null) {
      meter.connectFailed();
    }
    if (gauge != null) {
      gauge.avoidUntil(shared.time.nanos() + AVOID.toNanos());
      gauge.quarantine.failed(loop.now());
      gauge.leave();
      gauge = null;
    }
    var excluded = tried == null ? new HashSet<String>(2) : tried;
    tried = excluded;
    excluded.add(attempt.target().id());
    try {
      if (found.serviceName() == null
          || tries >= shared.config.connectTriesMax()
          || !others(excluded)) {
        fail(code, cause);
      } else {
        phase = Phase.OPEN;
        var now = place;
        if (now != null) {
          choose(now);
        }
      }
    } catch (RuntimeException e) {
      broke(e);
    }
  }

  /** Whether an endpoint is left that was not tried, in the routing of now. */
  private boolean others(Set<String> excluded) {
    var asked = request;
    var found = asked == null ? null : loop.places().find(asked.authority, shared.view.get());
    if (found == null) {
      return false;
    }
    place = found;
    return loop.candidates().of(found, excluded, 0, loop.now()).any();
  }

  private void attach(UpstreamConnection connection) {
    var asked = request;
    if (asked == null) {
      throw new IllegalStateException("a connection for no request");
    }
    phase = Phase.ACTIVE;
    up = connection;
    connection.attach(this);
    if (gauge != null) {
      gauge.reached();
    }
    sentNanos = loop.now();
    if (gate != null) {
      gate.retries().deposit(sentNanos);
    }
    responsePump.reset(connection, asked);
    var head = loop.scratch().clear();
    Heads.request(head, asked, seen, client.arrival(), loop.millis());
    requestPump.begin(connection, head);
    connection.channel().read();
  }

  // What the two connections and the clock say

  void clientProgress() {
    if (phase == Phase.ACTIVE) {
      pumpRequest();
    } else if (phase != Phase.DONE && client.ended() && requestPump.neverWhole()) {
      clientGone();
      client.abort();
    }
  }

  void clientWritable() {
    if (phase == Phase.ACTIVE) {
      touch();
      pumpResponse();
    } else if (tunnel != null) {
      tunnel.writable(true);
    }
  }

  void upstreamWritable() {
    if (phase == Phase.ACTIVE) {
      touch();
      pumpRequest();
    }
  }

  void upstreamProgress() {
    if (phase == Phase.ACTIVE) {
      touch();
      pumpResponse();
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
    if (phase == Phase.ACTIVE && !responsePump.begun()) {
      client.alarm().in(firstByteNanos);
    }
  }

  /** A byte passed in either direction. */
  void touch() {
    boolean thinking = requestPump.done() && !responsePump.begun();
    if (!thinking) {
      client.alarm().in(idleNanos);
    }
  }

  void timedOut() {
    switch (phase) {
      case PARKED -> unparked();
      case HELD -> fail(Code.H20, null);
      case ACTIVE -> {
        if (responsePump.begun()) {
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
      case OPEN, WAITING, CONNECTING, DONE -> {}
    }
  }

  /** The client's connection broke. */
  void clientGone() {
    if (tunnel != null) {
      tunnel.gone(true);
    } else if (phase != Phase.DONE) {
      tally.status = Code.H27.status();
      end(Code.H27, null);
    }
  }

  /** The edge goes down and cannot wait any longer. */
  void cut() {
    if (tunnel != null) {
      tunnel.cut(Code.H24);
    } else if (phase != Phase.DONE) {
      tally.status = 0;
      end(Code.H24, null);
    }
  }

  // Passing

  private void pumpRequest() {
    try {
      requestPump.pump();
    } catch (RuntimeException e) {
      broke(e);
    }
  }

  private void pumpResponse() {
    try {
      responsePump.pump();
    } catch (RuntimeException e) {
      broke(e);
    }
  }

  /** The app said its first byte. */
  void begun() {
    touch();
    if (meter != null) {
      meter.firstByte(loop.now() - startNanos);
    }
  }

  /** So many bytes of the request's body are for the app; false when they are too many. */
  boolean received(long bytes) {
    tally.bytesIn += bytes;
    if (tally.bytesIn > bodyMax) {
      tooLarge();
      return false;
    }
    return true;
  }

  /** Whether it has ended. */
  boolean over() {
    return phase == Phase.DONE;
  }

  /** Its handshake's turn has come. */
  private void unparked() {
    var asked = request;
    var found = place;
    if (asked == null || found == null) {
      return;
    }
    phase = Phase.OPEN;
    unpark();
    try {
      admit(asked, found);
    } catch (RuntimeException e) {
      broke(e);
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
    tally.bytesOut += bytes;
  }

  void status(int status) {
    tally.status = status;
  }

  /** The app's final head came. */
  void answered(Response response) {
    status(response.status());
    var entered = gate;
    long now = loop.now();
    if (entered != null && response.status() < 500) {
      loop.lane().firstByte(entered, now - sentNanos, now);
    }
    if (gauge != null) {
      gauge.quarantine.succeeded(now);
    }
    if (response.eventStream()) {
      streams = true;
      measured(null).stream(1);
      leaveGate(); // it waits for nothing and holds no slot
    }
  }

  /** The response is over. */
  void finished(boolean reusable, long keepNanos, boolean keepAlive) {
    var connection = up;
    up = null;
    if (connection != null) {
      connection.release(reusable, gauge, keepNanos);
    }
    end(null, null);
    client.out().flush(); // last, so that whoever has the answer finds it accounted for
    client.exchangeDone(keepAlive);
  }

  /**
   * The app closed a connection that had lain in the pool before it said anything. The request goes
   * to a fresh one when it may be sent twice and nothing of its body is gone.
   */
  boolean retry() {
    var stale = up;
    var to = gauge;
    var asked = request;
    if (stale == null
        || to == null
        || asked == null
        || !stale.reused()
        || freshOnly
        || !asked.idempotent()
        || requestPump.bodyBegun()) {
      return false;
    }
    if (shared.config.retryBudget() && gate != null && !gate.retries().withdraw(loop.now())) {
      return false;
    }
    freshOnly = true;
    up = null;
    if (meter != null) {
      meter.retried();
    }
    stale.close();
    leave();
    connect(to);
    return true;
  }

  void beginTunnel(UpstreamConnection connection) {
    phase = Phase.TUNNEL;
    if (gauge != null) {
      gauge.tunnel(1);
    }
    if (meter != null) {
      meter.webSocket(1);
    }
    var policy = place == null ? Policy.NONE : place.policy();
    var begun =
        new Tunnel(
            this,
            client,
            connection,
            nanos(policy.tunnelIdleMillis(), idleNanos),
            nanos(policy.tunnelLifetimeMillis(), Long.MAX_VALUE / 2));
    tunnel = begun;
    connection.attach(begun);
    client.attach(begun);
    tally.keep(request, seen);
    leaveGate(); // a tunnel waits for nothing and holds no slot
    slim();
    begun.start(client.takeIn(), connection.takeIn());
    if (client.ended()) {
      begun.ended(true);
    }
    if (connection.ended()) {
      begun.ended(false);
    }
  }

  private static long nanos(@Nullable Long millis, long otherwise) {
    return millis == null ? otherwise : millis * NANOS_PER_MILLI;
  }

  void tunnelEnded(@Nullable Code code) {
    tunnel = null;
    if (gauge != null) {
      gauge.tunnel(-1);
    }
    if (meter != null) {
      meter.webSocket(-1);
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
    if (responsePump.out()) {
      end(code, cause);
      client.abort();
    } else {
      answer(status, code, code.description(), cause, "");
    }
  }

  private void answer(
      int status, @Nullable Code code, String title, @Nullable String cause, String more) {
    var asked = request;
    if (asked == null) {
      throw new IllegalStateException("an answer to no request");
    }
    tally.status = code == Code.H28 ? code.status() : status;
    boolean keepAlive = asked.keepAlive() && requestPump.bodyRead() && code != Code.H28;
    boolean bodyless = asked.toHead();
    var accept = Page.accepted(asked.head);
    var id = asked.head.text(seen.idAt, seen.idEnd);
    var policy = place == null ? Policy.NONE : place.policy();
    var page =
        more.contains("Retry-After")
            ? new Page(status, code, title, id, policy.errorPage(), 0)
            : Page.of(status, code, title, id, policy, loop.random());
    end(code, cause);
    client.answer(page, accept, more, bodyless, keepAlive);
  }

  private void end(@Nullable Code code, @Nullable String cause) {
    loop.holds().remove(this);
    if (phase == Phase.WAITING && gate != null) {
      loop.lane().cancel(gate, this);
    }
    if (gauge != null && code != null && isEndpointsFault(code)) {
      gauge.quarantine.failed(loop.now());
    }
    phase = Phase.DONE;
    client.alarm().off();
    var connection = up;
    up = null;
    if (connection != null) {
      connection.close();
    }
    leave();
    leaveGate();
    gate = null;
    unpark();
    if (streams) {
      streams = false;
      measured(null).stream(-1);
    }
    responsePump.clear();
    long serviceNanos = Math.max(0, loop.now() - startNanos);
    var found = place;
    place = null;
    var service = found == null ? null : found.serviceName();
    measured(service).ended(tally.status, code, tally.bytesIn, tally.bytesOut, serviceNanos);
    meter = null;
    tally.code = code;
    tally.cause = cause;
    tally.serviceMillis = serviceNanos / 1_000_000;
    tally.write(loop, client.arrival(), service, request, seen);
    slim();
  }

  /** Gives the request's memory back. */
  private void slim() {
    var asked = request;
    if (asked != null) {
      request = null;
      loop.give(asked);
    }
  }

  /** Whether it says more about that endpoint than about the app. */
  private static boolean isEndpointsFault(Code code) {
    return code == Code.H13 || code == Code.H17 || code == Code.H18;
  }

  private void unpark() {
    if (parked) {
      parked = false;
      shared.admission.unpark();
    }
  }

  private void leave() {
    if (gauge != null) {
      gauge.leave();
      gauge = null;
    }
  }

  /** A defect of ours costs one request and shows as H99. */
  private void broke(RuntimeException defect) {
    Shared.bug("a request failed", defect);
    internal();
  }
}
