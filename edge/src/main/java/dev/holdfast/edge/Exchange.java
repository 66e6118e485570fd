package dev.holdfast.edge;

import dev.holdfast.ledger.Policy;
import org.jspecify.annotations.Nullable;

/**
 * One request from its whole head to its line in the log: {@link Entry} lets it in, {@link Reach}
 * finds its app, the pumps pass it, and this answers for every way in which it can end. A
 * connection has one and uses it again for its next request. Confined to its event loop.
 *
 * <pre>
 * OPEN -> PAUSED -> OPEN             (a control rod is lifted)
 * OPEN -> PARKED | WAITING -> OPEN   (its turn comes)
 * OPEN -> HELD -> OPEN               (an app starts)
 * OPEN -> CONNECTING -> OPEN      (refused: the next endpoint)
 *         CONNECTING -> ACTIVE -> CONNECTING   (a pooled connection was stale)
 *                       ACTIVE -> TUNNEL
 * any -> DONE
 * </pre>
 */
final class Exchange {
  private final ClientConnection client;
  private final Loop loop;
  private final Shared shared;
  private final RequestPump requestPump;
  private final ResponsePump responsePump;
  private final Entry entry;
  private final Reach reach;
  private final Heads.Sent seen = new Heads.Sent();
  private final Tally tally = new Tally();
  private Phase phase = Phase.DONE;
  private long number;
  private long startNanos;
  private @Nullable Request request;
  private @Nullable Place place;
  private @Nullable Meter meter;
  private boolean streams;
  private @Nullable UpstreamConnection up;
  private @Nullable Tunnel tunnel;

  Exchange(ClientConnection client, Loop loop) {
    this.client = client;
    this.loop = loop;
    shared = loop.shared();
    requestPump = new RequestPump(this, client);
    responsePump = new ResponsePump(this, client);
    entry = new Entry(this, client, loop);
    reach = new Reach(this, client, loop);
  }

  Loop loop() {
    return loop;
  }

  /** Which of the connection's requests this is: what comes late is known by it. */
  long number() {
    return number;
  }

  /** Takes a request over and begins with it. */
  void start(Request next) {
    number++;
    request = next;
    phase = Phase.OPEN;
    place = null;
    startNanos = loop.now();
    entry.reset(startNanos);
    reach.reset();
    requestPump.reset(next);
    tally.reset();
    meter = null;
    streams = false;
    RequestId.of(next.head, loop.random(), seen);
    TraceContext.of(next.head, loop.random(), shared.config.startsTraces(), seen);
    seen.expects = false;
    Heads.noteForwardedFor(next.head, client.arrival().peerBytes(), seen);
    try {
      entry.route(next);
    } catch (RuntimeException e) {
      broke(e);
    }
  }

  /** Answers a certificate authority that asks whether the host is ours. */
  void prove(String proof) {
    var asked = request;
    tally.status = 200;
    boolean keepAlive =
        asked != null && asked.keepAlive() && requestPump.bodyRead() && !client.closing();
    end(null, null);
    client.answer(Challenges.page(proof, !keepAlive), keepAlive);
  }

  /** The body is larger than it may be. */
  void tooLarge() {
    fail(Code.H26, "oversized body", 413);
  }

  Phase phase() {
    return phase;
  }

  void phase(Phase next) {
    phase = next;
  }

  /** Where to count. */
  Meter meter() {
    var known = meter;
    if (known == null) {
      known = loop.meters().meter(place == null ? null : place.serviceName());
      known.begun();
      meter = known;
    }
    return known;
  }

  Tally tally() {
    return tally;
  }

  Reach reach() {
    return reach;
  }

  /** Where it leads, as far as that is known. */
  @Nullable Place place() {
    return place;
  }

  /** What the policy adds to the answer, or null when it passes as it comes. */
  @Nullable Extras extras() {
    return place == null ? null : place.extras();
  }

  @Nullable Request request() {
    return request;
  }

  /** Its place in the routing of now, or null when the host leads nowhere any more. */
  @Nullable Place placeNow() {
    var asked = request;
    var found = asked == null ? null : loop.places().find(asked.authority, shared.view.get());
    if (found != null) {
      place = found;
    }
    return found;
  }

  /** Sends the request there. */
  void attach(UpstreamConnection connection) {
    var asked = request;
    if (asked == null) {
      throw new IllegalStateException("a connection for no request");
    }
    phase = Phase.ACTIVE;
    up = connection;
    connection.attach(this);
    var gauge = reach.gauge();
    if (gauge != null) {
      gauge.reached();
    }
    entry.sent(loop.now(), !reach.freshOnly());
    responsePump.reset(connection, asked);
    var head = loop.scratch().clear();
    Heads.request(head, asked, seen, client.arrival(), loop.millis());
    requestPump.begin(connection, head);
    connection.read();
  }

  void clientProgress() {
    if (phase == Phase.ACTIVE) {
      requestPump.pump();
    } else if (phase != Phase.DONE && client.ended() && requestPump.neverWhole()) {
      clientGone();
      client.abort();
    }
  }

  void clientWritable() {
    if (phase == Phase.ACTIVE) {
      touch();
      responsePump.pump();
    } else if (tunnel != null) {
      tunnel.writable(true);
    }
  }

  void upstreamWritable() {
    if (phase == Phase.ACTIVE) {
      touch();
      requestPump.pump();
    }
  }

