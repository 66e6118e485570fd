package dev.holdfast.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Time;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a ledger does with a store that is away. */
@Timeout(30)
class AwayTest {
  private final AtomicInteger away = new AtomicInteger();

  @Test
  void itIsAskedAgainUntilItIsBack() throws Exception {
    try (var ledger = ledger(Duration.ofSeconds(20))) {
      away.set(3);
      assertThat(put(ledger).orThrow().position()).isEqualTo(1);
      assertThat(away).hasValue(0);
    }
  }

  @Test
  void whoWaitedLongEnoughIsRefusedWithTheCauseAndTheNextPasses() throws Exception {
    try (var ledger = ledger(Duration.ofMillis(200))) {
      away.set(Integer.MAX_VALUE);
      var outcome = put(ledger);
      assertThat(outcome).isInstanceOf(Outcome.Refused.class);
      var refusal = ((Outcome.Refused<Receipt>) outcome).refusal();
      assertThat(refusal).isInstanceOf(Refusal.Unavailable.class);
      assertThat(refusal.message()).contains("gone fishing");
      away.set(0);
      assertThat(put(ledger).orThrow().position()).isEqualTo(1);
    }
  }

  @Test
  void whatCannotBeKnownIsSaidToBeSo() throws Exception {
    try (var ledger = ledger(Duration.ofSeconds(20))) {
      away.set(-1);
      var refusal = ((Outcome.Refused<Receipt>) put(ledger)).refusal();
      assertThat(refusal.message()).contains("is not known").contains("lost in a commit");
    }
  }

  private static Outcome<Receipt> put(Ledger ledger) {
    return ledger.append(
        Transaction.by("t")
            .put(Service.KIND, Service.key("a"), new Service("a", true, 1), Transaction.ANY));
  }

  private Ledger ledger(Duration appendWait) throws StoreException {
    var real = new MemoryStore();
    var store =
        (Store)
            Proxy.newProxyInstance(
                Store.class.getClassLoader(),
                new Class<?>[] {Store.class},
                (_, method, arguments) -> {
                  if (method.getName().equals("begin")) {
                    if (away.compareAndSet(-1, 0)) {
                      throw new StoreInDoubt("lost in a commit", new IllegalStateException());
                    }
                    if (away.get() > 0) {
                      away.decrementAndGet();
                      throw new StoreAway("gone fishing");
                    }
                  }
                  try {
                    return method.invoke(real, arguments);
                  } catch (InvocationTargetException e) {
                    throw Objects.requireNonNull(e.getCause());
                  }
                });
    var config = new LedgerConfig(16, 16, appendWait);
    return Ledger.open(store, LedgerContract.kinds(), config, Time.system());
  }
}
