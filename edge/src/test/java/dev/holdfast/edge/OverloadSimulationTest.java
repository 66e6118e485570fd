package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.edge.Limiter.Mode;
import dev.holdfast.edge.Town.Log;
import dev.holdfast.limits.Keys;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Three times what an app, or the node itself, can do; and one heavy client among a hundred. */
class OverloadSimulationTest {
  private static final int CLIENTS = 100;
  private static final long CALM = 20 * World.SECOND;
  private static final long STORM = 40 * World.SECOND;
  private static final int APP_CAPACITY = 800; // 16 workers of 20 ms
  private static final int NODE_CAPACITY = 1900; // two loops of 1 ms, less what refusing costs

  private record Result(Town town, Log calm, Log storm, double goodput) {
    double slower() {
      return (double) storm.latency.p(0.99) / calm.latency.p(0.99);
    }
  }

  private static Result threeTimes(
      long seed, AdmissionConfig config, double capacity, Function<Town, Town.App> build) {
    var world = new World(seed);
    var town = new Town(world, config, 2);
    var app = build.apply(town);
    var calm = new Log();
    var storm = new Log();
    crowd(town, 0.3 * capacity, CALM, app, calm);
    world.run(CALM);
    crowd(town, 3 * capacity, CALM + STORM, app, storm);
    world.run(CALM + STORM);
    double seconds = (double) STORM / World.SECOND;
    return new Result(town, calm, storm, storm.good / seconds / capacity);
  }

  private static void crowd(Town town, double perSecond, long until, Town.App app, Log log) {
    for (int i = 0; i < CLIENTS; i++) {
      town.visitors(perSecond / CLIENTS, until, app, Keys.of("client" + i), log);
    }
  }

  private static Town.App slowApp(Town town) {
    return town.new App("app", "team", 16, town.exponential(20));
  }

  private static Town.App drillApp(Town town) {
    return town.new App("app", "team", 16, town.constant(80));
  }

  /** The drill on sockets, second by second as it judges. */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void theAppOfTheDrillStaysFastFromTheFirstSecondOn(long seed) {
    var world = new World(seed);
    var town = new Town(world, AdmissionConfig.defaults(), 2);
    var app = drillApp(town);
    var calm = new Log();
    var first = new Log();
    var storm = new Log();
    crowd(town, 100, CALM, app, calm);
    world.run(CALM);
    crowd(town, 600, CALM + World.SECOND, app, first);
    world.run(CALM + World.SECOND);
    crowd(town, 600, 2 * CALM, app, storm);
    world.run(2 * CALM);
    assertThat(first.firstRefusal - CALM).isPositive().isLessThanOrEqualTo(World.SECOND);
    assertThat(storm.good / 19.0).isGreaterThanOrEqualTo(0.90 * 200);
    assertThat((double) storm.latency.p(0.99) / calm.latency.p(0.99)).isLessThanOrEqualTo(2.0);
  }

  /** So many connections of one client, each asking again as soon as it was answered. */
  @ParameterizedTest(name = "{0} connections, answers in {1} ms by {2} workers")
  @CsvSource({"64, 1, 64", "64, 20, 8", "1024, 1, 64", "1024, 10, 64"})
  void whoWaitsForHisAnswersIsNeverRefused(int connections, int millis, int workers) {
    var world = new World(5);
    var town = new Town(world, AdmissionConfig.defaults(), 2);
    var app = town.new App("app", "team", workers, town.exponential(millis));
    var log = new Log();
    log.again = true;
    for (int i = 0; i < connections; i++) {
      town.visit(app, Keys.of("one"), log);
    }
    world.run(4 * World.SECOND);
    log.again = false;
    assertThat(log.refused).isZero();
    double capacity = Math.min(workers, connections) * 1000.0 / millis;
    assertThat(log.good + log.late).isGreaterThan((int) (2 * Math.min(capacity, 20_000)));
  }

  /** One address for a whole office, beside a few others, at 60 % of what the app can do. */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void manyBehindOneAddressAreServedWhileTheAppIsNotOverloaded(long seed) {
    var world = new World(seed);
    var town = new Town(world, AdmissionConfig.defaults(), 2);
    var app = slowApp(town);
    var office = new Log();
    var others = new Log();
    town.visitors(0.45 * APP_CAPACITY, STORM, app, Keys.of("office"), office);
    crowd(town, 0.15 * APP_CAPACITY, STORM, app, others);
    world.run(STORM);
    assertThat(office.refused + others.refused).isZero();
    assertThat(office.latency.p(0.99)).isLessThan(150 * World.MILLI);
  }

