package dev.holdfast.edge;

import dev.holdfast.edge.Limiter.Mode;
import dev.holdfast.limits.GcraTable;
import dev.holdfast.limits.HeavyHitters;
import dev.holdfast.limits.InFlight;
import dev.holdfast.limits.KnownRod;
import dev.holdfast.limits.ShedLevel;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What all event loops of one edge decide together about who is let in: the node's overload level,
 * every app's limit, what is under way, and who causes it. Each loop has a {@link Lane} through
 * which its requests go. Time and chance are arguments. Thread-safe.
 */
final class Admission {
  private static final long SECOND_NANOS = 1_000_000_000L;
  private static final int IN_FLIGHT_WIDTH = 1 << 15;
  private static final int TOP = 10;

  final AdmissionConfig config;
  final ConnectPace connects;
  final Names names;
  final GcraTable accountRates;
  final GcraTable clientRates;
  final InFlight clientsInFlight = new InFlight(IN_FLIGHT_WIDTH);
  final InFlight clientsWaiting = new InFlight(IN_FLIGHT_WIDTH);
  final AtomicInteger inFlight = new AtomicInteger();
  final Share accountShare;
  final ShedLevel shed;
  final ReentrantLock shedding = new ReentrantLock(); // guards shed, but for its thread-safe part
  private final EnumMap<Limiter, Tally> tallies = new EnumMap<>(Limiter.class);
  private final ConcurrentHashMap<String, AppState> apps = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, AccountState> accounts = new ConcurrentHashMap<>();
  private final List<Lane> lanes = new CopyOnWriteArrayList<>();
  private final ReentrantLock merging = new ReentrantLock();
  private Book newer; // guarded by merging
  private Book older; // guarded by merging
  private long turnedNanos; // guarded by merging
  private volatile long stressedNanos;
  private volatile boolean stressed;
  private volatile Vitals.Reading vitals = Vitals.Reading.NONE;
  private volatile Attribution attribution = Attribution.NONE;

  /**
   * Nothing is under way.
   *
   * @param random spreads answers; need not be secure
   * @param now the monotonic clock, as in every other method
   */
  Admission(AdmissionConfig config, RandomGenerator random, long now) {
    this.config = config;
    connects = new ConnectPace(config.connect(), random, now);
    names = new Names(config.blame().namesMax());
    var rate = config.rate();
    var second = Duration.ofSeconds(1);
    accountRates =
        new GcraTable(
            rate.accountsMax(), rate.accountPerSecond(), second, rate.accountBurst(), now);
    clientRates =
        new GcraTable(rate.clientsMax(), rate.clientPerSecond(), second, rate.clientBurst(), now);
    accountShare = new Share(config.share().account(), now);
    var node = config.node();
    shed = new ShedLevel(node.lagTarget(), node.window(), node.windowRequests(), now);
    newer = new Book(config.blame().keysMax());
    older = new Book(config.blame().keysMax());
    turnedNanos = now;
    for (var limiter : Limiter.values()) {
      tallies.put(limiter, new Tally(config.mode(limiter), new LongAdder(), new LongAdder()));
    }
  }

  /** A lane for one more event loop. */
  Lane lane(RandomGenerator random, long now) {
    var lane = new Lane(this, random, now);
    lanes.add(lane);
    return lane;
  }

  /** Whether the limiter looks at all. */
  boolean on(Limiter limiter) {
    return tally(limiter).mode != Mode.OFF;
  }

  /** Counts what the limiter wants to refuse; answers whether it may. */
  boolean refuses(Limiter limiter) {
    var tally = tally(limiter);
    if (tally.mode == Mode.ENFORCE) {
      tally.refused.increment();
      return true;
    }
    tally.observed.increment();
    return false;
  }

  /** How many were refused by that limiter since birth. */
  long refused(Limiter limiter) {
    return tally(limiter).refused.sum();
  }

  /** How many would have been refused while it only observed. */
  long observed(Limiter limiter) {
    return tally(limiter).observed.sum();
  }

  /** How a limiter acts, and what came of it. */
  private record Tally(Mode mode, LongAdder refused, LongAdder observed) {}

