package dev.holdfast.store;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.holdfast.ledger.StoreException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import org.sqlite.SQLiteConfig;

/**
 * One SQLite file: opens connections to it, makes sure that they are what the store relies on, and
 * says in a sentence what went wrong. Thread-safe.
 */
final class Database implements Readers.Source {
  /** "HOLD", so that another program's database is not taken for ours. */
  static final int APPLICATION_ID = 0x484f4c44;

  private static final byte[] MAGIC = "SQLite format 3\0".getBytes(US_ASCII);
  private static final Set<String> REMOTE =
      Set.of(
          "nfs",
          "nfs4",
          "cifs",
          "smb",
          "smb2",
          "smb3",
          "smbfs",
          "afs",
          "ceph",
          "lustre",
          "glusterfs",
          "fuse.glusterfs",
          "fuse.sshfs",
          "fuse.davfs2");
  private static final long PAGES_MAX = 4_294_967_294L; // SQLite's own
  private static final int SQLITE_BUSY = 5;
  private static final int SQLITE_READONLY = 8;
  private static final int SQLITE_IOERR = 10;
  private static final int SQLITE_CORRUPT = 11;
  private static final int SQLITE_FULL = 13;
  private static final int SQLITE_CANTOPEN = 14;
  private static final int SQLITE_NOTADB = 26;

  private final Path file;
  private final StoreConfig config;

  Database(Path file, StoreConfig config) {
    this.file = file;
    this.config = config;
  }

  Path file() {
    return file;
  }

  StoreConfig config() {
    return config;
  }

  /** A connection that writes durably, or none. */
  Connection writer() throws StoreException {
    return open(
        false,
        connection -> {
          expect(connection, "journal_mode", "WAL", "wal");
          expect(connection, "synchronous", "FULL", "2");
          expect(connection, "foreign_keys", "ON", "1");
          expect(connection, "trusted_schema", "OFF", "0");
          int walPages = config.walPagesMax();
          expect(connection, "wal_autocheckpoint", "" + walPages, "" + walPages);
          long pageBytes = number(connection, "PRAGMA page_size");
          // What the log may keep of the disk after a burst that made it long.
          expect(connection, "journal_size_limit", walPages * pageBytes);
          // SQLite answers with the present size where that is already larger.
          number(
              connection,
              "PRAGMA max_page_count = " + Math.min(PAGES_MAX, config.bytesMax() / pageBytes));
        });
  }

  @Override
  public String name() {
    return file.toString();
  }

  @Override
  public int readersMax() {
    return config.readersMax();
  }

  @Override
  public Duration busyWait() {
    return config.busyWait();
  }

  @Override
  public Connection reader() throws StoreException {
    return open(true, connection -> expect(connection, "foreign_keys", "ON", "1"));
  }

  /** Refuses a database whose tables are not the strict ones that the migrations make. */
  void requireStrict(Connection connection) throws SQLException, StoreException {
    long loose =
        number(
            connection,
            "SELECT count(*) FROM pragma_table_list WHERE type = 'table' AND schema = 'main'"
                + " AND name NOT LIKE 'sqlite%' AND strict = 0");
    if (loose != 0) {
      throw new StoreException(
          file + ": " + loose + " tables are not STRICT; it was changed by hand; restore a backup");
    }
  }

  @Override
  public StoreException failure(String what, SQLException e) {
    var why =
        switch (e.getErrorCode() & 0xff) {
          case SQLITE_FULL ->
              "the disk or the quota is full (bytesMax "
                  + config.bytesMax()
                  + "); free some room or raise the quota; what was written before is safe";
          case SQLITE_BUSY -> "another program has locked it; close that program";
          case SQLITE_READONLY -> "it may not be written; look at its owner and permissions";
          case SQLITE_CANTOPEN -> "it cannot be opened; look at its directory's permissions";
          case SQLITE_IOERR -> "the disk failed or is full; look at the system's log";
          case SQLITE_CORRUPT -> "it is damaged; restore a backup";
          case SQLITE_NOTADB -> "it is not a SQLite database; move it away or restore a backup";
          default -> "SQLite refused";
        };
    return new StoreException(file + " " + what + ": " + why + " (" + e.getMessage() + ")", e);
  }

