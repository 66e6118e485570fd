package dev.holdfast.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.LedgerConfig;
import dev.holdfast.ledger.LedgerContract;
import dev.holdfast.limits.Time;
import java.io.PrintStream;
import java.time.Duration;

/** A process that writes to a database as fast as it can and prints what was acknowledged. */
final class Stopped {
  private Stopped() {}

  public static void main(String[] args) throws Exception {
    var config = PostgresConfig.of(args[0], null).withBatchWait(Duration.ofMillis(300));
    var ledger =
        Ledger.open(
            PostgresStore.open(config, Time.system()),
            LedgerContract.kinds(),
            new LedgerConfig(1_024, 256, Duration.ofSeconds(30)),
            Time.system());
    var out = new PrintStream(System.out, true, UTF_8);
    for (int t = 0; t < 4; t++) {
      var prefix = "c" + t + "-";
      Thread.ofPlatform()
          .start(() -> {
            for (int i = 0; i < 1_000_000; i++) {
              var mark = prefix + i;
              long began = System.nanoTime();
              var receipt = ledger.append(Writing.put(mark, "s" + i % 7)).orThrow();
              out.println(mark + " " + receipt.position() + " " + began + " .");
            }
          });
    }
  }
}
