package dev.holdfast.drills;

import dev.holdfast.drills.Visitors.Rate;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * One client among a hundred asks for twice what the app can serve. The other ninety-nine are to
 * notice nothing. Immutable.
 */
final class HeavyClientDrill implements Script {
  private static final int QUIET_CLIENTS = 99;
  private static final int QUIET_PERCENT = 37;
  private static final int HEAVY_PERCENT = 200;
  private static final double LATENCY_RATIO = 1.2;
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  @Override
  public String name() {
    return "heavy-client";
  }

  @Override
  public String harm() {
    return "one client of a hundred asks for twice the capacity";
  }

  @Override
  public TestApp.Capacity app() {
    return TestApp.Capacity.of(64, 80);
  }

  @Override
  public Verdict run(Stage stage) throws IOException, InterruptedException {
    var pace = stage.pace();
    double peak = stage.app().capacity().perSecond();
    int fault = pace.steady();
    int cure = fault + pace.fault();
    int end = cure + pace.recovery();
    var to = stage.front().visitors();
    try (var load = stage.load()) {
      var quiet =
          load.add(
              Visitors.of("quiet", to, Front.HOST, 1, QUIET_CLIENTS)
                  .withPatience(PATIENCE, new Retries.None())
                  .withRates(new Rate(0, peak * QUIET_PERCENT / 100)));
      var heavy =
          load.add(
              Visitors.of("heavy", to, Front.HOST, 2, 1)
                  .withRates(
                      new Rate(0, 0),
                      new Rate(fault, peak * HEAVY_PERCENT / 100),
                      new Rate(cure, 0)));
      stage.timeline().span("the heavy client", fault, cure);
      load.start(end);
      load.await();
      var steady = quiet.between(1, fault);
      var during = quiet.between(fault, cure);
      var after = quiet.between(end - pace.recovery() / 2, end);
      var flood = heavy.between(fault, cure);
      return stage.verdict(
          this,
          load,
          List.of(
              Promise.none("lost of the other 99", during.lost(), "requests"),
              Promise.atMost(
                      "p99 of the other 99, of before",
                      during.admittedMillis(99) / steady.millis(99),
                      LATENCY_RATIO,
                      "x")
                  .judgedIf(pace.isLong()),
              Promise.atLeast("the heavy one is served, too", (double) flood.good(), 1, "requests"),
              Promise.none("lost once it is over", after.lost(), "requests")),
          Map.of(
              "steady", steady.toString(),
              "during", during.toString(),
              "heavy", flood.toString(),
              "after", after.toString(),
              "app",
                  "served "
                      + stage.app().served("/quiet")
                      + " of the quiet, "
                      + stage.app().served("/heavy")
                      + " of the heavy, peak "
                      + peak
                      + "/s"));
    }
  }
}
