package dev.holdfast.store;

import dev.holdfast.ledger.LedgerContract;
import dev.holdfast.ledger.Store;
import dev.holdfast.limits.Time;

class PostgresLedgerTest extends LedgerContract {
  @Override
  protected Store openStore() throws Exception {
    return PostgresStore.open(PostgresConfig.of(PostgresRig.url(), null), Time.system(), true);
  }
}
