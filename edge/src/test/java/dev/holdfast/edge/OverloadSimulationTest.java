package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.edge.Limiter.Mode;
import dev.holdfast.edge.Town.Log;
import dev.holdfast.limits.Keys;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Three times what the app, or the node itself, can do. */
class OverloadSimulationTest {
  private static final int CLIENTS = 100;

  private record Result(double goodput, Log log, Town town) {}

  private static Result run(
      long seed, AdmissionConfig config, double perSecond, int seconds, boolean node, boolean steady) {
    var world = new World(seed);
    var town = new Town(world, config, 2);
    Town.App app;
    if (node) {
      town.passCost = World.MILLI;
      town.refuseCost = 20 * World.MICRO;
      app = town.new App("app", "team", 10_000, town.constant(5));
    } else {
      app = town.new App("app", "team", 16, steady ? town.constant(20) : town.exponential(20));
    }
    long start = 20 * World.SECOND;
    long end = start + seconds * World.SECOND;
    var calm = new Log();
    var log = new Log();
    for (int i = 0; i < CLIENTS; i++) {
      long client = Keys.of("client" + i);
      town.visitors(0.3 * (node ? 2000 : 800) / CLIENTS, start, app, client, calm);
    }
    world.run(start);
    for (int i = 0; i < CLIENTS; i++) {
      town.visitors(perSecond / CLIENTS, end, app, Keys.of("client" + i), log);
    }
    world.run(end);
    int good = log.good;
    System.out.printf(
        "node %b steady %b mode %s: calm p99 %d ms; offered %.0f/s good %.0f/s refused %d first %d ms"
            + " p50 %d p99 %d ms limit %d%n",
        node,
        steady,
        config.mode(Limiter.NODE),
        calm.latency.p(0.99) / World.MILLI,
        perSecond,
        (double) good / seconds,
        log.refused,
        (log.firstRefusal - start) / World.MILLI,
        log.latency.p(0.5) / World.MILLI,
        log.latency.p(0.99) / World.MILLI,
        town.admission.app("app").limit.limit());
    for (var l : Limiter.values()) {
      if (town.admission.refused(l) > 0) {
        System.out.println("   " + l + " " + town.admission.refused(l));
      }
    }
    return new Result((double) good / seconds, log, town);
  }

  @ParameterizedTest(name = "seed {0}")
  @CsvSource({"1", "2"})
  void print(long seed) {
    for (boolean node : new boolean[] {false, true}) {
      for (boolean steady : new boolean[] {false, true}) {
        for (var mode : new Mode[] {Mode.ENFORCE, Mode.OFF}) {
          var config = AdmissionConfig.defaults();
          if (mode == Mode.OFF) {
            config = config.withAll(Mode.OFF);
          }
          long t = System.nanoTime();
          run(seed, config, node ? 6000 : 2400, 20, node, steady);
          System.out.println("   took " + (System.nanoTime() - t) / 1_000_000 + " ms");
        }
      }
    }
    assertThat(seed).isPositive();
  }
}
