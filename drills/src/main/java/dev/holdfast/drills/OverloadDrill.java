package dev.holdfast.drills;

import dev.holdfast.drills.Visitors.Rate;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Three times as many visitors as the app can serve. Without a defence everybody waits behind
 * requests that nobody waits for any more, and the app works for the dead; with one, those that can
 * be served are, as fast as ever, and the others hear so at once. Immutable.
 */
final class OverloadDrill implements Script {
  private static final int STEADY_PERCENT = 50;
  private static final int FACTOR = 3;
  private static final int CLIENTS = 100;
  private static final int CONTROL_PER_SECOND = 20;
  private static final Duration PATIENCE = Duration.ofMillis(500);
  private static final double GOODPUT_SHARE = 0.9;
  private static final double LATENCY_RATIO = 2;
  private static final double CONTROL_MILLIS = 20;
  private static final double SHED_SECONDS = 1;

  @Override
  public String name() {
    return "overload";
  }

  @Override
  public String harm() {
    return "three times as many visitors as the app can serve";
  }

  @Override
  public TestApp.Capacity app() {
    return TestApp.Capacity.of(16, 80);
  }

  @Override
  public Verdict run(Stage stage) throws IOException, InterruptedException {
    var pace = stage.pace();
    double peak = stage.app().capacity().perSecond();
    double steadyRate = peak * STEADY_PERCENT / 100;
    int fault = pace.steady();
    int cure = fault + pace.fault();
    int end = cure + pace.recovery();
    var front = stage.front();
    try (var load = stage.load()) {
      var visits =
          load.add(
              Visitors.of("visit", front.visitors(), Front.HOST, 1, CLIENTS)
                  .withPatience(PATIENCE, new Retries.None())
                  .withRates(
                      new Rate(0, steadyRate),
                      new Rate(fault, FACTOR * peak),
                      new Rate(cure, steadyRate)));
      var control =
          load.add(
              Visitors.of("control", front.control(), "localhost", 2, 1)
                  .withPath(Front.HEALTH)
                  .withRates(new Rate(0, CONTROL_PER_SECOND)));
      stage.timeline().span(FACTOR + "x the capacity", fault, cure);
      load.start(end);
      load.await();
      // The first second is the JIT's, and the first after the fault has a promise of its own.
      var steady = visits.between(1, fault);
      var during = visits.between(fault + 1, cure);
      var after = visits.between(end - pace.recovery() / 2, end);
      var health = control.between(fault, cure);
      return stage.verdict(
          this,
          load,
          List.of(
              Promise.atLeast(
                  "goodput of the peak", during.goodPerSecond() / peak, GOODPUT_SHARE, "x"),
              Promise.atMost(
                      "p99 of the admitted, of the unloaded",
                      during.admittedMillis(99) / steady.millis(99),
                      LATENCY_RATIO,
                      "x")
                  .judgedIf(pace.isLong()),
              Promise.atMost(
                  "until the first is shed", visits.firstRefusalAfter(fault), SHED_SECONDS, "s"),
              Promise.atMost("control traffic's p99", health.millis(99), CONTROL_MILLIS, "ms")
                  .judgedIf(pace.isLong()),
              Promise.none("control traffic lost", health.lost(), "requests"),
              Promise.atLeast("good once it is over", after.goodShare(), 0.95, "x")),
          Map.of(
              "steady", steady.toString(),
              "during", during.toString(),
              "after", after.toString(),
              "control", health.toString(),
              "app", "served " + stage.app().served("/visit") + ", peak " + peak + "/s"));
    }
  }
}
