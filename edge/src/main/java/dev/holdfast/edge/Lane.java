package dev.holdfast.edge;

import dev.holdfast.limits.Keys;
import dev.holdfast.limits.ShedLevel;
import dev.holdfast.limits.Usage;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The way of one event loop's requests through {@link Admission}. Confined to its event loop, but
 * for the exchange of books with the thread that merges. Nothing is allocated per request.
 *
 * <pre>
 * gate = app(...)   admit -> ADMITTED -> (begun) -> (firstByte) -> finished
 *                         -> WAIT     -> park -> admitted(now) ... finished
 *                                              -> refused(verdict)
 *                         -> anything else: answer it; nothing is owed
 * </pre>
 */
final class Lane {
  private static final long SECOND_NANOS = 1_000_000_000L;
  private static final long HOUR_NANOS = 3600 * SECOND_NANOS;

  /** What any request costs the edge itself, so that many small ones are seen. */
  private static final long COST_BASE_NANOS = 50_000;

  private static final long COST_BYTE_NANOS = 15; // 64 KiB count as much as a millisecond

  /** An eighth of a measured time is always left to the app. */
  private static final int OWN_PART_MAX = 8;

  private static final int RETRY_SECONDS_MIN = 1;
  private static final int RETRY_SECONDS_SPREAD = 3;

  private final Admission admission;
  private final AdmissionConfig config;
  private final RandomGenerator random;
  private final Map<String, Gate> gates = new HashMap<>();
  private final Lobby lobby;
  private final Usage accounts;
  private final Usage clients;
  private final Pressure pressure;
  private final Repeats repeats = new Repeats();
  private final AtomicReference<@Nullable Book> full = new AtomicReference<>();
  private final AtomicReference<@Nullable Book> empty;
  private Book book;
  private long secondNanos;
  private long waitNanos;

  Lane(Admission admission, RandomGenerator random, long now) {
    this.admission = admission;
    this.random = random;
    config = admission.config;
    pressure = new Pressure(admission, now);
    lobby = new Lobby(this, admission);
    var node = config.node();
    accounts = new Usage(node.usersMax(), node.usageWindow(), now);
    clients = new Usage(node.usersMax(), node.usageWindow(), now);
    book = new Book(config.blame().keysMax());
    empty = new AtomicReference<>(new Book(config.blame().keysMax()));
    secondNanos = now;
  }

  // Before

  /** The gate of that app; to be asked for anew with every request. */
  Gate app(String app, String account, int instances, long now) {
    var gate = gates.get(app);
    if (gate == null || !gate.app.account.name.equals(account)) {
      gate = open(app, account, now);
    }
    gate.usedNanos = now;
    gate.app.limit.instances(instances);
    return gate;
  }

  private Gate open(String app, String account, long now) {
    var gate = new Gate(admission.enter(app, account, now), now);
    var old = gates.put(app, gate);
    if (old != null) {
      admission.leave(old.app);
    }
    return gate;
  }

  /** Whether the same client asked the same less than a second ago; remembers it. */
  boolean repeated(long request, long now) {
    return repeats.repeated(request, now);
  }

  /**
   * Whether the request may go on.
   *
   * @param client key of the client, or 0 when it is unknown
   * @param deadlineNanos from {@link Priority#deadline}
   */
  Verdict admit(Gate gate, long client, Priority priority, long deadlineNanos, long now) {
    if (priority == Priority.CONTROL) {
      enter(gate, client);
      gate.app.inFlight.incrementAndGet();
      return Verdict.ADMITTED;
    }
    int level = ShedLevel.level(priority.rank(), quantile(gate, client));
    var verdict = decide(gate, client, level, deadlineNanos, now);
    if (verdict == Verdict.ADMITTED) {
      enter(gate, client);
    } else if (verdict != Verdict.WAIT) {
      blame(gate, client, 0, 0, gate.meanCost(), now);
    }
    return verdict;
  }

