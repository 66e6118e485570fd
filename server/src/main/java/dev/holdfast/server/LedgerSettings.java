package dev.holdfast.server;

import dev.holdfast.limits.Check;
import java.util.List;

/** What the operator set about the ledger. Immutable. */
record LedgerSettings(ServerConfig config) {
  static final ServerConfig.Key COMPACT =
      new ServerConfig.Key(
          "ledger.compact",
          "auto",
          "`auto`: entries that a later one of their key stands in for are dropped from time to"
              + " time, at most once an hour and while little is written. `off`: only on request.");
  static final ServerConfig.Key COMPACT_ENTRIES =
      new ServerConfig.Key(
          "ledger.compact-entries",
          "100000",
          "It begins when so many entries were written since the last time ...");
  static final ServerConfig.Key COMPACT_DEAD =
      new ServerConfig.Key(
          "ledger.compact-dead", "50", "... and at least so many percent of them can be dropped.");
  static final ServerConfig.Key COMPACT_KEEP =
      new ServerConfig.Key(
          "ledger.compact-keep",
          "10000",
          "The newest entries that are kept whatever they are, for who comes back after a while.");

  private static final int WHOLE = 100;

  Compactor.Bounds compaction() {
    var value = config.value(COMPACT);
    Check.that(List.of("auto", "off").contains(value), COMPACT.name(), value, "auto or off");
    int dead = config.integer(COMPACT_DEAD);
    Check.that(dead >= 1 && dead < WHOLE, COMPACT_DEAD.name(), dead, "1 to 99");
    return new Compactor.Bounds(
        value.equals("auto"),
        config.integer(COMPACT_ENTRIES),
        (double) dead / WHOLE,
        config.integer(COMPACT_KEEP));
  }

  /** Reads every value once. */
  void check() {
    compaction();
  }
}
