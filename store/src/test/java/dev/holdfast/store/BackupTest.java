package dev.holdfast.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.Envelope;
import dev.holdfast.ledger.StoreContract;
import dev.holdfast.ledger.StoreException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.DriverManager;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BackupTest {
  @TempDir private Path home;
  @TempDir private Path elsewhere;

  @Test
  void isOneMomentOfALedgerThatGoesOn() throws Exception {
    try (var store = SqliteStore.open(home, StoreConfig.defaults())) {
      for (long i = 1; i <= 50; i++) {
        SqliteStoreTest.append(store, i);
      }
      var stop = new AtomicBoolean();
      var failure = new AtomicReference<Exception>();
      var writer =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  for (long i = 51; !stop.get() && i < 100_000; i++) {
                    SqliteStoreTest.append(store, i);
                  }
                } catch (StoreException e) {
                  failure.set(e);
                }
              });
      var copy = elsewhere.resolve("copy.db");
      store.backup(copy);
      stop.set(true);
      writer.join();
      assertThat(failure.get()).isNull();
      var report = SqliteStore.check(copy);
      assertThat(report.problems()).isEmpty();
      assertThat(report.head()).isGreaterThanOrEqualTo(50);
      assertThat(store.head()).isGreaterThanOrEqualTo(report.head());
      Files.move(copy, elsewhere.resolve(SqliteStore.FILE), StandardCopyOption.ATOMIC_MOVE);
      try (var restored = SqliteStore.open(elsewhere, StoreConfig.defaults())) {
        assertThat(restored.head()).isEqualTo(report.head());
        assertThat(restored.read(0, 40)).isEqualTo(store.read(0, 40));
        SqliteStoreTest.append(restored, report.head() + 1);
      }
    }
  }

  @Test
  void doesNotOverwriteAndLeavesNothingHalf() throws Exception {
    try (var store = SqliteStore.open(home, StoreConfig.defaults())) {
      var copy = Files.writeString(elsewhere.resolve("copy.db"), "precious");
      assertThatThrownBy(() -> store.backup(copy))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("exists");
      assertThat(copy).hasContent("precious");
      assertThatThrownBy(() -> store.backup(elsewhere.resolve("no/such/dir.db")))
          .isInstanceOf(StoreException.class);
      store.backup(elsewhere.resolve("good.db"));
      try (var files = Files.list(elsewhere)) {
        assertThat(files.map(file -> file.getFileName().toString()))
            .containsExactlyInAnyOrder("copy.db", "good.db");
      }
    }
  }

  @Test
  void aCheckFindsNothingWrongWithWhatACompactionLeaves() throws Exception {
    var file = home.resolve(SqliteStore.FILE);
    try (var store = SqliteStore.open(home, StoreConfig.defaults())) {
      for (long i = 1; i <= 6; i++) {
        var entry = StoreContract.entry(i, "service/s" + i % 2, (i + 1) / 2, false);
        try (var batch = store.begin()) {
          batch.append(entry, Envelope.encode(entry));
          batch.commit();
        }
      }
      try (var batch = store.begin()) {
        assertThat(batch.compact(0, 4, 100).removed()).isEqualTo(4);
        batch.commit();
      }
    }
    assertThat(SqliteStore.check(file).problems()).isEmpty();
    try (var connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        var statement = connection.createStatement()) {
      statement.executeUpdate("UPDATE meta SET value = '2' WHERE name = 'floor'");
    }
    assertThat(SqliteStore.check(file).problems())
        .anySatisfy(found -> assertThat(found).contains("no entry at 3"));
  }

  @Test
  void aRestoredCopyIsAnotherLedger() throws Exception {
    var copy = elsewhere.resolve(SqliteStore.FILE);
    String id;
    try (var store = SqliteStore.open(home, StoreConfig.defaults())) {
      SqliteStoreTest.append(store, 1);
      store.backup(copy);
      id = store.id();
    }
    SqliteStore.renewId(copy);
    assertThat(SqliteStore.check(copy).problems()).isEmpty();
    try (var store = SqliteStore.open(elsewhere, StoreConfig.defaults())) {
      assertThat(store.id()).hasSameSizeAs(id).isNotEqualTo(id);
      assertThat(store.head()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          DELETE FROM ledger WHERE position = 3               | no entry at 3
          UPDATE head SET revision = 9 WHERE position = 2     | head does not agree
          UPDATE head SET deleted = 1 WHERE position = 2      | says
          DELETE FROM head WHERE position = 4                 | no head for a key
          UPDATE ledger SET envelope = x'00' WHERE position=1 | cannot be read
          UPDATE ledger SET key = 'k' WHERE position = 1      | its row
          """)
  void aCheckFindsWhatDoesNotAgree(String harm, String problem) throws Exception {
    try (var store = SqliteStore.open(home, StoreConfig.defaults())) {
      for (long i = 1; i <= 5; i++) {
        SqliteStoreTest.append(store, i);
      }
    }
    var file = home.resolve(SqliteStore.FILE);
    assertThat(SqliteStore.check(file))
        .isEqualTo(new SqliteStore.Report(5, 5, 0, java.util.List.of()));
    try (var connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        var statement = connection.createStatement()) {
      assertThat(statement.executeUpdate(harm)).isEqualTo(1);
    }
    assertThat(SqliteStore.check(file).problems())
        .anySatisfy(found -> assertThat(found).contains(problem));
  }
}
