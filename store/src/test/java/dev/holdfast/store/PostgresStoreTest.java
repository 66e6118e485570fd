package dev.holdfast.store;

import dev.holdfast.ledger.Store;
import dev.holdfast.ledger.StoreContract;

class PostgresStoreTest extends StoreContract {
  private final String url = PostgresRig.url();

  @Override
  protected Store open() throws Exception {
    return PostgresRig.open(url);
  }
}
