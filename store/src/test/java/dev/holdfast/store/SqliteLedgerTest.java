package dev.holdfast.store;

import dev.holdfast.ledger.LedgerContract;
import dev.holdfast.ledger.Store;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

class SqliteLedgerTest extends LedgerContract {
  @TempDir private Path home;

  @Override
  protected Store openStore() throws Exception {
    return SqliteStore.open(home, StoreConfig.defaults());
  }
}