  void upstreamProgress() {
    if (phase == Phase.ACTIVE) {
      touch();
      responsePump.pump();
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
      client.alarm().in(entry.firstByteNanos());
      entry.whole(loop.now());
    }
  }

  /** The rest of the request has to come first. */
  void uploads() {
    entry.uploads();
  }

  /** A byte passed in either direction. */
  void touch() {
    if (!requestPump.done() || responsePump.begun()) { // otherwise the app thinks
      client.alarm().in(entry.silenceNanos(loop.now()));
    }
  }

  void timedOut() {
    switch (phase) {
      case PAUSED -> fail(Code.H11, Entry.PAUSED);
      case PARKED -> entry.unparked();
      case HELD -> fail(Code.H20, null);
      case ACTIVE -> {
        if (entry.lived(loop.now())) {
          responsePump.stop();
        } else if (responsePump.begun()) {
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
      entry.abandoned(phase == Phase.ACTIVE);
      end(Code.H27, null);
    }
  }

  /** Whether it is a tunnel or a stream. */
  boolean longLived() {
    return tunnel != null || streams;
  }

  /** The edge goes down, and it is this one's turn. */
  void depart() {
    if (tunnel != null) {
      tunnel.depart();
    } else if (streams) {
      client.cut();
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
    if (tally.bytesIn > entry.bodyMax()) {
      tooLarge();
      return false;
    }
    return true;
  }

  /** Whether it has ended. */
  boolean over() {
    return phase == Phase.DONE;
  }

  boolean requestDone() {
    return requestPump.done();
  }

  /** Whether the client sent everything, passed on or not. */
  boolean requestWhole() {
    return requestPump.whole();
  }

  /** It is for the app to say whether it wants the body. */
  void passExpectation() {
    seen.expects = true;
    requestPump.passExpectation();
  }

  /** Whether a 100 went to the client already. */
  boolean continued() {
    return requestPump.continued();
  }

  /** The app's final head came. */
  void answered(Response response) {
    tally.status = response.status();
    long now = loop.now();
    entry.answered(response.status(), now);
    var gauge = reach.gauge();
    if (gauge != null) {
      gauge.quarantine.succeeded(now);
    }
    if (response.eventStream()) {
      streams = true;
      entry.streams(place == null ? Policy.NONE : place.policy(), now);
      touch();
      meter().stream(1);
      shared.longLived.incrementAndGet();
    }
    entry.leave(); // what is left is the network's work; a queue at the app shows before
  }

  /** The response is over. */
  void finished(boolean reusable, long keepNanos, boolean keepAlive) {
    var connection = up;
    up = null;
    if (connection != null) {
      connection.release(reusable, reach.gauge(), keepNanos);
    }
    end(null, null);
    client.out().flushSoon(); // last, so that whoever has the answer finds it accounted for
    client.exchangeDone(keepAlive);
  }

  /**
   * The app closed a connection that had lain in the pool before it said anything. The request goes
   * to a fresh one when it may be sent twice and nothing of its body is gone.
   */
  boolean retry() {
    var stale = up;
    var asked = request;
    return stale != null
        && asked != null
        && stale.reused()
        && asked.idempotent()
        && !requestPump.bodyBegun()
        && reach.again(stale, entry);
  }

  void beginTunnel(UpstreamConnection connection) {
    phase = Phase.TUNNEL;
    var gauge = reach.gauge();
    if (gauge != null) {
      gauge.tunnel(1);
    }
    meter().webSocket(1);
    shared.longLived.incrementAndGet();
    var policy = place == null ? Policy.NONE : place.policy();
    var begun = Tunnel.of(this, client, connection, policy, entry.idleNanos());
    tunnel = begun;
    connection.attach(begun);
    client.attach(begun);
    tally.keep(request, seen);
    entry.leave(); // a tunnel holds no slot
    slim();
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
    var gauge = reach.gauge();
    if (gauge != null) {
      gauge.tunnel(-1);
    }
    meter().webSocket(-1);
    shared.longLived.decrementAndGet();
    end(code, null);
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

  /** Ends with a page of the edge's own; {@code more} are further fields with their line ends. */
  void answer(int status, @Nullable Code code, String title, @Nullable String cause, String more) {
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
    var hsts = Extras.hsts(extras(), client.arrival());
    var page = Page.of(status, code, title, id, policy, loop.random(), more);
    end(code, cause);
    client.answer(page, accept, more + hsts, bodyless, keepAlive);
  }

  private void end(@Nullable Code code, @Nullable String cause) {
    loop.holds().remove(this);
    boolean waiting = phase == Phase.WAITING;
    var gauge = reach.gauge();
    if (gauge != null && code != null && code.blamesEndpoint()) {
      gauge.quarantine.failed(loop.now());
    }
    phase = Phase.DONE;
    client.alarm().off();
    var connection = up;
    up = null;
    if (connection != null) {
      connection.close();
    }
    reach.leave();
    entry.end(waiting);
    if (streams) {
      streams = false;
      meter().stream(-1);
      shared.longLived.decrementAndGet();
    }
    responsePump.clear();
    long serviceNanos = Math.max(0, loop.now() - startNanos);
    var service = place == null ? null : place.serviceName();
    meter().ended(tally.status, code, tally.bytesIn, tally.bytesOut, serviceNanos);
    meter = null;
    place = null;
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

  /** A defect of ours costs one request and shows as H99. */
  void broke(RuntimeException defect) {
    Shared.bug("a request failed", defect);
    fail(Code.H99, null);
  }
}