  private Tally tally(Limiter limiter) {
    return Objects.requireNonNull(tallies.get(limiter));
  }

  // The machine

  /** Takes in how much of the machine is used; to be called once per second. */
  void vitals(Vitals.Reading reading) {
    vitals = reading;
  }

  /** Whether new connections are accepted. */
  boolean accepts() {
    var reading = vitals;
    return !(over(Limiter.DESCRIPTORS, reading.descriptors(), config.guard().descriptors())
        || over(Limiter.MEMORY, reading.memory(), config.guard().requests()));
  }

  /** Whether connections are kept after their answer. */
  boolean keepsAlive() {
    return !on(Limiter.MEMORY)
        || vitals.memory() <= config.guard().keepAlive()
        || tally(Limiter.MEMORY).mode == Mode.OBSERVE;
  }

  /** Whether there is memory for one more request. */
  boolean remembers() {
    return !over(Limiter.MEMORY, vitals.memory(), config.guard().requests());
  }

  private boolean over(Limiter limiter, double used, double bound) {
    return on(limiter) && used > bound && refuses(limiter);
  }

  // Handshakes

  /**
   * See {@link ConnectPace#pace}; {@link #unpark} is owed when it answers 0 or more and {@link
   * #parks}.
   *
   * @param share of the configured rate in percent; less than all of it counts in every mode
   */
  long pace(long identity, long now, int share) {
    boolean turnedDown = share < KnownRod.WHOLE;
    if (!turnedDown && !on(Limiter.CONNECT)) {
      return 0;
    }
    long wait = connects.pace(identity, now, share);
    if (wait < 0) {
      return turnedDown || refuses(Limiter.CONNECT) ? wait : 0;
    }
    if (!parks(share)) {
      connects.unpark();
      return 0;
    }
    return wait;
  }

  /** Whether handshakes are held at that share of the configured rate, or only looked at. */
  boolean parks(int share) {
    return share < KnownRod.WHOLE || config.mode(Limiter.CONNECT) == Mode.ENFORCE;
  }

  /** See {@link ConnectPace#unpark}. */
  void unpark() {
    connects.unpark();
  }

  // Numbers for answers

  /** {@code q} of RateLimit-Policy: the burst of an account. */
  int quota() {
    return accountRates.burst();
  }

  /** {@code w} of RateLimit-Policy: the seconds in which an account earns its burst. */
  long quotaSeconds() {
    return Math.ceilDiv(accountRates.windowNanos(), SECOND_NANOS);
  }

  /** {@code r} of RateLimit: what the account has left. */
  int remaining(Gate gate, long now) {
    return accountRates.remaining(gate.app.account.key, now);
  }

  /** {@code t} of RateLimit: seconds until it has its whole burst again. */
  long resetSeconds(Gate gate, long now) {
    return Math.ceilDiv(accountRates.resetNanos(gate.app.account.key, now), SECOND_NANOS);
  }

  // What the lanes share

  AppState enter(String app, String account, long now) {
    return apps.compute(
        app,
        (name, state) -> {
          var entered = state;
          if (entered == null || !entered.account.name.equals(account)) {
            entered = new AppState(name, account(account), config, now);
            names.put(entered.key, name);
          }
          entered.holders++;
          return entered;
        });
  }

  void leave(AppState left) {
    apps.compute(
        left.name,
        (_, state) -> {
          left.holders--;
          if (left.holders > 0) {
            return state;
          }
          leave(left.account);
          return state == left ? null : state;
        });
  }

  private AccountState account(String name) {
    return accounts.compute(
        name,
        (_, state) -> {
          var entered = state == null ? new AccountState(name) : state;
          entered.holders++;
          return entered;
        });
  }

  private void leave(AccountState left) {
    accounts.computeIfPresent(
        left.name,
        (_, state) -> {
          state.holders--;
          return state;
        });
  }

  /** The state of that app, or null when no loop knows it. */
  @Nullable AppState app(String name) {
    return apps.get(name);
  }

  int appCount() {
    return apps.size();
  }

