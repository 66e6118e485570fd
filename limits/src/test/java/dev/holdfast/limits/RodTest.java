package dev.holdfast.limits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RodTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final RodsConfig CONFIG = RodsConfig.defaults();
  private static final String NODE = "n1";

  private final RodEffects effects = new RodEffects();

  private static Outcome<Rod> decide(RodOrder order) {
    return order.decide(CONFIG, NODE, "ann", Rod.Source.OPERATOR, NOW);
  }

  private static RodOrder order(String name, @Nullable String scope, String level) {
    return new RodOrder(name, scope, level, null, "a drill", false);
  }

  private static String refusal(RodOrder order) {
    return decide(order) instanceof Outcome.Refused<Rod>(var refusal) ? refusal.message() : "";
  }

  private static Rod rod(KnownRod known, String scope, int level, int seconds) {
    return new Rod(
        known.word(),
        scope,
        level,
        "because",
        "ann",
        NOW,
        seconds == 0 ? null : NOW.plusSeconds(seconds),
        Rod.Source.OPERATOR);
  }

  private static long millis(int seconds) {
    return NOW.plusSeconds(seconds).toEpochMilli();
  }

  private RodView view(Rod... rods) {
    return RodView.of(NODE, List.of(rods), effects);
  }

  @Test
  void lastsForTheConfiguredTimeWhenNobodySays() {
    var rod = decide(order("maintenance", "app/hello", "on")).orThrow();
    assertThat(rod.key()).isEqualTo("rod/maintenance/app/hello");
    assertThat(rod.level()).isZero();
    assertThat(rod.expiresAt()).isEqualTo(NOW.plus(CONFIG.ttl()));
    assertThat(decide(order("connect-rate", null, "25%")).orThrow().level()).isEqualTo(25);
    assertThat(decide(order("connect-rate", "node", "0%")).orThrow().scope()).isEqualTo("node/n1");
  }

  @Test
  void lastsForEverOnlyWhenThatIsSaid() {
    var ever = new RodOrder("pause", "app/a", "on", "forever", "sold", false);
    assertThat(decide(ever).orThrow().expiresAt()).isNull();
    var long2 = new RodOrder("pause", "app/a", "on", "25h", "sold", false);
    assertThat(refusal(long2)).contains("ttl: 25h").contains("forever").contains("1440m");
    assertThat(refusal(new RodOrder("pause", "app/a", "on", "0s", "sold", false))).contains("ttl");
    assertThat(decide(new RodOrder("pause", "app/a", "on", "1d", "s", false)).orThrow().expiresAt())
        .isEqualTo(NOW.plus(Duration.ofHours(24)));
    assertThat(refusal(new RodOrder("pause", "app/a", "on", "1h", null, false))).contains("reason");
    assertThat(refusal(new RodOrder("pause", "app/a", "on", "1h", " ", false))).contains("reason");
  }

  @Test
  void refusesWhatItDoesNotKnowAndNamesWhatItKnows() {
    assertThat(refusal(order("deny-everything", null, "on")))
        .contains("deny-everything")
        .contains("deny-deploys")
        .contains("provisioning-off");
    assertThat(refusal(order("connect-rate", "app/hello", "10%")))
        .contains("app/hello")
        .contains("global, node");
    assertThat(refusal(order("pause", "planet/earth", "on"))).contains("app/NAME");
    assertThat(refusal(order("pause", "app/", "on"))).contains("scope app");
    assertThat(refusal(order("pause", null, "50%"))).contains("on: every request waits");
    assertThat(refusal(order("connect-rate", null, "100%"))).contains("lift it");
    assertThat(refusal(order("connect-rate", null, "on"))).contains("0% to 99%");
  }

  @Test
  void everyKnownRodCanBeSetAtEveryOneOfItsLevelsAndScopes() {
    for (var known : KnownRod.values()) {
      assertThat(KnownRod.find(known.word())).isEqualTo(known);
      var levels =
          known.steps().isEmpty()
              ? List.of("0%", "99%")
              : known.steps().stream().map(KnownRod.Step::word).toList();
      for (var extent : known.extents()) {
        var scope = extent == RodScope.Extent.GLOBAL ? "global" : extent.word() + "/x";
        for (var level : levels) {
          var rod = decide(order(known.word(), scope, level)).orThrow();
          assertThat(known.show(rod.level())).isEqualTo(level);
          assertThat(RodScope.of(rod.scope()).text()).isEqualTo(scope);
        }
      }
    }
  }

  @Test
  void theStrictestOfSeveralWins() {
    var view =
        view(
            rod(KnownRod.CONNECT_RATE, "global", 50, 60),
            rod(KnownRod.CONNECT_RATE, "node/n1", 20, 10),
            rod(KnownRod.CONNECT_RATE, "node/other", 0, 60));
    assertThat(view.all()).hasSize(2);
    assertThat(level(view.find(KnownRod.CONNECT_RATE, millis(0)))).isEqualTo(20);
    assertThat(level(view.find(KnownRod.CONNECT_RATE, millis(9)))).isEqualTo(20);
    assertThat(level(view.find(KnownRod.CONNECT_RATE, millis(10)))).isEqualTo(50);
    assertThat(view.find(KnownRod.CONNECT_RATE, millis(60))).isNull();
    assertThat(view.find(KnownRod.PAUSE, millis(0))).isNull();
  }

  @Test
  void ofEquallyStrictOnesTheOneThatLastsLongestIsNamed() {
    var view = view(rod(KnownRod.PAUSE, "global", 0, 5), rod(KnownRod.PAUSE, "app/a", 0, 0));
    var found = there(view.find(KnownRod.PAUSE, "a", "a", millis(0)));
    assertThat(found.rod().scope()).isEqualTo("app/a");
    assertThat(found.secondsLeft(millis(0), 60)).isEqualTo(60);
    var other = there(view.find(KnownRod.PAUSE, "b", null, millis(1)));
    assertThat(other.secondsLeft(millis(1), 60)).isEqualTo(4);
  }

  @Test
  void actsOnItsScopeOnly() {
    var view =
        view(
            rod(KnownRod.MAINTENANCE, "app/shop", 0, 60),
            rod(KnownRod.MAINTENANCE, "account/acme", 0, 60));
    assertThat(view.find(KnownRod.MAINTENANCE, "shop", null, millis(0))).isNotNull();
    assertThat(view.find(KnownRod.MAINTENANCE, "blog", "acme", millis(0))).isNotNull();
    assertThat(view.find(KnownRod.MAINTENANCE, "acme", "shop", millis(0))).isNull();
    assertThat(view.find(KnownRod.MAINTENANCE, millis(0))).isNull();
    assertThat(view.heedsRequests()).isTrue();
    assertThat(view(rod(KnownRod.DENY_DEPLOYS, "global", 0, 0)).heedsRequests()).isFalse();
  }

  @Test
  void countsWhatARodDidForAsLongAsItIsIn() {
    var pause = rod(KnownRod.PAUSE, "app/a", 0, 60);
    var first = view(pause).all().getFirst();
    first.felt();
    first.felt();
    var again = view(pause, rod(KnownRod.PAUSE, "app/b", 0, 60));
    assertThat(again.all()).extracting(RodView.Inserted::effect).containsExactly(2L, 0L);
    effects.keep(List.of());
    assertThat(view(pause).all().getFirst().effect()).isZero();
    assertThat(effects.total(KnownRod.PAUSE)).isEqualTo(2);
  }

  @Test
  void aRodThatIsNotKnownHereIsReadAndLeftAlone() {
    var newer =
        new Rod("shed", "app/a", 70, "r", "ann", NOW, NOW.plusSeconds(1), Rod.Source.OPERATOR);
    assertThat(view(newer).all()).isEmpty();
  }

  @Test
  void aRuleActsAfterSeveralLooksAndStopsOnlyWhenItIsCalm() {
    var rule = rule();
    assertThat(rule.look(0.95, at(0))).isNull();
    var acting = there(rule.look(0.91, at(1)));
    assertThat(acting.from()).isEqualTo("rule queue");
    assertThat(acting.level()).isPositive();
    assertThat(rule.look(0.7, at(2))).as("between the marks").isNotNull();
    assertThat(rule.look(0.4, at(3))).as("low once").isNotNull();
    assertThat(rule.look(0.7, at(4))).isNotNull();
    assertThat(rule.look(0.4, at(5))).isNotNull();
    assertThat(rule.look(0.4, at(6))).isNull();
    assertThat(rule.look(0.95, at(7))).isNull();
  }

  @Test
  void aRulesRodExpiresWhenNobodyLooksAnyMore() {
    var rule = rule();
    rule.look(1, at(0));
    var acting = there(rule.look(1, at(1)));
    assertThat(acting.expiresAt()).isEqualTo(at(61));
    var blind = there(rule.look(Double.NaN, at(30)));
    assertThat(blind.expiresAt()).as("a look that saw nothing").isEqualTo(at(61));
    var later = there(rule.look(1, at(31)));
    assertThat(later.expiresAt()).isEqualTo(at(91));
    assertThat(later.setAt()).isEqualTo(at(1));
  }

  @Test
  void aRuleMayNotTurnAnythingOff() {
    assertThatThrownBy(() ->
            new RodRule("x", KnownRod.API_READ_ONLY, "on", 1, 0, 1, Duration.ofSeconds(1), "r"))
        .hasMessageContaining("weaker than off");
  }

  private static RodRule rule() {
    return new RodRule(
        "queue",
        KnownRod.DENY_DEPLOYS,
        "rollbacks",
        0.9,
        0.5,
        2,
        Duration.ofSeconds(60),
        "the queue is full");
  }

  private static <T> T there(@Nullable T thing) {
    return Objects.requireNonNull(thing);
  }

  private static Instant at(int seconds) {
    return NOW.plusSeconds(seconds);
  }

  private static int level(RodView.@Nullable Inserted found) {
    return found == null ? KnownRod.WHOLE : found.level();
  }
}
