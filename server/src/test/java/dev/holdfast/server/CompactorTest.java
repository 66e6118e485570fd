package dev.holdfast.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.LedgerConfig;
import dev.holdfast.ledger.MemoryStore;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.ManualTime;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** When the ledger is compacted by itself, and how far. */
@Timeout(30)
class CompactorTest {
  private static final Compactor.Bounds BOUNDS = new Compactor.Bounds(true, 100, 0.5, 10);

  private final ManualTime time = new ManualTime();
  private Ledger ledger;

  @BeforeEach
  void open() throws Exception {
    ledger = Ledger.open(new MemoryStore(), Platform.KINDS, LedgerConfig.defaults(), Time.system());
  }

  @AfterEach
  void close() {
    ledger.close();
  }

  private Compactor compactor(Compactor.Bounds bounds, LongUnaryOperator needed) {
    return new Compactor(ledger, bounds, needed, time);
  }

  /** Writes so many entries about so many hosts. */
  private void write(int entries, int hosts) {
    for (int i = 0; i < entries; i++) {
      var host = "h" + i % hosts + ".test";
      ledger
          .append(
              Transaction.by("test")
                  .put(
                      Route.KIND,
                      Route.key(host),
                      Route.toAddress(host, "http://127.0.0.1:" + (1 + i)),
                      Transaction.ANY))
          .orThrow();
    }
  }

  private long after(Compactor compactor, Duration wait) {
    time.advance(wait);
    compactor.look();
    return ledger.floor();
  }

  @Test
  void compactsWhatCanBeDroppedAtMostOnceAnHourAndKeepsTheNewest() throws Exception {
    var compactor = compactor(BOUNDS, most -> most);
    write(200, 5);
    assertThat(after(compactor, Duration.ofMinutes(9))).as("just started").isZero();
    assertThat(after(compactor, Duration.ofMinutes(2))).isEqualTo(190);
    assertThat(ledger.left(0, 1_000)).hasSizeBetween(10, 15);
    assertThat(ledger.counts().getFirst().live()).isEqualTo(5);

    write(200, 5);
    assertThat(after(compactor, Duration.ofMinutes(30))).as("half an hour later").isEqualTo(190);
    assertThat(after(compactor, Duration.ofMinutes(31))).isEqualTo(390);
  }

  @Test
  void leavesAloneWhatIsAliveAndWhatIsLittle() {
    var compactor = compactor(BOUNDS, most -> most);
    write(99, 1);
    assertThat(after(compactor, Duration.ofHours(2))).as("99 entries").isZero();
    write(61, 61);
    assertThat(after(compactor, Duration.ofHours(2))).as("160 entries, 61 keys").isEqualTo(150);
    write(150, 150);
    assertThat(after(compactor, Duration.ofHours(2))).as("150 more, and 150 keys").isEqualTo(150);
  }

  @Test
  void goesNoFurtherThanTheLastFollowerIs() {
    var compactor = compactor(BOUNDS, most -> Math.min(most, 120));
    write(300, 5);
    assertThat(after(compactor, Duration.ofHours(1))).isEqualTo(120);
    assertThat(after(compactor, Duration.ofHours(2))).as("it has not moved").isEqualTo(120);
  }

  @Test
  void waitsWhileMuchIsWritten() {
    var compactor = compactor(BOUNDS, most -> most);
    write((int) Compactor.BUSY_PER_MINUTE + 1, 5);
    assertThat(after(compactor, Duration.ofHours(1))).as("busy").isZero();
    assertThat(after(compactor, Duration.ofMinutes(1))).as("calm again").isPositive();
  }

  @Test
  void doesNothingWhenItIsOff() {
    var compactor = compactor(new Compactor.Bounds(false, 1, 0.01, 1), most -> most);
    write(300, 5);
    assertThat(after(compactor, Duration.ofHours(2))).isZero();
  }
}
