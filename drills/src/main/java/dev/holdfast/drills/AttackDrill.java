package dev.holdfast.drills;

import dev.holdfast.drills.Visitors.Rate;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * One attack after the other while ordinary visitors come, some on kept connections and some on new
 * ones. They are to notice next to nothing. What is promised is promised of a platform that has run
 * for a while, so the long form rehearses each attack first: a virtual machine that meets code for
 * the first time compiles it beside everything else. Immutable.
 */
final class AttackDrill implements Script {
  private static final int CLIENTS = 50;
  private static final int KEPT_PER_SECOND = 60;
  private static final int FRESH_PER_SECOND = 30;
  private static final double LATENCY_RATIO = 1.5;
  private static final double LOST_SHARE = 0.001;
  private static final int SHORT_ATTACK_SECONDS = 1;
  private static final int LONG_ATTACK_SECONDS = 15;
  private static final int PAUSE_SECONDS = 1;
  private static final int SHORT_CONNECTIONS_MAX = 600;
  private static final Duration REHEARSAL = Duration.ofSeconds(2);
  private static final Duration CALM = Duration.ofSeconds(5);

  @Override
  public String name() {
    return "attack";
  }

  @Override
  public boolean hasNaiveSide() {
    return false; // parsers and deadlines have no switch; see the test with a thread a connection
  }

  @Override
  public String harm() {
    return "slowloris, slow read, slow body, floods, rapid reset, 10,000 idle connections";
  }

  @Override
  public TestApp.Capacity app() {
    return TestApp.Capacity.of(32, 20);
  }

  @Override
  public Verdict run(Stage stage) throws IOException, InterruptedException {
    var pace = stage.pace();
    int length = pace.isLong() ? LONG_ATTACK_SECONDS : SHORT_ATTACK_SECONDS;
    int each = length + PAUSE_SECONDS;
    int first = pace.steady();
    var kinds = Attack.Kind.values();
    var to = stage.front().visitors();
    var promises = new ArrayList<Promise>();
    var numbers = new TreeMap<String, String>();
    if (pace.isLong()) {
      rehearse(stage);
    }
    try (var load = stage.load()) {
      var kept =
          load.add(
              Visitors.of("kept", to, Front.HOST, 1, CLIENTS)
                  .withRates(new Rate(0, KEPT_PER_SECOND)));
      var fresh =
          load.add(
              Visitors.of("fresh", to, Front.HOST, 2, CLIENTS)
                  .withFreshConnections()
                  .withRates(new Rate(0, FRESH_PER_SECOND)));
      load.start(first + kinds.length * each);
      for (int i = 0; i < kinds.length; i++) {
        load.until(first + i * each);
        stage.timeline().span(word(kinds[i]), first + i * each, first + i * each + length);
        var cpu = stage.front().cpu();
        int most = pace.isLong() ? Integer.MAX_VALUE : SHORT_CONNECTIONS_MAX;
        int connections = Math.min(most, kinds[i].connections());
        try (var attack = new Attack(stage.time(), stage.front(), kinds[i], connections)) {
          load.until(first + i * each + length);
          numbers.put(word(kinds[i]) + ", attackers", attack.toString());
          numbers.put(word(kinds[i]) + ", processor", used(stage.front().cpu().minus(cpu), length));
        }
      }
      load.await();
      var steadyKept = kept.between(1, first);
      var steadyFresh = fresh.between(1, first);
      numbers.put("steady, kept connections", steadyKept.toString());
      numbers.put("steady, new connections", steadyFresh.toString());
      for (int i = 0; i < kinds.length; i++) {
        int from = first + i * each;
        judge(
            promises,
            numbers,
            pace,
            kinds[i],
            "kept",
            steadyKept,
            kept.between(from, from + length));
        judge(
            promises,
            numbers,
            pace,
            kinds[i],
            "new",
            steadyFresh,
            fresh.between(from, from + length));
      }
      return stage.verdict(this, load, promises, numbers);
    }
  }

  private static void rehearse(Stage stage) throws IOException, InterruptedException {
    for (var kind : Attack.Kind.values()) {
      int connections = Math.min(SHORT_CONNECTIONS_MAX, kind.connections());
      try (var _ = new Attack(stage.time(), stage.front(), kind, connections)) {
        stage.time().sleep(REHEARSAL);
      }
    }
    stage.time().sleep(CALM);
  }

  private static String used(Duration cpu, int seconds) {
    return "%.1f %% of a core".formatted(cpu.toMillis() / 10.0 / seconds);
  }

  private static void judge(
      List<Promise> promises,
      Map<String, String> numbers,
      Pace pace,
      Attack.Kind kind,
      String whose,
      Tally.Sum before,
      Tally.Sum during) {
    var what = word(kind) + ", visitors on " + whose + " connections";
    numbers.put(what, during.toString());
    promises.add(
        Promise.atMost(
                what + ", p99 of before",
                during.admittedMillis(99) / before.millis(99),
                LATENCY_RATIO,
                "x")
            .judgedIf(pace.isLong()));
    promises.add(
        Promise.atMost(
            what + ", lost", (double) during.lost() / during.offered(), LOST_SHARE, "of all"));
  }

  private static String word(Attack.Kind kind) {
    return kind.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
