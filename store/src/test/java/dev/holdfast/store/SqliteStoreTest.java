package dev.holdfast.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Envelope;
import dev.holdfast.ledger.Lease;
import dev.holdfast.ledger.Payload;
import dev.holdfast.ledger.Store;
import dev.holdfast.ledger.StoreContract;
import dev.holdfast.ledger.StoreException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SqliteStoreTest extends StoreContract {
  @TempDir private Path home;

  @Override
  protected Store open() throws Exception {
    return SqliteStore.open(home, StoreConfig.defaults());
  }

  @Test
  void aFullQuotaRefusesTheBatchAndHealsWithRoom(@TempDir Path other) throws Exception {
    var small = StoreConfig.defaults().withBytesMax(256 << 10);
    long last = 0;
    try (var store = SqliteStore.open(other, small)) {
      grant(store, new Lease("node/n1", "n1", 1, null, Instant.EPOCH));
      StoreException full = null;
      while (full == null && last < 1_000) {
        try {
          append(store, last + 1);
          last++;
        } catch (StoreException e) {
          full = e;
        }
      }
      assertThat(full).isNotNull().hasMessageContaining("quota is full (bytesMax 262144)");
      assertThat(last).isBetween(30L, 70L);
      assertThat(store.head()).isEqualTo(last);
      assertThat(store.read(0, 1_000)).hasSize((int) last);
      assertThatThrownBy(() -> append(store, store.head() + 1)).isInstanceOf(StoreException.class);
      try (var batch = store.begin()) {
        batch.renew(new Lease("node/n1", "n1", 1, null, Instant.ofEpochMilli(9)));
        batch.commit();
      }
      assertThat(store.leases("node/").getFirst().deadline()).isEqualTo(Instant.ofEpochMilli(9));
      assertThat(SqliteStore.check(other.resolve(SqliteStore.FILE)).problems()).isEmpty();
    }
    try (var store = SqliteStore.open(other, small.withBytesMax(1 << 20))) {
      append(store, last + 1);
      assertThat(store.head()).isEqualTo(last + 1);
    }
  }

  @Test
  void aNearlyFullDiskRefusesAppendsButNotRenewals(@TempDir Path other) throws Exception {
    var hungry = StoreConfig.defaults().withFreeBytesMin(Long.MAX_VALUE);
    try (var store = SqliteStore.open(other, hungry)) {
      assertThatThrownBy(() -> append(store, 1))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("nearly full")
          .hasMessageContaining("freeBytesMin");
      grant(store, new Lease("node/n1", "n1", 1, null, Instant.EPOCH));
      assertThat(store.head()).isZero();
      assertThat(store.leases("")).hasSize(1);
    }
  }

  @Test
  void aSnapshotIsOneMomentAndDoesNotHoldUpTheWriter(@TempDir Path other) throws Exception {
    try (var store = SqliteStore.open(other, StoreConfig.defaults())) {
      for (long i = 1; i <= 5; i++) {
        append(store, i);
      }
      var seen = new ArrayList<Long>();
      long head =
          store.snapshot(sealed -> {
            seen.add(sealed.position());
            try {
              append(store, 5 + seen.size());
            } catch (StoreException e) {
              throw new IllegalStateException(e);
            }
          });
      assertThat(head).isEqualTo(5);
      assertThat(seen).containsExactly(1L, 2L, 3L, 4L, 5L);
      assertThat(store.head()).isEqualTo(10);
    }
  }

  @Test
  void aSnapshotIsReadInOrderWithoutSorting(@TempDir Path other) throws Exception {
    SqliteStore.open(other, StoreConfig.defaults()).close();
    try (var connection =
            DriverManager.getConnection("jdbc:sqlite:" + other.resolve(SqliteStore.FILE));
        var statement = connection.createStatement();
        var rows = statement.executeQuery("EXPLAIN QUERY PLAN " + SqliteStore.SNAPSHOT)) {
      var plan = new ArrayList<String>();
      while (rows.next()) {
        plan.add(rows.getString("detail"));
      }
      assertThat(plan).isNotEmpty().noneMatch(step -> step.contains("TEMP B-TREE"));
    }
  }

  @Test
  void aReadIsBoundedInBytes(@TempDir Path other) throws Exception {
    var defaults = StoreConfig.defaults();
    var config = new StoreConfig(1L << 30, 0, 1 << 20, 1_000, 1, Duration.ofMillis(50), 6_000, 0);
    assertThat(defaults.readBytesMax()).isEqualTo(8 << 20);
    try (var store = SqliteStore.open(other, config)) {
      for (long i = 1; i <= 5; i++) {
        append(store, i);
      }
      assertThat(store.read(0, 100)).hasSize(2);
      assertThat(store.read(2, 100).getFirst().position()).isEqualTo(3);
    }
  }

  @Test
  void readersAreBoundedAndSayWhichBound(@TempDir Path other) throws Exception {
    var config = new StoreConfig(1L << 30, 0, 1 << 20, 1_000, 1, Duration.ofMillis(50), 1 << 20, 0);
    try (var store = SqliteStore.open(other, config)) {
      append(store, 1);
      store.snapshot(sealed ->
          assertThatThrownBy(store::head)
              .isInstanceOf(StoreException.class)
              .hasMessageContaining("all 1 readers")
              .hasMessageContaining("readersMax"));
      assertThat(store.head()).isEqualTo(1);
    }
  }

  @Test
  void whatIsClosedSaysSo(@TempDir Path other) throws Exception {
    var store = SqliteStore.open(other, StoreConfig.defaults());
    store.close();
    store.close();
    assertThatThrownBy(store::begin).hasMessageContaining("is closed");
    assertThatThrownBy(store::head).hasMessageContaining("is closed");
  }

  @Test
  void pathsMayHoldAnyCharacter(@TempDir Path other) throws Exception {
    var odd = other.resolve("a ?mode=memory&x#y %41 ü");
    try (var store = SqliteStore.open(odd, StoreConfig.defaults())) {
      append(store, 1);
      store.backup(odd.resolve("copy ?a=b.db"));
    }
    assertThat(odd.resolve(SqliteStore.FILE)).isNotEmptyFile();
    assertThat(SqliteStore.check(odd.resolve("copy ?a=b.db")).head()).isEqualTo(1);
  }

  @Test
  void onlyTheOwnerMayReadTheFiles(@TempDir Path other) throws Exception {
    try (var store = SqliteStore.open(other, StoreConfig.defaults())) {
      append(store, 1);
      store.backup(other.resolve("copy.db"));
      try (var files = Files.list(other)) {
        for (var file : files.toList()) {
          assertThat(Files.getPosixFilePermissions(file))
              .as(file.toString())
              .extracting(Enum::name)
              .containsExactlyInAnyOrder("OWNER_READ", "OWNER_WRITE");
        }
      }
    }
  }

  @Test
  void aFileSystemOfAnotherMachineIsRefused() {
    for (var type : new String[] {"nfs4", "CIFS", "fuse.sshfs"}) {
      assertThatThrownBy(() -> Database.requireLocal(home, type))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining(type)
          .hasMessageContaining("local disk");
    }
  }

  @Test
  void aCommitThatFailsBecauseOfAnotherProgramIsRefusedAndTheNextPasses(@TempDir Path other)
      throws Exception {
    var config = new StoreConfig(1L << 30, 0, 1 << 20, 1_000, 4, Duration.ofMillis(50), 1 << 20, 0);
    try (var store = SqliteStore.open(other, config);
        var intruder =
            DriverManager.getConnection("jdbc:sqlite:" + other.resolve(SqliteStore.FILE));
        var statement = intruder.createStatement()) {
      append(store, 1);
      statement.execute("BEGIN IMMEDIATE");
      assertThatThrownBy(() -> append(store, 2))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("another program has locked it");
      assertThat(store.head()).isEqualTo(1);
      statement.execute("ROLLBACK");
      append(store, 2);
      assertThat(store.head()).isEqualTo(2);
    }
  }

  /** Appends one entry of about 4 KiB. */
  static void append(SqliteStore store, long position) throws StoreException {
    var payload = Payload.of("x".repeat(4_000));
    var entry =
        new Entry(
            position, "service/s" + position, "service", 1, 1, Instant.EPOCH, "t", false, payload);
    try (var batch = store.begin()) {
      batch.append(entry, Envelope.encode(entry));
      batch.commit();
    }
  }

  private static void grant(SqliteStore store, Lease lease) throws StoreException {
    try (var batch = store.begin()) {
      batch.grant(lease);
      batch.commit();
    }
  }
}
