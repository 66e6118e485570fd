package dev.holdfast.edge;

import dev.holdfast.ledger.Policy;
import dev.holdfast.limits.KnownRod;
import dev.holdfast.limits.RodView;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How one request enters: what the policy of its host says, whether its handshake has to wait for
 * its turn, and whether admission lets it in, which it then leaves exactly once. Used again for the
 * next request. Confined to its event loop.
 */
final class Entry implements Waiter {
  static final long NANOS_PER_MILLI = 1_000_000;

  /** Why a request that a control rod held was not let on, for the log. */
  static final String PAUSED = "paused";

  /** What fewer bytes cost is in the price of any request. */
  private static final long SMALL_BYTES = 16 * 1024;

  private final Exchange exchange;
  private final ClientConnection client;
  private final Loop loop;
  private final Shared shared;
  private @Nullable Gate gate;
  private long clientKey;
  private boolean admitted;
  private boolean parked;
  private long route;
  private long agent;
  private boolean uploads;
  private long sentNanos;
  private long bodyMax;
  private long idleNanos;
  private long firstByteNanos;
  private boolean ends;
  private long endNanos;

  Entry(Exchange exchange, ClientConnection client, Loop loop) {
    this.exchange = exchange;
    this.client = client;
    this.loop = loop;
    shared = loop.shared();
  }

  /** Ready for a new request. */
  void reset(long now) {
    gate = null;
    admitted = false;
    route = 0;
    agent = 0;
    uploads = false;
    sentNanos = now;
    bodyMax = Long.MAX_VALUE;
    idleNanos = shared.idleNanos;
    firstByteNanos = shared.firstByteNanos;
    ends = false;
  }

  /** Largest body in bytes. */
  long bodyMax() {
    return bodyMax;
  }

  long idleNanos() {
    return idleNanos;
  }

  /** How long it may be silent from now on. */
  long silenceNanos(long now) {
    return ends ? Math.min(idleNanos, endNanos - now) : idleNanos;
  }

  /** It became an event stream, whose silence and life the policy bounds apart. */
  void streams(Policy policy, long now) {
    var idle = policy.tunnelIdleMillis();
    if (idle != null) {
      idleNanos = idle * NANOS_PER_MILLI;
    }
    var life = policy.tunnelLifetimeMillis();
    if (life != null) {
      ends = true;
      endNanos = now + life * NANOS_PER_MILLI;
    }
  }

  /** Whether it has lived as long as it may. */
  boolean lived(long now) {
    return ends && endNanos - now <= 0;
  }

  long firstByteNanos() {
    return firstByteNanos;
  }

  /** Finds the way of a request, or answers it when it leads nowhere. */
  void route(Request asked) {
    if (Heads.loops(asked.head)) {
      exchange.answer(508, null, "Routed in circles", null, "");
      return;
    }
    if (Challenges.asked(asked)) {
      var proof = Challenges.response(asked, shared.keys);
      if (proof != null) {
        exchange.prove(proof);
        return;
      }
    }
    if (misdirected(asked)) {
      exchange.fail(Code.H31, null);
      return;
    }
    var found = exchange.placeNow();
    if (found == null) {
      exchange.answer(404, null, "No such app", null, "");
      return;
    }
    exchange.meter();
    var rods = shared.rods.get();
    if (!rods.heedsRequests() || passes(rods, found)) {
      goOn(asked, found);
    }
  }

  private void goOn(Request asked, Place found) {
    if (obeys(asked, found.policy())) {
      enter(asked, found);
    }
  }

  /**
   * Whether a client that asks for several hosts over one HTTP/2 connection (RFC 9113 section
   * 9.1.1) asks for one that the certificate it was shown is not for. It comes again by a
   * connection of its own when it is told so (421, RFC 9110 section 15.5.20).
   */
  @SuppressWarnings("ReferenceEquality") // an identity is one instance while it is in use
  private boolean misdirected(Request asked) {
    var arrival = client.arrival();
    if (!arrival.http2() || arrival.name().isEmpty() || arrival.names(asked.authority)) {
      return false;
    }
    return shared.keys.identity(asked.authority.text()) != shared.keys.identity(arrival.name());
  }

