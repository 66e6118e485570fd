package dev.holdfast.drills;

import dev.holdfast.drills.Visitors.Rate;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * The app is five times slower for ten seconds, at 70 % load, with visitors who give up after a
 * second and ask again three times. The metastable failure (Huang et al., OSDI 2022): without a
 * defence the app is busy with what nobody waits for any more, long after it is well again.
 * Immutable.
 */
final class BrownOutDrill implements Script {
  private static final int LOAD_PERCENT = 70;
  private static final int SLOWER = 5;
  private static final int CLIENTS = 100;
  private static final int BROWN_OUT_SECONDS = 10;
  private static final int BACK_SECONDS = 30;
  private static final Duration PATIENCE = Duration.ofSeconds(1);
  private static final Retries RETRIES = new Retries.Immediate(3);
  private static final double GOOD_SHARE = 0.95;
  private static final double AMPLIFICATION = 1.1;

  @Override
  public String name() {
    return "brown-out";
  }

  @Override
  public String harm() {
    return "the app is five times slower for a while, and visitors ask again";
  }

  @Override
  public TestApp.Capacity app() {
    return TestApp.Capacity.of(12, 100);
  }

  @Override
  public Verdict run(Stage stage) throws IOException, InterruptedException {
    var pace = stage.pace();
    var app = stage.app();
    int fault = pace.steady();
    int cure = fault + (pace.isLong() ? BROWN_OUT_SECONDS : pace.fault());
    int end = cure + pace.recovery();
    int back = pace.isLong() ? cure + BACK_SECONDS : cure + pace.recovery() / 2;
    try (var load = stage.load()) {
      var visits =
          load.add(
              Visitors.of("visit", stage.front().visitors(), Front.HOST, 1, CLIENTS)
                  .withPatience(PATIENCE, RETRIES)
                  .withRates(new Rate(0, app.capacity().perSecond() * LOAD_PERCENT / 100)));
      stage.timeline().span(SLOWER + "x slower", fault, cure);
      load.start(end);
      load.until(fault);
      app.slow(SLOWER);
      long before = app.arrived("/visit");
      load.until(cure);
      app.slow(1);
      load.await();
      long reached = app.arrived("/visit") - before;
      var all = visits.between(fault, end);
      var after = visits.between(back, end);
      return stage.verdict(
          this,
          load,
          List.of(
              Promise.atLeast(
                  "good from " + (back - cure) + " s after its end on",
                  after.goodShare(),
                  GOOD_SHARE,
                  "x"),
              Promise.atMost(
                  "requests at the app, of the visits",
                  (double) reached / all.offered(),
                  AMPLIFICATION,
                  "x")),
          Map.of(
              "steady", visits.between(1, fault).toString(),
              "during", visits.between(fault, cure).toString(),
              "after", after.toString(),
              "good each second", visits.goods().toString(),
              "visitors' own tries",
                  "%.2f of the visits".formatted((double) all.tries() / all.offered())));
    }
  }
}
