package dev.holdfast.edge;

import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Policy;
import dev.holdfast.limits.Time;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Asks every endpoint whose policy names a health path whether it is well, and has those left out
 * that are not. On a thread of its own, so that a busy event loop makes nobody ill; how many are
 * asked at a time is bounded, and when they are asked is spread by chance. What is known is of one
 * instance ({@link Target}): another that inherits its address begins anew. That not all are left
 * out sees {@link Balance} to. Confined to its thread, but for what probes report.
 */
final class Checkups implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Edge.class.getName());
  private static final Duration GLANCE = Duration.ofMillis(100);
  private static final int SPREAD = 10; // a tenth more or less

  /** Asks one endpoint; see {@link Probe#passes}. */
  interface Prober {
    boolean passes(Target target, String host, String path, Duration timeout);
  }

  /** One endpoint, and how it did lately. */
  private static final class Subject {
    final Target target;
    final String host;
    final String path;
    final Duration every;
    long dueNanos;
    boolean asked;
    int good;
    int bad;
    boolean sick;

    Subject(Target target, String host, String path, Duration every) {
      this.target = target;
      this.host = host;
      this.path = path;
      this.every = every;
    }

    boolean same(Subject other) {
      return host.equals(other.host) && path.equals(other.path) && every.equals(other.every);
    }
  }

  private record Result(Subject subject, boolean passed) {}

  private final Supplier<Routing> view;
  private final Gauges gauges;
  private final Time time;
  private final CheckupConfig config;
  private final Prober prober;
  private final Executor executor;
  private final Queue<Result> results = new ConcurrentLinkedQueue<>(); // at most probesMax
  private final AtomicInteger sick = new AtomicInteger();
  private Map<Target, Subject> subjects = Map.of();
  private @Nullable Routing settled;
  private int underWay;
  private volatile @Nullable Thread thread;

  Checkups(
      Supplier<Routing> view,
      Gauges gauges,
      Time time,
      CheckupConfig config,
      Prober prober,
      Executor executor) {
    this.view = view;
    this.gauges = gauges;
    this.time = time;
    this.config = config;
    this.prober = prober;
    this.executor = executor;
  }

  /** Real probes, each on a virtual thread. */
  static Checkups real(Supplier<Routing> view, Gauges gauges, Proofs proofs, Time time) {
    return new Checkups(
        view,
        gauges,
        time,
        CheckupConfig.defaults(),
        (target, host, path, timeout) ->
            Probe.passes(gauges.of(target), proofs, host, path, timeout),
        task -> Thread.ofVirtual().name("edge-probe").start(task));
  }

  void start() {
    thread = Thread.ofVirtual().name("edge-checkups").start(this::run);
  }

  private void run() {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        try {
          look(time.nanos());
        } catch (RuntimeException e) {
          Shared.bug("endpoints could not be checked", e);
        }
        time.sleep(GLANCE);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // this is how it ends
    }
  }

  /** How many endpoints are left out. Any thread may ask. */
  int sick() {
    return sick.get();
  }

  /** Takes in what probes reported and asks whoever is due. */
  @SuppressWarnings("ReferenceEquality") // a view is published by replacing it
  void look(long now) {
    for (var result = results.poll(); result != null; result = results.poll()) {
      underWay--;
      take(result.subject, result.passed);
    }
    var routing = view.get();
    if (settled != routing) {
      settle(routing, now);
      settled = routing;
    }
    for (var subject : subjects.values()) {
      if (underWay < config.probesMax() && !subject.asked && subject.dueNanos - now <= 0) {
        ask(subject, now);
      }
    }
  }

  private void ask(Subject subject, long now) {
    subject.asked = true;
    long every = subject.every.toNanos();
    subject.dueNanos =
        now + every - every / SPREAD + time.random().nextLong(Math.max(1, 2 * every / SPREAD));
    underWay++;
    var timeout = subject.every.compareTo(config.timeout()) < 0 ? subject.every : config.timeout();
    executor.execute(() -> {
      boolean passed = false;
      try {
        passed = prober.passes(subject.target, subject.host, subject.path, timeout);
      } finally {
        results.add(new Result(subject, passed)); // or else its place would never be free again
      }
    });
  }

  private void take(Subject subject, boolean passed) {
    subject.asked = false;
    subject.good = passed ? subject.good + 1 : 0;
    subject.bad = passed ? 0 : subject.bad + 1;
    boolean falls = !subject.sick && subject.bad >= config.fall();
    boolean rises = subject.sick && subject.good >= config.rise();
    if (subjects.get(subject.target) == subject && (falls || rises)) {
      mark(subject, falls);
      LOG.log(
          falls ? Level.WARNING : Level.INFO,
          "{0} {1} {2} its health check {3}",
          subject.target.service(),
          subject.target.id(),
          falls ? "fails" : "passes",
          subject.path);
    }
  }

  private void mark(Subject subject, boolean isSick) {
    subject.sick = isSick;
    sick.addAndGet(isSick ? 1 : -1);
    gauges.of(subject.target).sick(isSick);
  }

  private void settle(Routing routing, long now) {
    var next = new HashMap<Target, Subject>();
    routing
        .policies()
        .services((service, policy) -> add(next, routing, service, null, policy, service));
    routing
        .policies()
        .hosts((host, policy) -> {
          var route = routing.route(host);
          if (route != null) {
            add(next, routing, route.service(), route.address(), policy, host);
          }
        });
    for (var old : subjects.values()) {
      var kept = next.get(old.target);
      if (kept != null && kept.same(old)) {
        next.put(old.target, old);
      } else if (old.sick) {
        mark(old, false); // nobody asks any more, or something else is asked
      }
    }
    for (var subject : next.values()) {
      if (subjects.get(subject.target) != subject) {
        subject.dueNanos = now + time.random().nextLong(Math.max(1, subject.every.toNanos()));
      }
    }
    subjects = next;
  }

  private void add(
      Map<Target, Subject> all,
      Routing routing,
      @Nullable String service,
      @Nullable String address,
      Policy policy,
      String name) {
    var path = policy.healthPath();
    if (path == null) {
      return;
    }
    var millis = policy.healthIntervalMillis();
    var every = millis == null ? config.every() : Duration.ofMillis(millis);
    boolean http2 = policy.upstream() == Policy.Upstream.H2C;
    var host = name.indexOf('.') < 0 ? name + ".localhost" : name;
    if (address != null) {
      put(all, new Subject(Target.of(address, http2), host, path, every));
    }
    if (service != null) {
      for (var endpoint : routing.endpoints(service)) {
        if (endpoint.state() == Endpoint.State.UP) {
          put(all, new Subject(Target.of(endpoint, http2), host, path, every));
        }
      }
    }
  }

  /** What an app's own policy asks goes before what the policy of one of its hosts asks. */
  private void put(Map<Target, Subject> all, Subject subject) {
    if (all.size() < config.targetsMax()) {
      all.putIfAbsent(subject.target, subject);
    }
  }

  @Override
  public void close() {
    var running = thread;
    if (running != null) {
      running.interrupt();
    }
  }
}