  // Who it is

  /** Who causes the load. */
  Attribution attribution() {
    return attribution;
  }

  /** Notes that the node was overloaded. */
  void stressed(long now) {
    stressedNanos = now;
    stressed = true;
  }

  /**
   * Puts together what the lanes saw and thinks again about every account; to be called once per
   * second by one thread.
   *
   * @param at wall-clock time of {@code now}, for people
   */
  Attribution merge(long now, Instant at) {
    merging.lock();
    try {
      connects.sweep(now);
      if (now - turnedNanos >= config.blame().generation().toNanos()) {
        var cleared = older;
        cleared.clear();
        older = newer;
        newer = cleared;
        turnedNanos = now;
      }
      for (var lane : lanes) {
        var book = lane.collect();
        if (book != null) {
          newer.addAll(book);
          lane.giveBack(book);
        }
      }
      var found =
          new Attribution(
              at,
              stressedLately(now),
              judge(now, at),
              talkers(newer.clients, older.clients),
              talkers(newer.apps, older.apps),
              talkers(newer.routes, older.routes),
              talkers(newer.agents, older.agents));
      attribution = found;
      return found;
    } finally {
      merging.unlock();
    }
  }

  private boolean stressedLately(long now) {
    return stressed && now - stressedNanos <= Standing.SECONDS * SECOND_NANOS;
  }

  private List<Attribution.Account> judge(long now, Instant at) {
    var all = new ArrayList<>(accounts.values());
    var requests = new long[all.size()];
    double cost = 0;
    double second = 0;
    long sum = 0;
    int active = 0;
    for (int i = 0; i < requests.length; i++) {
      var account = all.get(i);
      double mine = (double) account.cost.sumThenReset();
      requests[i] = account.requests.sumThenReset();
      account.standing.second(mine);
      second += mine;
      sum += requests[i];
      double lately = account.standing.cost();
      cost += lately;
      active += lately > 0 ? 1 : 0;
    }
    int others = Math.max(1, active);
    var whole =
        new Standing.Whole(
            stressedLately(now), active, cost, second / others, (double) sum / others);
    var lines = new ArrayList<Attribution.Account>();
    for (int i = 0; i < requests.length; i++) {
      var account = all.get(i);
      var standing = account.standing;
      account.throttle =
          standing.judge((double) requests[i], whole, config.blame(), account.throttle, now);
      if (standing.cost() > 0 || standing.state() != Standing.State.NORMAL) {
        lines.add(line(account, cost, now, at));
      } else {
        forget(account);
      }
    }
    lines.sort(Comparator.comparingDouble(Attribution.Account::share).reversed());
    return lines.subList(0, Math.min(TOP, lines.size()));
  }

  /** An account that is held by no app and at rest; one that comes again is new. */
  private void forget(AccountState account) {
    accounts.computeIfPresent(
        account.name, (_, state) -> state == account && state.holders <= 0 ? null : state);
  }

  private static Attribution.Account line(AccountState account, double cost, long now, Instant at) {
    var standing = account.standing;
    return new Attribution.Account(
        account.name,
        standing.state(),
        cost <= 0 ? 0 : standing.cost() / cost,
        standing.times(),
        account.throttle == null ? 0 : standing.rate(),
        at.minusNanos(standing.state() == Standing.State.NORMAL ? 0 : now - standing.sinceNanos()));
  }

  private List<Attribution.Talker> talkers(HeavyHitters fresh, HeavyHitters old) {
    var both = new HeavyHitters(config.blame().keysMax());
    both.addAll(old);
    both.addAll(fresh);
    double total = (double) Math.max(1, both.total());
    return both.top(TOP).stream()
        .map(hitter ->
            new Attribution.Talker(
                hitter.key(), name(hitter.key()), hitter.atLeast() / total, both.error() / total))
        .toList();
  }

  private String name(long key) {
    var text = names.text(key);
    if (text != null) {
      return text;
    }
    for (var app : apps.values()) {
      if (app.key == key) {
        return app.name;
      }
    }
    return Long.toHexString(key);
  }
}
