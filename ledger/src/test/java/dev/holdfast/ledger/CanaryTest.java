package dev.holdfast.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CanaryTest extends PoisonStage {
  @Test
  void othersDoNotSeeWhatTheFirstCouldNotTake() throws Exception {
    var first = follow(feed);
    var others = follow(new Canary(feed, first, Duration.ofMillis(100), TIME));
    long last = inject(Poison.BROKEN_PAYLOAD);
    await(() -> others.view().position() >= last);
    assertThat(others.report().quarantine().get("service/s1")).contains("withheld");
    assertThat(others.report().seen()).isEqualTo(first.report().seen());
    assertThat(content(others)).isEqualTo(content(first));
    inject(last + 1);
    await(() -> first.standing() instanceof Standing.Frozen);
    Thread.sleep(50);
    assertThat(others.standing()).isInstanceOf(Standing.Quarantining.class);
    assertThat(others.view().position()).isEqualTo(last);
  }

  @ParameterizedTest
  @EnumSource(
      value = Poison.class,
      names = {"UNKNOWN_TYPE", "BAD_CRC", "GAP", "TEN_MEBIBYTES", "MASS_DELETION"})
  void othersNeedNoDecisionOfTheirOwn(Poison poison) throws Exception {
    var first = follow(feed);
    var others = follow(new Canary(feed, first, Duration.ZERO, TIME));
    var before = content(others);
    long last = inject(poison);
    await(() -> !(first.standing() instanceof Standing.Following));
    var blocked = first.report().blocked();
    if (blocked != null) {
      assertThat(others.awaitApplied(blocked.from(), Duration.ofMillis(100))).isFalse();
      assertThat(others.view().position()).isEqualTo(LIVE);
      store.poison(last + 1, verdict(last + 1, blocked.from(), blocked.through()));
    }
    long end = blocked == null ? last : last + 1;
    var standings = new ArrayList<Standing>();
    await(() -> {
      standings.add(others.standing());
      return others.view().position() == end;
    });
    assertThat(standings).noneMatch(Standing.Frozen.class::isInstance);
    assertThat(content(others)).isEqualTo(content(first)).containsAllEntriesOf(before);
    assertThat(others.report().seen()).isEqualTo(first.report().seen());
    assertThat(others.report().quarantine().keySet())
        .isEqualTo(first.report().quarantine().keySet());
  }

  @Test
  void whatWasReadBeforeIsNotNew() throws Exception {
    var first = follow(ledger);
    var canary = new Canary(ledger, first, LONG, TIME);
    canary.know("service", 1);
    var others = follow(canary);
    assertThat(others.awaitApplied(put("new").orThrow().position(), LONG.dividedBy(2))).isTrue();
  }

  @Test
  void anEntryOfANewSortIsHeldBack() throws Exception {
    var first = follow(ledger);
    var hold = Duration.ofMillis(300);
    var others = follow(new Canary(ledger, first, hold, TIME));
    long begun = System.nanoTime();
    long at = put("new").orThrow().position(); // the first of its kind that passes here
    await(() -> first.view().position() >= at);
    assertThat(others.awaitApplied(at, LONG)).isTrue();
    assertThat(System.nanoTime() - begun).isGreaterThanOrEqualTo(hold.toNanos());
    begun = System.nanoTime();
    assertThat(others.awaitApplied(put("newer").orThrow().position(), LONG)).isTrue();
    assertThat(System.nanoTime() - begun).isLessThan(hold.toNanos());
  }
}
