package dev.holdfast.store;

import dev.holdfast.ledger.Lease;
import dev.holdfast.ledger.Payload;
import dev.holdfast.ledger.Sealed;
import dev.holdfast.ledger.StoreAway;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Backoff;
import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.Time;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The ledger's rows in a PostgreSQL database that any number of processes write. Reads are
 * thread-safe; {@link #begin} and its batch belong to the ledger's writer thread, {@link #look} to
 * its lookout.
 *
 * <p>A batch is one transaction that first locks the row of {@code ledger_head}: whose it is may
 * write, everybody else waits or is refused, so positions are dense and in the order of commits
 * whoever writes. The batch advances that row from the epoch and position that it found there; a
 * process that was paused finds another epoch, or its connection gone, and has written nothing.
 */
public final class PostgresStore implements KeptStore {
  static final Migrations MIGRATIONS =
      Migrations.load("postgresql", Migrations.Dialect.POSTGRESQL, "0001-ledger.sql");

  private static final int RACES_MAX = 20;

  private static final Backoff AGAIN =
      Backoff.fullJitter(Duration.ofMillis(20), Duration.ofMillis(500));
  private static final int FETCHED_AT_A_TIME = 64;
  private static final int ID_BYTES = 16;

  private final PostgresDatabase database;
  private final Time time;
  private final Readers readers;
  private final PostgresWriter writer;
  private final PostgresEar ear;

  private PostgresStore(PostgresDatabase database, Time time, boolean ownClock) {
    this.database = database;
    this.time = time;
    readers = new Readers(database);
    writer = new PostgresWriter(database, time, ownClock);
    ear = new PostgresEar(database, time);
  }

  /**
   * Opens the database and brings its schema up to date; several processes may do so at a time.
   *
   * @throws StoreException when it cannot be reached or written, is no PostgreSQL of release
   *     {@value PostgresDatabase#VERSION_MIN} or later, does not flush what it commits, or was
   *     written by a newer version of this program
   * @throws InterruptedException when the thread is asked to end
   */
  public static PostgresStore open(PostgresConfig config, Time time)
      throws StoreException, InterruptedException {
    return open(config, time, false);
  }

  /** With {@code ownClock}, leases go by the ledger's clock and not by the database's. */
  static PostgresStore open(PostgresConfig config, Time time, boolean ownClock)
      throws StoreException, InterruptedException {
    var database = PostgresDatabase.of(config);
    for (int failures = 1; ; failures++) {
      var connection = database.writer();
      try {
        inspect(connection, database);
        MIGRATIONS.apply(connection, database.name());
        name(connection, time);
        return new PostgresStore(database, time, ownClock);
      } catch (SQLException e) {
        boolean again = PostgresDatabase.isRace(e) || database.isAway(e);
        if (!again || failures >= RACES_MAX) {
          throw database.failure("cannot be opened", e);
        }
      } finally {
        Database.close(connection);
      }
      time.sleep(AGAIN.delay(failures, time.random()));
    }
  }

  @Override
  public Batch begin() throws StoreException {
    return writer.begin();
  }

  @Override
  public boolean shared() {
    return true;
  }

  @Override
  public Progress look(Duration wait) throws StoreException, InterruptedException {
    try {
      return ear.look(wait);
    } catch (StoreAway e) {
      readers.forget(); // what they are connected to may be the primary no more
      throw e;
    }
  }

  @Override
  public long head() throws StoreException {
    return read(connection -> Database.number(connection, PostgresSql.HEAD));
  }

  @Override
  public String id() throws StoreException {
    return read(connection -> {
      var id = PostgresDatabase.text(connection, PostgresSql.ID);
      return id == null ? "" : id;
    });
  }

  @Override
  public long floor() throws StoreException {
    return read(connection -> Database.number(connection, PostgresSql.FLOOR));
  }

  /**
   * At most {@code max} entries, and none after those that reach {@link
   * PostgresConfig#readBytesMax}.
   */
  @Override
  public List<Sealed> read(long after, int max) throws StoreException {
    return some(PostgresSql.READ, after, max);
  }

  /** As {@link #read}, of the newest of every key. */
  @Override
  public List<Sealed> newest(long after, int max) throws StoreException {
    return some(PostgresSql.NEWEST, after, max);
  }

  private List<Sealed> some(String sql, long after, int max) throws StoreException {
    return read(connection ->
        inOneTransaction(
            connection,
            () -> {
              var entries = new ArrayList<Sealed>();
              try (var select = connection.prepareStatement(sql)) {
                select.setLong(1, after);
                select.setInt(2, max);
                select.setFetchSize(FETCHED_AT_A_TIME); // a megabyte each would fill the heap
                long bytes = 0;
                try (var rows = select.executeQuery()) {
                  while (bytes < database.config().readBytesMax() && rows.next()) {
                    var sealed = sealed(rows);
                    bytes += sealed.envelope().length();
                    entries.add(sealed);
                  }
                }
              }
              return entries;
            }));
  }

  @Override
  public List<Count> counts() throws StoreException {
    return read(connection -> {
      var counts = new ArrayList<Count>();
      try (var statement = connection.createStatement();
          var rows = statement.executeQuery(PostgresSql.COUNTS)) {
        while (rows.next()) {
          counts.add(new Count(rows.getString(1), rows.getLong(2), rows.getLong(3)));
        }
      }
      return counts;
    });
  }

  /** Streams some rows at a time as of one moment; writing goes on meanwhile. */
  @Override
  public long snapshot(Consumer<Sealed> each) throws StoreException {
    read(PostgresStore::alive); // what is half handed over cannot be repeated
    return readers.readOnce(connection ->
        inOneTransaction(
            connection,
            () -> {
              long head = Database.number(connection, PostgresSql.HEAD);
              try (var select = connection.prepareStatement(PostgresSql.SNAPSHOT)) {
                select.setFetchSize(FETCHED_AT_A_TIME);
                try (var rows = select.executeQuery()) {
                  while (rows.next()) {
                    each.accept(sealed(rows));
                  }
                }
              }
              return head;
            }));
  }

  @Override
  public @Nullable Sealed latest(String key) throws StoreException {
    var found =
        read(connection -> {
          try (var select = connection.prepareStatement(PostgresSql.LATEST)) {
            select.setString(1, key);
            try (var rows = select.executeQuery()) {
              return rows.next() ? List.of(sealed(rows)) : List.<Sealed>of();
            }
          }
        });
    return found.isEmpty() ? null : found.getFirst();
  }

  @Override
  public List<Lease> leases(String prefix) throws StoreException {
    return read(connection -> {
      var leases = new ArrayList<Lease>();
      try (var select = connection.prepareStatement(PostgresSql.LEASES_FROM)) {
        select.setString(1, prefix);
        try (var rows = select.executeQuery()) {
          while (rows.next() && rows.getString(1).startsWith(prefix)) {
            leases.add(Writer.lease(rows));
          }
        }
      }
      return leases;
    });
  }

  @Override
  public void backup(Path file) throws StoreException {
    SqliteStore.appear(file, this::copy);
  }

  private void copy(Path part) throws StoreException {
    var connection = database.wholeReader();
    try {
      inOneTransaction(
          connection,
          () -> {
            var id = PostgresDatabase.text(connection, PostgresSql.ID);
            long floor = Database.number(connection, PostgresSql.FLOOR);
            SqliteStore.fill(part, id == null ? "" : id, floor, connection);
            return true;
          });
    } catch (SQLException e) {
      throw database.failure("cannot be read", e);
    } finally {
      Database.close(connection);
    }
  }

  /**
   * Moves a SQLite ledger, which nobody uses, into a database whose ledger is empty; everything or
   * nothing. It keeps its id, so followers go on where they were: the file must not be written
   * again.
   *
   * @return SHA-256 of all rows, the same on both sides
   * @throws StoreException when the database holds a ledger already, or does not take the rows
   * @throws InterruptedException when the thread is asked to end
   */
  public static String move(Path directory, PostgresConfig to, Time time)
      throws StoreException, InterruptedException {
    open(to, time).close();
    var target = PostgresDatabase.of(to);
    try (var source = SqliteStore.open(directory, StoreConfig.defaults())) {
      var connection = target.wholeWriter();
      try {
        connection.setAutoCommit(false);
        if (Database.number(connection, PostgresSql.EMPTY) != 1) {
          throw new StoreException(target.name() + " holds a ledger already; nothing was written");
        }
        var digest = source.copyTo(connection);
        try (var moved = connection.prepareStatement(PostgresSql.MOVED);
            var id = connection.prepareStatement(PostgresSql.ID_MOVED)) {
          moved.setLong(1, source.head());
          moved.setLong(2, source.floor());
          id.setString(1, source.id());
          if (moved.executeUpdate() != 1 || id.executeUpdate() != 1) {
            throw new StoreException(target.name() + " was written by somebody else meanwhile");
          }
        }
        connection.commit();
        return digest;
      } catch (SQLException e) {
        throw target.failure("did not take the ledger", e);
      } finally {
        Database.close(connection);
      }
    }
  }

  /** Closes the connections; what was committed is kept. Idempotent. */
  @Override
  public void close() {
    ear.close();
    readers.close();
    writer.close();
  }

  /** Waits for a database that is away as long as for a reader that is busy. */
  private <T> T read(Readers.Query<T> query) throws StoreException {
    var deadline = Deadline.after(time, database.busyWait());
    for (int failures = 1; ; failures++) {
      try {
        return readers.read(query);
      } catch (StoreAway e) {
        if (deadline.passed()) {
          throw e;
        }
        try {
          time.sleep(AGAIN.delay(failures, time.random()));
        } catch (InterruptedException i) {
          Thread.currentThread().interrupt();
          throw e;
        }
      }
    }
  }

  private static Sealed sealed(ResultSet rows) throws SQLException {
    return new Sealed(rows.getLong(1), Payload.of(rows.getBytes(2)));
  }

  private static boolean alive(Connection connection) throws SQLException {
    Database.number(connection, "SELECT 1");
    return true;
  }

  private interface Reading<T> {
    T run() throws SQLException, StoreException;
  }

  /** Only inside a transaction does the driver fetch some rows at a time. */
  private static <T> T inOneTransaction(Connection connection, Reading<T> reading)
      throws SQLException, StoreException {
    connection.setAutoCommit(false);
    try {
      return reading.run();
    } finally {
      connection.rollback();
      connection.setAutoCommit(true);
    }
  }

  /** Everything that can be found wrong before the first write. */
  private static void inspect(Connection connection, PostgresDatabase database)
      throws SQLException, StoreException {
    int version = connection.getMetaData().getDatabaseMajorVersion();
    require(database, "release", "" + version, version >= PostgresDatabase.VERSION_MIN, "15");
    expect(connection, database, "fsync", "on");
    expect(connection, database, "full_page_writes", "on");
    expect(connection, database, "server_encoding", "UTF8");
    expect(connection, database, "transaction_read_only", "off");
    var commits = "" + PostgresDatabase.text(connection, "SHOW synchronous_commit");
    require(database, "synchronous_commit", commits, !commits.equals("off"), "on");
    MIGRATIONS.pending(connection, database.name());
  }

  private static void expect(
      Connection connection, PostgresDatabase database, String setting, String value)
      throws SQLException, StoreException {
    var actual = "" + PostgresDatabase.text(connection, "SHOW " + setting);
    require(database, setting, actual, actual.equals(value), value);
  }

  private static void require(
      PostgresDatabase database, String what, String actual, boolean holds, String expected)
      throws StoreException {
    if (!holds) {
      throw new StoreException(
          database.name() + ": " + what + " is " + actual + " (expected: " + expected + ")");
    }
  }

  private static void name(Connection connection, Time time) throws SQLException {
    var bytes = new byte[ID_BYTES];
    time.random().nextBytes(bytes);
    try (var insert = connection.prepareStatement(PostgresSql.ID_FIRST)) {
      insert.setString(1, HexFormat.of().formatHex(bytes));
      insert.executeUpdate();
    }
    try (var forget = connection.prepareStatement(PostgresSql.SESSIONS_FORGET)) {
      forget.setLong(1, time.now().minus(PostgresWriter.REMEMBERED).toEpochMilli());
      forget.executeUpdate();
    }
  }
}
