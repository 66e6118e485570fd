package dev.holdfast.ledger;

import dev.holdfast.limits.Check;
import java.time.Duration;

/**
 * The ledger's bounds. Immutable.
 *
 * @param queueMax transactions that may wait for the writer
 * @param batchMax transactions that share one commit
 * @param appendWait how long a caller waits for its turn
 */
public record LedgerConfig(int queueMax, int batchMax, Duration appendWait) {

  /** Refuses bounds under which nothing could be written. */
  public LedgerConfig {
    Check.that(queueMax >= 1, "queueMax", queueMax, ">= 1");
    Check.that(batchMax >= 1, "batchMax", batchMax, ">= 1");
    Check.that(appendWait.isPositive(), "appendWait", appendWait, "> 0");
  }

  /** 1,024 waiting, 256 to a commit, 10 s. */
  public static LedgerConfig defaults() {
    return new LedgerConfig(1_024, 256, Duration.ofSeconds(10));
  }
}