  private Verdict decide(Gate gate, long client, int level, long deadlineNanos, long now) {
    if (deadlineNanos - now <= 0
        && admission.on(Limiter.DEADLINE)
        && admission.refuses(Limiter.DEADLINE)) {
      return Verdict.DEADLINE;
    }
    if (!admission.remembers()) {
      return Verdict.SHED;
    }
    var account = gate.app.account;
    var rate = rate(account, client, now);
    if (rate != Verdict.ADMITTED) {
      return rate;
    }
    if (admission.on(Limiter.ACCOUNT_SHARE)
        && !admission.accountShare.allows(
            account.inFlight.get(), admission.inFlight.get(), config.share().inFlightMax(), now)
        && admission.refuses(Limiter.ACCOUNT_SHARE)) {
      return Verdict.SHARE;
    }
    if (admission.on(Limiter.NODE) && !pressure.admits(level, now)) {
      return Verdict.SHED;
    }
    return lobby.slot(gate, client, now);
  }

  private Verdict rate(AccountState account, long client, long now) {
    var throttle = account.throttle;
    if (throttle != null && admission.on(Limiter.THROTTLE)) {
      waitNanos = throttle.reserve(now);
      if (waitNanos > 0 && admission.refuses(Limiter.THROTTLE)) {
        return Verdict.RATE;
      }
    }
    if (admission.on(Limiter.ACCOUNT_RATE)) {
      waitNanos = admission.accountRates.reserve(account.key, now);
      if (waitNanos > 0 && admission.refuses(Limiter.ACCOUNT_RATE)) {
        return Verdict.RATE;
      }
    }
    if (client != 0 && admission.on(Limiter.CLIENT_RATE)) {
      waitNanos = admission.clientRates.reserve(client, now);
      if (waitNanos > 0 && admission.refuses(Limiter.CLIENT_RATE)) {
        return Verdict.RATE;
      }
    }
    return Verdict.ADMITTED;
  }

  /** How heavy the user is: the account among accounts and the client among clients. */
  private double quantile(Gate gate, long client) {
    double byClient = client == 0 ? 0 : clients.quantile(client);
    if (accounts.users() < config.blame().accountsMin()) {
      return byClient;
    }
    return (byClient + accounts.quantile(gate.app.account.key)) / 2;
  }

  // Waiting

  /**
   * Lets a request wait that was just told {@link Verdict#WAIT}; its {@link Waiter} is called
   * later, or now when there is no room after all.
   */
  void park(Gate gate, Waiter waiter, long deadlineNanos, long now) {
    lobby.park(gate, waiter, deadlineNanos, now);
  }

  /** The client of a waiting request is gone. */
  void cancel(Gate gate, Waiter waiter) {
    lobby.cancel(gate, waiter);
  }

  /** Whether {@link #tick} has anything to do. */
  boolean crowded() {
    return lobby.crowded();
  }

  /** Ends what waited too long and hands out slots that other loops gave back: every 1 to 5 ms. */
  void tick(long now) {
    lobby.tick(now);
  }

  // After

  /** A request of that client is under way from now on. */
  void enter(Gate gate, long client) {
    gate.inFlight++;
    admission.inFlight.incrementAndGet();
    gate.app.account.inFlight.incrementAndGet();
    if (client != 0) {
      admission.clientsInFlight.enter(Keys.of(gate.app.key, client));
    }
  }

  /**
   * The app's answer began, and it was not an error of the app: an app that fails fast is not fast.
   *
   * <p>What this loop was late itself is taken off, or else an edge that is busy would take its own
   * delay for the app's and hold the app back.
   *
   * @param nanos since the request was sent to it
   */
  void firstByte(Gate gate, long nanos, long now) {
    if (nanos < config.app().streamAfter().toNanos()) {
      long own = Math.min(pressure.lagNanos(now), nanos - nanos / OWN_PART_MAX);
      gate.app.limit.sample(nanos - Math.max(0, own), gate.app.wanted(now), now);
    }
  }