  /** Whether no control rod keeps the request from its app; one that does answers or holds it. */
  private boolean passes(RodView rods, Place found) {
    long now = loop.millis();
    var closed = rods.find(KnownRod.MAINTENANCE, found.app(), found.tenant(), now);
    if (closed != null) {
      closed.felt();
      exchange.fail(Code.H80, null);
      return false;
    }
    var paused = rods.find(KnownRod.PAUSE, found.app(), found.tenant(), now);
    if (paused == null || found.policy().inMaintenance()) {
      return true;
    }
    paused.felt();
    if (loop.pauses().add(this)) {
      exchange.phase(Phase.PAUSED);
      client.alarm().in(shared.config.pause().longest().toNanos());
      client.watch();
    } else {
      exchange.fail(Code.H11, PAUSED);
    }
    return false;
  }

  /** The rod that held the request is lifted; the routing may have changed meanwhile. */
  void unpaused() {
    exchange.phase(Phase.OPEN);
    client.alarm().off();
    try {
      var asked = exchange.request();
      var found = exchange.placeNow();
      if (asked == null || found == null) {
        exchange.answer(404, null, "No such app", null, "");
      } else {
        goOn(asked, found);
      }
    } catch (RuntimeException e) {
      exchange.broke(e);
    }
  }

  /** Where the request leads, as far as that is known. */
  @Nullable Place place() {
    return exchange.place();
  }

