package dev.holdfast.store;

import dev.holdfast.ledger.Lease;
import dev.holdfast.ledger.Payload;
import dev.holdfast.ledger.Sealed;
import dev.holdfast.ledger.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The ledger's rows in one SQLite file, {@value #FILE}, with a write-ahead log that is flushed at
 * every commit. Reads are thread-safe; {@link #begin} and its batch belong to the ledger's writer
 * thread.
 *
 * <p>What durability rests on (WAL, synchronous=FULL, foreign keys, strict tables, a local disk) is
 * asserted when it opens, and it does not open otherwise. A full disk or quota refuses the batch
 * that hit it, leaves the ledger readable, and the next batch that finds room passes.
 */
public final class SqliteStore implements KeptStore {
  /** Name of the database file in the store's directory. */
  public static final String FILE = "ledger.db";

  static final String HEAD = "SELECT coalesce(max(position), 0) FROM ledger";
  static final String FLOOR =
      "SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM meta WHERE name = 'floor'";
  static final String LEASE = "SELECT key, holder, epoch, parent, deadline_ms FROM lease";
  static final String SNAPSHOT =
      "SELECT l.position, l.envelope FROM head h CROSS JOIN ledger l ON l.position = h.position"
          + " WHERE h.deleted = 0 ORDER BY h.position";
  static final Migrations MIGRATIONS =
      Migrations.load("sqlite", Migrations.Dialect.SQLITE, "0001-ledger.sql");

  private final Database database;
  private final Writer writer;
  private final Readers readers;

  private SqliteStore(Database database, Writer writer) {
    this.database = database;
    this.writer = writer;
    readers = new Readers(database);
  }

  /**
   * Opens the database in the directory, makes it when there is none, and brings its schema up to
   * date. The caller holds the {@link HomeLock}.
   *
   * @throws StoreException when the file is not ours, is damaged, or was written by a newer version
   *     (nothing was written then), or when the disk cannot give what durability needs
   */
  public static SqliteStore open(Path directory, StoreConfig config) throws StoreException {
    return open(directory, config, MIGRATIONS);
  }

  static SqliteStore open(Path directory, StoreConfig config, Migrations migrations)
      throws StoreException {
    var file = directory.resolve(FILE);
    try {
      Files.createDirectories(directory);
      var disk = Database.requireLocal(directory);
      if (Files.notExists(file)) {
        create(file, config, migrations);
      }
      var database = new Database(file, config);
      inspect(database, migrations);
      var connection = database.writer();
      try {
        migrations.apply(connection, file.toString());
        database.requireStrict(connection);
        return new SqliteStore(database, new Writer(database, disk, connection));
      } catch (SQLException e) {
        Database.close(connection);
        throw database.failure("cannot be opened", e);
      } catch (StoreException | RuntimeException e) {
        Database.close(connection);
        throw e;
      }
    } catch (IOException e) {
      throw new StoreException(file + " cannot be made: " + e, e);
    }
  }

  @Override
  public Batch begin() throws StoreException {
    return writer.begin();
  }

  @Override
  public long head() throws StoreException {
    return readers.read(connection -> Database.number(connection, HEAD));
  }

  @Override
  public String id() throws StoreException {
    return readers.read(connection -> {
      try (var statement = connection.createStatement();
          var rows = statement.executeQuery("SELECT value FROM meta WHERE name = 'ledger_id'")) {
        return rows.next() ? rows.getString(1) : "";
      }
    });
  }

  @Override
  public long floor() throws StoreException {
    return readers.read(connection -> Database.number(connection, FLOOR));
  }

  /** As {@link #read}, of the newest of every key. */
  @Override
  public List<Sealed> newest(long after, int max) throws StoreException {
    return some(
        "SELECT l.position, l.envelope FROM head h CROSS JOIN ledger l ON l.position = h.position"
            + " WHERE h.position > ? ORDER BY h.position LIMIT ?",
        after,
        max);
  }

  @Override
  public List<Count> counts() throws StoreException {
    return readers.read(connection -> {
      var counts = new ArrayList<Count>();
      try (var statement = connection.createStatement();
          var rows =
              statement.executeQuery(
                  "SELECT kind, sum(1 - deleted), sum(deleted) FROM head"
                      + " GROUP BY kind ORDER BY kind")) {
        while (rows.next()) {
          counts.add(new Count(rows.getString(1), rows.getLong(2), rows.getLong(3)));
        }
      }
      return counts;
    });
  }

  /**
   * At most {@code max} entries, and none after those that reach {@link StoreConfig#readBytesMax}.
   */
  @Override
  public List<Sealed> read(long after, int max) throws StoreException {
    return some(
        "SELECT position, envelope FROM ledger WHERE position > ? ORDER BY position LIMIT ?",
        after,
        max);
  }

  private List<Sealed> some(String sql, long after, int max) throws StoreException {
    return readers.read(connection -> {
      var entries = new ArrayList<Sealed>();
      try (var select = connection.prepareStatement(sql)) {
        select.setLong(1, after);
        select.setInt(2, max);
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
    });
  }

  /** Streams row by row inside one read transaction; writing goes on meanwhile. */
  @Override
  public long snapshot(Consumer<Sealed> each) throws StoreException {
    return readers.read(connection -> {
      Database.execute(connection, "BEGIN");
      try {
        long head = Database.number(connection, HEAD);
        try (var select = connection.prepareStatement(SNAPSHOT);
            var rows = select.executeQuery()) {
          while (rows.next()) {
            each.accept(sealed(rows));
          }
        }
        return head;
      } finally {
        Database.execute(connection, "ROLLBACK");
      }
    });
  }

  @Override
  public @Nullable Sealed latest(String key) throws StoreException {
    var found =
        readers.read(connection -> {
          try (var select =
              connection.prepareStatement(
                  "SELECT l.position, l.envelope FROM head h"
                      + " JOIN ledger l ON l.position = h.position WHERE h.key = ?")) {
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
    return readers.read(connection -> {
      var leases = new ArrayList<Lease>();
      try (var select = connection.prepareStatement(LEASE + " WHERE key >= ? ORDER BY key")) {
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
    appear(file, part -> readers.read(connection -> vacuumInto(connection, part)));
  }

  /** Puts all rows into empty tables; see {@link Copy#rows}. */
  String copyTo(Connection to) throws StoreException {
    return readers.read(connection -> {
      Database.execute(connection, "BEGIN");
      try {
        return Copy.rows(connection, to);
      } finally {
        Database.execute(connection, "ROLLBACK");
      }
    });
  }

  /** Fills an empty file. */
  interface Filling {
    void run(Path part) throws StoreException;
  }

  /** See {@link KeptStore#backup}. */
  static void appear(Path file, Filling filling) throws StoreException {
    if (Files.exists(file)) {
      throw new StoreException(file + " exists; a backup does not overwrite, choose another name");
    }
    var part = file.resolveSibling(file.getFileName() + ".part");
    try {
      Database.createPrivate(part);
      try {
        filling.run(part);
        var report = check(part);
        if (!report.problems().isEmpty()) {
          throw new StoreException("the backup is not whole: " + report.problems().getFirst());
        }
        Database.sync(part);
        Files.move(part, file); // refuses to replace
        Database.sync(file);
      } finally {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      throw new StoreException(file + " cannot be written: " + e, e);
    }
  }

  /** Makes the empty file a ledger with those rows. */
  static void fill(Path file, String id, long floor, Connection from)
      throws SQLException, StoreException {
    var database = new Database(file, StoreConfig.defaults());
    var connection = database.writer();
    try {
      Database.execute(connection, "PRAGMA application_id = " + Database.APPLICATION_ID);
      MIGRATIONS.apply(connection, file.toString());
      Database.execute(connection, "BEGIN IMMEDIATE");
      try (var meta =
          connection.prepareStatement("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)")) {
        meta.setString(1, "ledger_id");
        meta.setString(2, id);
        meta.executeUpdate();
        meta.setString(1, "floor");
        meta.setString(2, Long.toString(floor));
        meta.executeUpdate();
      }
      Copy.rows(from, connection);
      Database.execute(connection, "COMMIT");
    } finally {
      Database.close(connection); // the last connection takes the log into the file
    }
  }

  /**
   * Reads the whole database, which may be in use, and says what is in it and what is wrong with
   * it.
   *
   * @throws StoreException when it cannot be read far enough to say
   */
  public static Report check(Path file) throws StoreException {
    return Verification.of(file);
  }

  /**
   * Gives the database, which nobody uses, another {@link #id}: what is written to a restored copy
   * is another history than what was written after the copy was made, at the same positions.
   *
   * @throws StoreException when it cannot be written
   */
  public static void renewId(Path file) throws StoreException {
    var database = new Database(file, StoreConfig.defaults());
    var connection = database.writer();
    try {
      Database.execute(
          connection,
          "UPDATE meta SET value = lower(hex(randomblob(16))) WHERE name = 'ledger_id'");
    } catch (SQLException e) {
      throw database.failure("cannot be written", e);
    } finally {
      Database.close(connection);
    }
  }

  /**
   * What {@link #check} found. Immutable.
   *
   * @param head position of the last entry
   * @param keys keys that were ever written
   * @param leases leases that are held
   * @param problems a sentence each, at most {@value #PROBLEMS_MAX}; empty when all is well
   */
  public record Report(long head, long keys, long leases, List<String> problems) {
    /** Most problems that are listed. */
    public static final int PROBLEMS_MAX = 100;

    /** Copies what it is given. */
    public Report {
      problems = List.copyOf(problems);
    }
  }

  /** Closes the connections; what was committed is on disk already. Idempotent. */
  @Override
  public void close() {
    readers.close();
    writer.close();
  }

  static Sealed sealed(ResultSet rows) throws SQLException {
    return new Sealed(rows.getLong(1), Payload.of(rows.getBytes(2)));
  }

  private static boolean vacuumInto(Connection connection, Path part) throws SQLException {
    try (var vacuum = connection.prepareStatement("VACUUM INTO ?")) {
      vacuum.setString(1, part.toAbsolutePath().toString());
      return vacuum.execute();
    }
  }

  /**
   * Builds the database under another name, so that a {@value #FILE} that exists was once whole: an
   * empty or short one is damage, never a beginning.
   */
  private static void create(Path file, StoreConfig config, Migrations migrations)
      throws IOException, StoreException {
    var log = file.resolveSibling(FILE + "-wal");
    if (Files.exists(log)) {
      throw new StoreException(
          log
              + " is there but "
              + file
              + " is not; nothing was written; bring the file back,"
              + " restore a backup, or move the log away to start anew");
    }
    var fresh = file.resolveSibling(FILE + ".new");
    for (var suffix : List.of("", "-wal", "-shm", "-journal")) {
      Files.deleteIfExists(file.resolveSibling(fresh.getFileName() + suffix));
    }
    Database.createPrivate(fresh);
    var database = new Database(fresh, config);
    var connection = database.writer();
    try {
      Database.execute(connection, "PRAGMA application_id = " + Database.APPLICATION_ID);
      migrations.apply(connection, fresh.toString());
    } catch (SQLException e) {
      throw database.failure("cannot be made", e);
    } finally {
      Database.close(connection); // the last connection takes the log into the file
    }
    Database.sync(fresh);
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    Database.sync(file);
  }

  /** Everything that can be found wrong before the first write. */
  private static void inspect(Database database, Migrations migrations)
      throws IOException, StoreException {
    var file = database.file();
    Database.requireSqlite(file);
    try {
      var connection = database.reader();
      try {
        inspect(connection, file, database.config(), migrations);
      } catch (SQLException e) {
        throw database.failure("cannot be read", e);
      } finally {
        Database.close(connection);
      }
    } catch (StoreException e) {
      throw new StoreException(e.getMessage() + "; nothing was written", e);
    }
  }

  private static void inspect(
      Connection connection, Path file, StoreConfig config, Migrations migrations)
      throws IOException, SQLException, StoreException {
    long id = Database.number(connection, "PRAGMA application_id");
    if (id != Database.APPLICATION_ID) {
      throw new StoreException(
          file
              + " is a SQLite database of another program (application_id "
              + id
              + ");"
              + " move it away or choose another --home");
    }
    migrations.pending(connection, file.toString());
    if (Files.size(file) <= config.checkBytesMax()) {
      var damage = Verification.quick(connection);
      if (damage != null) {
        throw new StoreException(file + " is damaged: " + damage + "; restore a backup");
      }
    }
  }
}
