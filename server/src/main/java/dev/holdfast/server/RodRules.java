package dev.holdfast.server;

import dev.holdfast.drones.Drones;
import dev.holdfast.drones.Fleet;
import dev.holdfast.edge.Routing;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Standing;
import dev.holdfast.limits.KnownRod;
import dev.holdfast.limits.RodRule;
import dev.holdfast.limits.Supervised;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.function.DoubleSupplier;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The automatic rules: once a second each takes its reading, and what it wants is on the {@link
 * RodBoard} under its name. None of them turns anything off altogether: what they deny, a rollback
 * still may, since it is what ends most incidents. Thread-safe.
 */
final class RodRules implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(RodRules.class.getName());
  private static final Duration TICK = Duration.ofSeconds(1);
  private static final Duration TTL = Duration.ofMinutes(1);
  private static final String WEAK = "rollbacks";
  private static final int POOL_MIN = 20;
  private static final int CRASHING_APPS_MIN = 5;
  private static final int CRASHES_MIN = 3;
  private static final int CRASHES_MAX = 6;
  private static final Duration CRASHED_WITHIN = Duration.ofMinutes(5);

  private final RodBoard board;
  private final List<Watched> rules;
  private final Time time;
  private final Supervised part;

  /** A rule and what it looks at; NaN for what could not be read. */
  record Watched(RodRule rule, DoubleSupplier reading) {}

  RodRules(RodBoard board, List<Watched> rules, Time time) {
    this.board = board;
    this.rules = List.copyOf(rules);
    this.time = time;
    part = Supervised.virtual("rods-rules", time, this::run);
  }

  void start() {
    part.start();
  }

  Supervised part() {
    return part;
  }

  /** The rules of a platform, or none of them where they are off. */
  static RodRules start(
      RodSettings settings,
      RodBoard board,
      Home home,
      Ledger ledger,
      Follower<Routing> routing,
      Drones drones,
      Time time) {
    var all =
        List.of(
            new Watched(ledgerQueue(), ledger::load),
            new Watched(disk(), () -> missing(home, settings.diskFreeMin())),
            new Watched(stream(), () -> frozen(board, routing, time) ? 1 : 0),
            new Watched(pool(), () -> used(settings, drones)),
            new Watched(crashLoops(), () -> crashing(drones.apps().fleet(), time.now())));
    var rules = new RodRules(board, settings.rules() ? all : List.of(), time);
    rules.start();
    return rules;
  }

  private static double missing(Home home, long wanted) {
    try {
      return 1 - (double) Files.getFileStore(home.directory()).getUsableSpace() / wanted;
    } catch (IOException e) {
      LOG.log(Level.FINE, "free room is not known", e);
      return Double.NaN;
    }
  }

  private static boolean frozen(RodBoard board, Follower<Routing> routing, Time time) {
    return routing.standing() instanceof Standing.Frozen
        || board.view().find(KnownRod.FREEZE_STREAM, time.now().toEpochMilli()) != null;
  }

  /** Of a small pool every drone is a large share; the rule is for large ones. */
  private static double used(RodSettings settings, Drones drones) {
    int count = settings.config().integer(ServerConfig.DRONES);
    return count < POOL_MIN ? 0 : (double) drones.apps().fleet().instances().size() / count;
  }

  /**
   * Which share of the apps began to crash again and again lately; 0 when they are few. One that
   * has crashed for long is not counted: it is not a sign of what happens now.
   */
  static double crashing(Fleet fleet, Instant now) {
    var crashing = new HashSet<String>();
    fleet
        .crashes()
        .forEach((_, crash) -> {
          var app = fleet.app(crash.app());
          if (app != null
              && app.release() == crash.release()
              && crash.crashes() >= CRASHES_MIN
              && crash.crashes() <= CRASHES_MAX
              && crash.at().plus(CRASHED_WITHIN).isAfter(now)) {
            crashing.add(crash.app());
          }
        });
    return crashing.size() < CRASHING_APPS_MIN ? 0 : (double) crashing.size() / fleet.apps().size();
  }

  /** The ledger's writer does not keep up. */
  static RodRule ledgerQueue() {
    return deny("ledger-queue", 0.9, 0.5, "the queue of the ledger's writer is nearly full");
  }

  /** The disk is nearly full: the reading is the share of {@code bytesMin} that is missing. */
  static RodRule disk() {
    return deny("disk", 0, -1, "the disk is nearly full");
  }

  /** The edge's follower stands still: a release could not become visible. */
  static RodRule stream() {
    return deny("stream-frozen", 1, 0, "the stream that serves traffic is frozen");
  }

  /** The pool of drones is nearly used up. */
  static RodRule pool() {
    return deny("pool", 0.95, 0.9, "19 of 20 drones are in use");
  }

  /** Many apps began to crash at once: what they share is broken, and more starts are more load. */
  static RodRule crashLoops() {
    return deny("crash-loops", 0.3, 0.1, "3 of 10 apps began to crash again and again");
  }

  private static RodRule deny(String name, double high, double low, String reason) {
    return new RodRule(name, KnownRod.DENY_DEPLOYS, WEAK, high, low, 3, TTL, reason);
  }

  private void run(Supervised self) throws InterruptedException {
    while (!self.closed()) {
      look();
      time.sleep(TICK);
    }
  }

  /** One look of every rule. */
  void look() {
    board.prune();
    for (var watched : rules) {
      var rule = watched.rule();
      board.ruled(rule.name(), rule.look(reading(watched), time.now()));
    }
  }

  /** One that cannot be read says nothing, and keeps the other rules from nothing. */
  private static double reading(Watched watched) {
    try {
      return watched.reading().getAsDouble();
    } catch (RuntimeException e) {
      LOG.log(Level.WARNING, "rule " + watched.rule().name() + " cannot be looked at", e);
      return Double.NaN;
    }
  }

  @Override
  public void close() {
    part.close();
  }
}