  /**
   * Refuses what does not begin as a SQLite database does. Opens nothing else and writes nothing.
   */
  static void requireSqlite(Path file) throws StoreException {
    byte[] start;
    try (var in = Files.newInputStream(file)) {
      start = in.readNBytes(MAGIC.length);
    } catch (IOException e) {
      throw new StoreException(file + " cannot be read: " + e, e);
    }
    if (!Arrays.equals(start, MAGIC)) {
      throw new StoreException(
          file
              + (start.length == 0 ? " is empty" : " is not a SQLite database")
              + "; nothing was written; move it away, restore a backup, or choose another --home");
    }
  }

  /** Refuses a directory that other machines may write too: SQLite's locks do not hold there. */
  static FileStore requireLocal(Path directory) throws StoreException {
    try {
      var disk = Files.getFileStore(directory);
      requireLocal(directory, disk.type());
      return disk;
    } catch (IOException e) {
      throw new StoreException(directory + " cannot be looked at: " + e, e);
    }
  }

  static void requireLocal(Path directory, String type) throws StoreException {
    if (REMOTE.contains(type.toLowerCase(Locale.ROOT))) {
      throw new StoreException(
          directory
              + " is on a file system of type "
              + type
              + ", where locks and flushes cannot be relied on; choose a --home on a local disk");
    }
  }

  /** Makes an empty file that only its owner may read, because the ledger holds secrets. */
  static void createPrivate(Path file) throws IOException {
    if (file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    } else {
      Files.createFile(file);
    }
  }

  /** Makes the file's bytes and its name durable. */
  static void sync(Path file) throws IOException {
    try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
    var directory = file.toAbsolutePath().getParent();
    if (directory != null && file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      try (var channel = FileChannel.open(directory, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }

  /** The one number that the statement answers. */
  static long number(Connection connection, String sql) throws SQLException {
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery(sql)) {
      return rows.next() ? rows.getLong(1) : 0;
    }
  }

  static void execute(Connection connection, String sql) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  static void close(AutoCloseable connection) {
    try {
      connection.close();
    } catch (Exception e) {
      // nothing to save: what was committed is on disk, what was not is meant to go
    }
  }

  private interface Setup {
    void run(Connection connection) throws SQLException, StoreException;
  }

  private Connection open(boolean readOnly, Setup setup) throws StoreException {
    var options = new SQLiteConfig();
    options.setReadOnly(readOnly);
    options.setBusyTimeout((int) config.busyWait().toMillis());
    options.enforceForeignKeys(true);
    try {
      // As a URI, so that a '?' in a path is a character and not the start of options.
      var connection =
          DriverManager.getConnection(
              "jdbc:sqlite:" + file.toAbsolutePath().toUri(), options.toProperties());
      try {
        expect(
            connection,
            "cache_size",
            -(readOnly ? config.readerCacheBytes() : config.cacheBytes()) / 1024);
        setup.run(connection);
        return connection;
      } catch (SQLException | StoreException | RuntimeException e) {
        close(connection);
        throw e;
      }
    } catch (SQLException e) {
      throw failure("cannot be opened", e);
    }
  }

  private void expect(Connection connection, String pragma, long value)
      throws SQLException, StoreException {
    expect(connection, pragma, Long.toString(value), Long.toString(value));
  }

  /** Sets the pragma and refuses to go on unless SQLite says that it holds. */
  private void expect(Connection connection, String pragma, String value, String answer)
      throws SQLException, StoreException {
    execute(connection, "PRAGMA " + pragma + " = " + value);
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery("PRAGMA " + pragma)) {
      var actual = rows.next() ? rows.getString(1) : "nothing";
      if (!answer.equalsIgnoreCase(actual)) {
        throw new StoreException(
            file
                + ": PRAGMA "
                + pragma
                + " is "
                + actual
                + " (expected: "
                + answer
                + "); SQLite or the file system does not support what durability needs");
      }
    }
  }
}
