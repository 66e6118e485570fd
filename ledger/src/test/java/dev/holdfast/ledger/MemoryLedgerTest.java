package dev.holdfast.ledger;

class MemoryLedgerTest extends LedgerContract {

  @Override
  protected Store openStore() {
    return new MemoryStore();
  }
}