  /**
   * An admitted request ended, or became a tunnel or a stream, which waits for nothing and holds no
   * slot; what such a one costs later goes to {@link #spent}.
   *
   * @param route key of the host, or 0
   * @param agent key of the client's family, or 0
   * @param costNanos what the app worked for it, as far as anybody knows
   * @param bytes in both directions
   */
  void finished(
      Gate gate, long client, long route, long agent, long costNanos, long bytes, long now) {
    gate.inFlight--;
    admission.inFlight.decrementAndGet();
    gate.app.account.inFlight.decrementAndGet();
    gate.app.inFlight.decrementAndGet();
    if (client != 0) {
      admission.clientsInFlight.leave(Keys.of(gate.app.key, client));
    }
    long cost = COST_BASE_NANOS + costNanos + bytes * COST_BYTE_NANOS;
    gate.costed(cost);
    blame(gate, client, route, agent, cost, now);
    lobby.freed(gate, now);
  }

  /** A request that had given its slot back works again; it is not asked a second time. */
  void again(Gate gate, long client) {
    enter(gate, client);
    gate.app.inFlight.incrementAndGet();
  }

  /** What an open tunnel or stream cost since the last call. */
  void spent(Gate gate, long client, long route, long agent, long bytes, long now) {
    gate.usedNanos = now;
    blame(gate, client, route, agent, bytes * COST_BYTE_NANOS, now);
  }

  /** Charges the account, the client and the others with what they cost, refused or not. */
  void blame(Gate gate, long client, long route, long agent, long cost, long now) {
    var account = gate.app.account;
    account.cost.add(cost);
    account.requests.increment();
    accounts.add(account.key, cost, now);
    if (client != 0) {
      clients.add(client, cost, now);
    }
    book.add(client, gate.app.key, route, agent, cost);
  }

  /** A request was refused: its route and its client's family are to blame for that, too. */
  void turnedAway(Gate gate, long route, long agent) {
    book.add(0, 0, route, agent, gate.meanCost());
  }

  // The clock

  /**
   * To be called {@link Pressure#PROBE_NANOS} after the last call.
   *
   * @param lateNanos how much later than it was due
   */
  void probe(long lateNanos, long now) {
    pressure.probe(lateNanos, now);
    if (now - secondNanos >= SECOND_NANOS) {
      secondNanos = now;
      long hour = Math.floorDiv(now, HOUR_NANOS);
      accounts.calibrate(hour, now);
      clients.calibrate(hour, now);
      publish();
      sweep(now);
    }
  }

  private void sweep(long now) {
    long idle = config.app().idle().toNanos();
    gates
        .values()
        .removeIf(gate -> {
          boolean gone = gate.inFlight == 0 && gate.waiting() == 0 && now - gate.usedNanos > idle;
          if (gone) {
            admission.leave(gate.app);
          }
          return gone;
        });
  }

  private void publish() {
    var next = empty.getAndSet(null);
    if (next != null) {
      full.set(book);
      book = next;
    }
  }

  /** The book that is ready, or null. For the thread that merges, which gives it back. */
  @Nullable Book collect() {
    return full.getAndSet(null);
  }

  void giveBack(Book read) {
    read.clear();
    empty.set(read);
  }

  // Numbers for answers

  /** After {@link Verdict#RATE}: how long until there is room. */
  long waitNanos() {
    return waitNanos;
  }

  /** Seconds for {@code Retry-After}: exact for a rate, 1 to 3 spread by chance otherwise. */
  long retryAfterSeconds(Verdict verdict) {
    long jitter = random.nextInt(RETRY_SECONDS_SPREAD);
    return verdict == Verdict.RATE
        ? Math.max(1, Math.ceilDiv(waitNanos, SECOND_NANOS))
        : RETRY_SECONDS_MIN + jitter;
  }
}
