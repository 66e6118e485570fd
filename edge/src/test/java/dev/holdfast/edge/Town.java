package dev.holdfast.edge;

import dev.holdfast.edge.World.Sample;
import dev.holdfast.limits.Keys;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.LongSupplier;

/**
 * An edge with event loops that take time, apps with workers, and visitors who give up after a
 * second: the drills' virtual twin. Only the decisions are real.
 */
final class Town {
  static final long PATIENCE = World.SECOND;

  final World world;
  final Admission admission;
  final List<Loop> loops = new ArrayList<>();

  /** What an event loop works for a request that it passes on, and for one that it refuses. */
  long passCost = 20 * World.MICRO;

  long refuseCost = 5 * World.MICRO;

  Town(World world, AdmissionConfig config, int loopCount) {
    this.world = world;
    admission = new Admission(config, new SplittableRandom(world.random.nextLong()), 0);
    for (int i = 0; i < loopCount; i++) {
      loops.add(new Loop());
    }
    world.every(
        World.SECOND,
        () -> {
          var _ = admission.merge(world.now(), Instant.EPOCH.plusNanos(world.now()));
        });
  }

  /** One event loop. */
  final class Loop {
    final World.Server cpu = world.new Server(1);
    final Lane lane = admission.lane(new SplittableRandom(world.random.nextLong()), world.now());

    Loop() {
      probe();
      world.every(
          2 * World.MILLI,
          () -> {
            if (lane.crowded()) {
              lane.tick(world.now());
            }
          });
    }

    private void probe() {
      world.in(
          Pressure.PROBE_NANOS,
          () -> {
            long due = world.now();
            cpu.submit(() -> {
              lane.probe(world.now() - due, world.now());
              probe();
              return World.MICRO;
            });
          });
    }
  }

  /** An app with workers and a queue of its own without a bound, as apps have. */
  final class App {
    final String name;
    final String account;
    final World.Server workers;
    final LongSupplier service;

    App(String name, String account, int workerCount, LongSupplier service) {
      this.name = name;
      this.account = account;
      workers = world.new Server(workerCount);
      this.service = service;
    }
  }

  /** What became of the requests of some visitors. */
  static final class Log {
    final Sample latency = new Sample();
    int sent;
    int good;
    int late;
    int refused;
    long firstRefusal = -1;

    /** Whoever is answered asks again at once. */
    boolean again;
  }

  /** One request, from the visitor's intention to its end. */
  final class Visit implements Waiter {
    final App app;
    final long client;
    final Log log;
    final Loop loop;
    final long intended = world.now();
    private long sent;
    private Gate gate;

    Visit(App app, long client, Loop loop, Log log) {
      this.app = app;
      this.client = client;
      this.loop = loop;
      this.log = log;
      log.sent++;
      loop.cpu.submit(this::arrive);
      gate = loop.lane.app(app.name, app.account, 1, world.now());
    }

    private long arrive() {
      long now = world.now();
      gate = loop.lane.app(app.name, app.account, 1, now);
      var verdict = loop.lane.admit(gate, client, Priority.LIVE, intended + 30 * PATIENCE, now);
      return switch (verdict) {
        case ADMITTED -> {
          world.in(passCost, this::send);
          yield passCost;
        }
        case WAIT -> {
          loop.lane.park(gate, this, intended + 30 * PATIENCE, now);
          yield passCost;
        }
        case SHED, RATE, SHARE, FULL, DEADLINE -> {
          refused(verdict);
          yield refuseCost;
        }
      };
    }

    private void send() {
      sent = world.now();
      app.workers.submit(() -> {
        long takes = app.service.getAsLong();
        world.in(takes, () -> answered(takes));
        return takes;
      });
    }

    private void answered(long cost) {
      long now = world.now();
      loop.lane.firstByte(gate, now - sent, now);
      loop.lane.finished(gate, client, Keys.of(app.name), 0, cost, 1024, now);
      log.latency.add(now - intended);
      if (now - intended <= PATIENCE) {
        log.good++;
      } else {
        log.late++;
      }
      if (log.again) {
        visit(app, client, log);
      }
    }

    @Override
    public long clientKey() {
      return client;
    }

    @Override
    public void admitted(long now) {
      send();
    }

    @Override
    public void refused(Verdict verdict) {
      log.refused++;
      if (log.firstRefusal < 0) {
        log.firstRefusal = world.now();
      }
    }
  }

  void visit(App app, long client, Log log) {
    var _ = new Visit(app, client, anyLoop(), log);
  }

  Loop anyLoop() {
    return loops.get(world.random.nextInt(loops.size()));
  }

  /** Visitors of one client until that time. */
  void visitors(double perSecond, long until, App app, long client, Log log) {
    world.arrivals(
        perSecond,
        until,
        () -> {
          var _ = new Visit(app, client, anyLoop(), log);
        });
  }

  LongSupplier exponential(double millis) {
    return () -> (long) (-Math.log(1 - world.random.nextDouble()) * millis * World.MILLI) + 1;
  }

  LongSupplier constant(double millis) {
    return () -> (long) (millis * World.MILLI);
  }
}
