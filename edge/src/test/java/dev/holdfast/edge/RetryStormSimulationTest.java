package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.edge.Limiter.Mode;
import dev.holdfast.limits.Keys;
import dev.holdfast.limits.RetryBudget;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Ten seconds of brown-out at 70 % load: the app does a fifth of its work, everybody tries again.
 * What matters is what happens when it does all of its work again.
 */
class RetryStormSimulationTest {
  private static final int CAPACITY = 500;
  private static final double OFFERED = 350;
  private static final int TRIES_MAX = 4;
  private static final long TRY_TIMEOUT = World.SECOND;
  private static final long TROUBLE = 20 * World.SECOND;
  private static final long CURE = 30 * World.SECOND;
  private static final long END = 90 * World.SECOND;

  private final int[] good = new int[100];
  private final int[] sent = new int[100];
  private final int[] asked = new int[100];

  /** An app with five workers, and retries by the layer that has the budget. */
  private final class Storm {
    final World world;
    final Town town;
    final Town.App app;
    final RetryBudget budget;
    final boolean budgeted;

    Storm(long seed, boolean guarded) {
      world = new World(seed);
      budgeted = guarded;
      var config = AdmissionConfig.defaults();
      town = new Town(world, guarded ? config : config.withAll(Mode.OFF), 1);
      app =
          town
          .new App(
              "app",
              "team",
              5,
              () -> {
                boolean ill = world.now() >= TROUBLE && world.now() < CURE;
                double millis = ill ? 50 : 5_000.0 / CAPACITY;
                return (long) (-Math.log(1 - world.random.nextDouble()) * millis * World.MILLI) + 1;
              });
      budget = RetryBudget.standard(0);
    }

    void run() {
      world.arrivals(
          OFFERED,
          END,
          () -> {
            asked[second()]++;
            budget.deposit(world.now());
            attempt(1);
          });
      world.run(END);
    }

    void attempt(int number) {
      sent[second()]++;
      var visit = new Try(number);
      visit.begin();
    }

    int second() {
      return (int) (world.now() / World.SECOND);
    }

    /** One try, which the visitor gives up after a second; the app does not hear of that. */
    final class Try implements Waiter {
      private final long client = Keys.of("client" + world.random.nextInt(1000));
      private final int number;
      private final Town.Loop loop = town.loops.getFirst();
      private final Gate gate = loop.lane.app("app", "team", 1, world.now());
      private long sentNanos;
      private boolean over;

      Try(int number) {
        this.number = number;
      }

      void begin() {
        long now = world.now();
        long deadline = now + TRY_TIMEOUT;
        world.in(TRY_TIMEOUT, this::failed);
        switch (loop.lane.admit(gate, client, Priority.LIVE, deadline, now)) {
          case ADMITTED -> admitted(now);
          case WAIT -> loop.lane.park(gate, this, deadline, now);
          case SHED, RATE, SHARE, FULL, DEADLINE -> failed();
        }
      }

      private void failed() {
        if (over) {
          return;
        }
        over = true;
        if (number < TRIES_MAX && (!budgeted || budget.withdraw(world.now()))) {
          attempt(number + 1);
        }
      }

      @Override
      public long clientKey() {
        return client;
      }

      @Override
      public void admitted(long now) {
        sentNanos = now;
        app.workers.submit(() -> {
          long takes = app.service.getAsLong();
          world.in(
              takes,
              () -> {
                loop.lane.firstByte(gate, world.now() - sentNanos, world.now());
                loop.lane.finished(gate, client, 0, 0, takes, 0, world.now());
                if (!over) {
                  over = true;
                  good[second()]++;
                }
              });
          return takes;
        });
      }

      @Override
      public void refused(Verdict verdict) {
        failed();
      }
    }
  }

  private static double sum(int[] counts, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += counts[i];
    }
    return sum;
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void withABudgetAndABoundedRoomGoodputIsBackByItself(long seed) {
    new Storm(seed, true).run();
    assertThat(sum(good, 60, 89) / sum(asked, 60, 89)).isGreaterThanOrEqualTo(0.95);
    assertThat(sum(good, 35, 60) / sum(asked, 35, 60)).isGreaterThanOrEqualTo(0.95);
    assertThat(sum(sent, 20, 90) / sum(asked, 20, 90)).isLessThanOrEqualTo(1.1);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void withBothOffItNeverRecovers(long seed) {
    new Storm(seed, false).run();
    assertThat(sum(good, 60, 89) / sum(asked, 60, 89)).isLessThan(0.5);
    assertThat(sum(sent, 40, 90) / sum(asked, 40, 90)).isGreaterThan(2);
  }
}