  /** Whether the policy of the host lets the request go on. */
  private boolean obeys(Request asked, Policy policy) {
    if (policy.inMaintenance()) {
      exchange.fail(Code.H80, null);
      return false;
    }
    if (policy.redirectsToHttps() && !client.arrival().secure()) {
      int status = asked.toHead() || asked.isGet() ? 301 : 308;
      var to = "Location: https://" + asked.location(shared.config.httpsPort()) + "\r\n";
      exchange.answer(status, null, "Come by HTTPS", null, to);
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
    var headMax = policy.requestHeaderBytesMax();
    if (headMax != null && asked.head.end() > headMax) {
      exchange.fail(Code.H26, Fault.FIELDS_LARGE.cause(), Fault.FIELDS_LARGE.status());
      return false;
    }
    if (policy.expectContinue() == Policy.ExpectContinue.END_TO_END && asked.expectsContinue()) {
      exchange.passExpectation();
    }
    var most = policy.requestBytesMax();
    if (most != null) {
      bodyMax = most;
      if (asked.framing.length() > most) {
        exchange.tooLarge();
        return false;
      }
    }
    return true;
  }

  /** Asks whether there is room for the request, and lets it go on when there is. */
  private void enter(Request asked, Place found) {
    if (asked.upgrades()) {
      var rod = shared.rods.get().find(KnownRod.CONNECT_RATE, loop.millis());
      int share = rod == null ? KnownRod.WHOLE : rod.level();
      long wait = shared.admission.pace(0, loop.now(), share);
      if (rod != null && wait != 0) {
        rod.felt();
      }
      if (wait < 0) {
        refuse(503, Code.H11, "handshakes", -wait);
        return;
      }
      parked = shared.admission.parks(share);
      if (wait > 0) {
        exchange.phase(Phase.PARKED);
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
    entered.most = most(found);
    clientKey = client.key(asked.head);
    route = Causes.route(asked, found, shared.admission.names);
    agent = Causes.agent(asked.head, shared.admission.names);
    var priority = Classes.of(asked, found.policy(), lane, clientKey, now);
    long deadline = Priority.deadline(Classes.deadline(asked), firstByteNanos, now);
    var verdict = lane.admit(entered, clientKey, priority, deadline, now);
    switch (verdict) {
      case ADMITTED -> {
        admitted = true;
        exchange.reach().choose(found);
      }
      case WAIT -> {
        exchange.phase(Phase.WAITING);
        client.alarm().off();
        lane.park(entered, this, deadline, now);
        loop.crowd();
        if (exchange.phase() == Phase.WAITING) {
          client.watch();
        }
      }
      case SHED, RATE, SHARE, FULL, DEADLINE -> refused(verdict);
    }
  }

  /** What is beyond waits for its turn and is not refused for want of an endpoint (H11). */
  private int most(Place found) {
    if (found.serviceName() == null) {
      return Integer.MAX_VALUE;
    }
    var own = found.policy().requestsPerEndpointMax();
    int each = own == null ? shared.config.requestsPerEndpointMax() : own;
    return (int) Math.min(Integer.MAX_VALUE, (long) each * Math.max(1, found.size()));
  }

  @Override
  public long clientKey() {
    return clientKey;
  }

  @Override
  public void admitted(long now) {
    admitted = true;
    if (!exchange.reach().goesOn()) {
      leave();
    }
  }

  @Override
  public void refused(Verdict verdict) {
    var lane = loop.lane();
    var entered = gate;
    if (entered != null) {
      lane.turnedAway(entered, route, agent);
    }
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
    exchange.answer(
        status,
        code,
        code == null ? "Too many requests" : code.description(),
        cause,
        more.toString());
  }

  /** Gives the app's slot back. */
  void leave() {
    var entered = gate;
    if (entered != null && admitted) {
      admitted = false;
      long now = loop.now();
      loop.lane().finished(entered, clientKey, route, agent, now - sentNanos, 0, now);
    }
  }

  /**
   * The client is gone. Most apps work on for nobody, so the slot is kept for as long as an answer
   * takes: or else whoever asks and goes at once (RFC 9113 section 5.4.2, CVE-2023-44487) has as
   * many slots as he likes.
   *
   * @param sent whether the app has the request
   */
  void abandoned(boolean sent) {
    var entered = gate;
    if (!sent || !admitted || entered == null) {
      return;
    }
    long now = loop.now();
    long left = entered.app.limit.baselineNanos() - (now - sentNanos);
    if (left > 0) {
      admitted = false;
      long cost = now - sentNanos + left;
      long who = clientKey;
      long what = route;
      long by = agent;
      var _ =
          loop.eventLoop()
              .schedule(
                  () -> loop.lane().finished(entered, who, what, by, cost, 0, loop.now()),
                  left,
                  TimeUnit.NANOSECONDS);
    }
  }

  /**
   * The app waits for the client: that is no work, and a client that sends a byte a second must not
   * hold a slot with it.
   */
  void uploads() {
    if (admitted) {
      uploads = true;
      leave();
    }
  }

  /** The app has the whole request and works on it from now on. */
  void whole(long now) {
    sentNanos = now;
    var entered = gate;
    if (uploads && entered != null) {
      uploads = false;
      admitted = true;
      loop.lane().again(entered, clientKey);
    }
  }

  /** The request is on its way to the app; only a first try earns room for retries. */
  void sent(long now, boolean first) {
    sentNanos = now;
    var entered = gate;
    if (entered != null && first) {
      entered.retries().deposit(now);
    }
  }

  /** The app's final head came. */
  void answered(int status, long now) {
    var entered = gate;
    if (entered != null && admitted && status < 500) { // an app that fails fast is not fast
      loop.lane().firstByte(entered, now - sentNanos, now);
    }
  }

  /** Whether the budget has room for a retry, which it then takes. */
  boolean mayRetry() {
    var entered = gate;
    return !shared.config.retryBudget()
        || entered == null
        || entered.retries().withdraw(loop.now());
  }

  /** The request ends. */
  void end(boolean waiting) {
    loop.pauses().remove(this);
    var entered = gate;
    if (waiting && entered != null) {
      loop.lane().cancel(entered, this);
    }
    leave();
    long bytes = exchange.tally().bytes();
    if (entered != null && bytes > SMALL_BYTES) {
      loop.lane().spent(entered, clientKey, route, agent, bytes, loop.now());
    }
    gate = null;
    unpark();
  }

  /** Its handshake's turn has come. */
  void unparked() {
    var asked = exchange.request();
    var found = exchange.place();
    if (asked == null || found == null) {
      return;
    }
    exchange.phase(Phase.OPEN);
    unpark();
    try {
      admit(asked, found);
    } catch (RuntimeException e) {
      exchange.broke(e);
    }
  }

  private void unpark() {
    if (parked) {
      parked = false;
      shared.admission.unpark();
    }
  }
}
