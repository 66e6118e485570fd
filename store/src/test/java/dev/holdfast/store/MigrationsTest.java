package dev.holdfast.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.StoreException;
import dev.holdfast.store.Migrations.Migration;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MigrationsTest {
  private static final Migration FIRST = SqliteStore.MIGRATIONS.known().getFirst();
  private static final Migration SECOND =
      Migration.of("0002-b.sql", "CREATE TABLE b (x TEXT) STRICT;\nINSERT INTO b VALUES ('1');\n");

  @TempDir private Path home;

  @Test
  void eachIsAppliedOnceAndInOrder() throws Exception {
    open(FIRST).close();
    open(FIRST, SECOND).close();
    open(FIRST, SECOND).close();
    assertThat(rows("SELECT version || ' ' || name FROM migration ORDER BY version"))
        .containsExactly("1 0001-ledger.sql", "2 0002-b.sql");
    assertThat(rows("SELECT x FROM b")).containsExactly("1");
  }

  @Test
  void oneThatFailsLeavesTheDatabaseAsItWas() throws Exception {
    open(FIRST).close();
    var bad = Migration.of("0002-bad.sql", "CREATE TABLE c (x TEXT) STRICT;\nNONSENSE;\n");
    assertThatThrownBy(() -> open(FIRST, bad)).isInstanceOf(StoreException.class);
    assertThat(rows("SELECT name FROM sqlite_schema WHERE name = 'c'")).isEmpty();
    open(FIRST, SECOND).close();
  }

  @Test
  void aNewerDatabaseIsRefusedUntouched() throws Exception {
    open(FIRST, SECOND).close();
    assertRefusedUntouched(FIRST)
        .hasMessageContaining("has schema 2, this program knows 1")
        .hasMessageContaining("newer version")
        .hasMessageContaining("nothing was written");
  }

  @Test
  void aChangedMigrationIsRefusedUntouched() throws Exception {
    open(FIRST).close();
    assertRefusedUntouched(Migration.of("0001-ledger.sql", "CREATE TABLE a (x TEXT) STRICT;\n"))
        .hasMessageContaining("0001-ledger.sql")
        .hasMessageContaining(FIRST.checksum())
        .hasMessageContaining("nothing was written");
  }

  @Test
  void whatIsNotADatabaseIsRefusedUntouched() throws Exception {
    var file = home.resolve(SqliteStore.FILE);
    Files.writeString(file, "dear diary, ".repeat(1_000));
    assertRefusedUntouched(FIRST).hasMessageContaining("is not a SQLite database");
    Files.writeString(file, "");
    assertRefusedUntouched(FIRST).hasMessageContaining("is empty");
    Files.writeString(file, "SQLite format 3\0 and then nonsense".repeat(400));
    assertRefusedUntouched(FIRST).hasMessageContaining("nothing was written");
  }

  @Test
  void anotherProgramsDatabaseIsRefusedUntouched() throws Exception {
    try (var connection = connection();
        var statement = connection.createStatement()) {
      statement.execute("CREATE TABLE theirs (x)");
    }
    assertRefusedUntouched(FIRST).hasMessageContaining("another program");
  }

  @Test
  void aTruncatedFileIsRefusedUntouched() throws Exception {
    fill();
    var file = home.resolve(SqliteStore.FILE);
    long size = Files.size(file);
    for (long cut : new long[] {size - 4_096, size / 2, 5_000, 100}) {
      try (var bytes = new RandomAccessFile(file.toFile(), "rw")) {
        bytes.setLength(cut);
      }
      assertRefusedUntouchedBySchema().hasMessageContaining("nothing was written");
    }
  }

  @Test
  void aFileWithDamageInTheMiddleIsRefusedUntouched() throws Exception {
    fill();
    var file = home.resolve(SqliteStore.FILE);
    byte[] bytes = Files.readAllBytes(file);
    int pages = bytes.length / 4_096;
    Arrays.fill(bytes, (pages - 3) * 4_096, (pages - 1) * 4_096, (byte) 0xa5);
    Files.write(file, bytes);
    assertRefusedUntouchedBySchema()
        .hasMessageContaining("damaged")
        .hasMessageContaining("restore a backup");
  }

  @Test
  void aLogWithoutItsFileIsRefused() throws Exception {
    Files.writeString(home.resolve(SqliteStore.FILE + "-wal"), "something");
    assertThatThrownBy(() -> open(FIRST))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("is there but");
    assertThat(home.resolve(SqliteStore.FILE)).doesNotExist();
  }

  @Test
  void anInterruptedBeginningIsBegunAnew() throws Exception {
    Files.writeString(home.resolve(SqliteStore.FILE + ".new"), "half");
    open(FIRST).close();
    assertThat(rows("SELECT count(*) FROM ledger")).containsExactly("0");
  }

  @Test
  void aTableThatIsNotStrictIsRefused() throws Exception {
    var loose = Migration.of("0002-loose.sql", "CREATE TABLE a (x TEXT);\n");
    assertThatThrownBy(() -> open(FIRST, loose))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("not STRICT");
  }

  @Test
  void numbersHaveNoGapAndStatementsAnEnd() {
    assertThatThrownBy(() -> new Migrations(List.of(SECOND), Migrations.Dialect.SQLITE))
        .hasMessageContaining("without a gap");
    assertThatThrownBy(() -> Migration.of("0001-a.sql", "CREATE TABLE a (x TEXT)\n"))
        .hasMessageContaining("semicolon");
  }

  private void fill() throws StoreException {
    try (var store = SqliteStore.open(home, StoreConfig.defaults())) {
      for (long i = 1; i <= 20; i++) {
        SqliteStoreTest.append(store, i);
      }
    }
  }

  private AbstractThrowableAssert<?, ? extends Throwable> assertRefusedUntouched(Migration... known)
      throws Exception {
    byte[] before = Files.readAllBytes(home.resolve(SqliteStore.FILE));
    var refused =
        assertThatThrownBy(() -> open(known))
            .isInstanceOf(StoreException.class)
            .hasMessageContaining(home.resolve(SqliteStore.FILE).toString());
    assertThat(Files.readAllBytes(home.resolve(SqliteStore.FILE))).isEqualTo(before);
    return refused;
  }

  private AbstractThrowableAssert<?, ? extends Throwable> assertRefusedUntouchedBySchema()
      throws Exception {
    byte[] before = Files.readAllBytes(home.resolve(SqliteStore.FILE));
    var refused =
        assertThatThrownBy(() -> SqliteStore.open(home, StoreConfig.defaults()))
            .isInstanceOf(StoreException.class);
    assertThat(Files.readAllBytes(home.resolve(SqliteStore.FILE))).isEqualTo(before);
    return refused;
  }

  private SqliteStore open(Migration... known) throws StoreException {
    return SqliteStore.open(
        home, StoreConfig.defaults(), new Migrations(List.of(known), Migrations.Dialect.SQLITE));
  }

  private java.sql.Connection connection() throws SQLException {
    return DriverManager.getConnection("jdbc:sqlite:" + home.resolve(SqliteStore.FILE));
  }

  private List<String> rows(String sql) throws SQLException {
    var found = new ArrayList<String>();
    try (var connection = connection();
        var statement = connection.createStatement();
        var rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        found.add(rows.getString(1));
      }
    }
    return found;
  }
}
