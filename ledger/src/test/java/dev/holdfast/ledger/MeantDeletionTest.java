package dev.holdfast.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.limits.Time;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Whoever deletes much on purpose says so, and stops nobody. */
class MeantDeletionTest {
  private static final int LIVE = 100;
  private static final Duration LONG = Duration.ofSeconds(20);

  private static final Fold<Integer> COUNT =
      new Fold<>() {
        @Override
        public Integer start() {
          return 0;
        }

        @Override
        public boolean reads(String kind) {
          return kind.equals(Service.KIND.name());
        }

        @Override
        public Integer apply(Integer view, Entry entry) {
          return !reads(entry.kind()) ? view : view + (entry.deleted() ? -1 : 1);
        }
      };

  @Test
  void isAppliedWithTheVerdictThatStandsBehindIt() throws Exception {
    try (var ledger =
            Ledger.open(
                new MemoryStore(),
                Kinds.of(Service.KIND, Verdict.KIND),
                LedgerConfig.defaults(),
                Time.system());
        var follower = new Follower<>("test", ledger, COUNT, Time.system())) {
      var puts = Transaction.by("test");
      for (int i = 0; i < LIVE; i++) {
        puts.put(
            Service.KIND, Service.key("s" + i), new Service("s" + i, true, 1), Transaction.ANY);
      }
      ledger.append(puts).orThrow();
      follower.start();
      assertThat(follower.awaitApplied(LIVE, LONG)).isTrue();

      var receipt = ledger.append(deletes(60).meant("the app is destroyed")).orThrow();

      assertThat(receipt.entries()).hasSize(61);
      assertThat(Verdict.KIND.decode(receipt.entries().getLast()))
          .isEqualTo(
              new Verdict(LIVE + 1, LIVE + 60, Verdict.Action.APPLY, "the app is destroyed"));
      assertThat(follower.awaitApplied(receipt.position(), LONG)).isTrue();
      assertThat(follower.view().value()).isEqualTo(LIVE - 60);
    }
  }

  private static Transaction deletes(int count) {
    var transaction = Transaction.by("test");
    for (int i = 0; i < count; i++) {
      transaction.delete(Service.key("s" + i), Transaction.PRESENT);
    }
    return transaction;
  }
}
