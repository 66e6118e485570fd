package dev.holdfast.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.LedgerConfig;
import dev.holdfast.ledger.LedgerContract;
import dev.holdfast.ledger.Sealed;
import dev.holdfast.ledger.Store;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Time;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A ledger goes from a file to PostgreSQL, and back as a backup. */
@Timeout(60)
class MoveTest {
  private final String url = PostgresRig.url();
  @TempDir private Path home;

  @Test
  void aLedgerIsTheSameAfterItMovedAndAfterItCameBack() throws Exception {
    fill();
    var file = SqliteStore.open(home, StoreConfig.defaults());
    var before = all(file);
    var id = file.id();
    file.close();
    var config = PostgresConfig.of(url, null);
    assertThat(PostgresStore.move(home, config, Time.system())).hasSize(64);
    try (var store = PostgresRig.open(url)) {
      assertThat(all(store)).isEqualTo(before);
      assertThat(store.id()).isEqualTo(id);
      assertThat(store.floor()).isEqualTo(10);
      assertThatThrownBy(() -> PostgresStore.move(home, config, Time.system()))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("holds a ledger already; nothing was written");
      store.backup(home.resolve("copy.db"));
      var report = SqliteStore.check(home.resolve("copy.db"));
      assertThat(report.problems()).isEmpty();
      assertThat(report.head()).isEqualTo(store.head());
      Files.delete(home.resolve(SqliteStore.FILE));
      Files.move(home.resolve("copy.db"), home.resolve(SqliteStore.FILE));
    }
    try (var back = SqliteStore.open(home, StoreConfig.defaults())) {
      assertThat(all(back)).isEqualTo(before);
      assertThat(back.id()).isEqualTo(id);
    }
    try (var ledger =
        Ledger.open(
            PostgresRig.open(url),
            LedgerContract.kinds(),
            LedgerConfig.defaults(),
            Time.system())) {
      long head = ledger.head();
      assertThat(ledger.append(Writing.put("after", "s1")).orThrow().position())
          .isEqualTo(head + 1);
    }
  }

  private void fill() throws Exception {
    try (var ledger =
        Ledger.open(
            SqliteStore.open(home, StoreConfig.defaults()),
            LedgerContract.kinds(),
            LedgerConfig.defaults(),
            Time.system())) {
      for (int i = 0; i < 600; i++) {
        ledger.append(Writing.put("m" + i, "s" + i % 50)).orThrow();
      }
      ledger.append(Transaction.by("d").delete("service/s3", Transaction.ANY)).orThrow();
      ledger
          .append(Transaction.by("g").grant("node/n1", "n1", Duration.ofHours(1), Transaction.ANY))
          .orThrow();
      ledger
          .append(Transaction.by("g").grantChild("drone/d1", "a", "node/n1", Transaction.ANY))
          .orThrow();
      ledger.compact(10).orThrow();
    }
  }

  private static List<Object> all(Store store) throws StoreException {
    var all = new ArrayList<Object>();
    for (var some = store.read(0, 100); !some.isEmpty(); ) {
      all.addAll(some);
      some = store.read(some.getLast().position(), 100);
    }
    var live = new ArrayList<Sealed>();
    store.snapshot(live::add);
    all.add(live);
    all.addAll(store.leases(""));
    all.addAll(store.counts());
    return all;
  }
}