  private static Town.App slowEdge(Town town) {
    town.passCost = World.MILLI;
    town.refuseCost = 20 * World.MICRO;
    return town.new App("app", "team", 10_000, town.exponential(50));
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void anAppAtThreeTimesItsCapacityDoesItsWork(long seed) {
    var on =
        threeTimes(seed, AdmissionConfig.defaults(), APP_CAPACITY, OverloadSimulationTest::slowApp);
    assertThat(on.goodput).isGreaterThanOrEqualTo(0.90);
    assertThat(on.slower()).isLessThanOrEqualTo(2.0);
    assertThat(on.storm.firstRefusal - CALM).isLessThanOrEqualTo(World.SECOND);
    var off =
        threeTimes(
            seed,
            AdmissionConfig.defaults().withAll(Mode.OFF),
            APP_CAPACITY,
            OverloadSimulationTest::slowApp);
    assertThat(off.goodput).isLessThan(0.10);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void anAppWhoseAnswersAllTakeTheSameStaysFast(long seed) {
    var on =
        threeTimes(
            seed,
            AdmissionConfig.defaults(),
            APP_CAPACITY,
            town -> town.new App("app", "team", 16, town.constant(20)));
    assertThat(on.goodput).isGreaterThanOrEqualTo(0.90);
    assertThat((double) on.storm.latency.p(0.5) / on.calm.latency.p(0.5)).isLessThan(1.5);
    assertThat((double) on.storm.latency.p(0.95) / on.calm.latency.p(0.95)).isLessThan(2.2);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void aNodeAtThreeTimesItsCapacityDoesItsWork(long seed) {
    var on =
        threeTimes(
            seed, AdmissionConfig.defaults(), NODE_CAPACITY, OverloadSimulationTest::slowEdge);
    assertThat(on.goodput).isGreaterThanOrEqualTo(0.90);
    assertThat(on.slower()).isLessThanOrEqualTo(2.0);
    assertThat(on.storm.firstRefusal - CALM).isLessThanOrEqualTo(World.SECOND);
    assertThat(on.town.admission.refused(Limiter.NODE)).isPositive();
    var off =
        threeTimes(
            seed,
            AdmissionConfig.defaults().withAll(Mode.OFF),
            NODE_CAPACITY,
            OverloadSimulationTest::slowEdge);
    assertThat(off.goodput).isLessThan(0.20);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void observingRefusesNobodyAndCounts(long seed) {
    var seen =
        threeTimes(
            seed,
            AdmissionConfig.defaults().withAll(Mode.OBSERVE),
            APP_CAPACITY,
            OverloadSimulationTest::slowApp);
    assertThat(seen.storm.refused).isZero();
    assertThat(seen.town.admission.refused(Limiter.APP)).isZero();
    assertThat(seen.town.admission.observed(Limiter.APP)).isPositive();
  }

  /** Half of the capacity is used by 99 quiet clients; then one asks for twice the capacity. */
  private static Result oneHeavy(
      long seed, AdmissionConfig config, double capacity, Function<Town, Town.App> build) {
    var world = new World(seed);
    var town = new Town(world, config, 2);
    var app = build.apply(town);
    var calm = new Log();
    var storm = new Log();
    var heavy = new Log();
    crowd(town, 0.5 * capacity, CALM, app, calm);
    world.run(CALM);
    crowd(town, 0.5 * capacity, CALM + STORM, app, storm);
    town.visitors(2 * capacity, CALM + STORM, app, Keys.of("heavy"), heavy);
    world.run(CALM + STORM);
    return new Result(town, calm, storm, heavy.good);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void oneHeavyClientAmongAHundredHurtsNobodyElse(long seed) {
    var on =
        oneHeavy(seed, AdmissionConfig.defaults(), APP_CAPACITY, OverloadSimulationTest::slowApp);
    assertThat(on.storm.refused).isZero();
    assertThat(on.slower()).isLessThanOrEqualTo(1.2);
    assertThat(on.goodput).as("answers for the heavy one").isPositive();
    assertThat(on.town.admission.attribution().clients().getFirst().key())
        .isEqualTo(Keys.of("heavy"));
    var off =
        oneHeavy(
            seed,
            AdmissionConfig.defaults().withAll(Mode.OFF),
            APP_CAPACITY,
            OverloadSimulationTest::slowApp);
    assertThat(off.slower()).isGreaterThan(10);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void aHeavyClientOfAnOverloadedNodeIsShedBeforeTheOthers(long seed) {
    var on =
        oneHeavy(
            seed,
            AdmissionConfig.defaults().withAll(Mode.OFF).with(Limiter.NODE, Mode.ENFORCE),
            NODE_CAPACITY,
            OverloadSimulationTest::slowEdge);
    double others = (double) on.storm.refused / on.storm.sent;
    double all = (double) on.town.admission.refused(Limiter.NODE) / (5 * on.storm.sent);
    assertThat(others).isLessThan(0.25 * all);
    assertThat(on.town.admission.refused(Limiter.NODE)).isPositive();
  }
}
