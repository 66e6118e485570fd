package dev.holdfast.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.ledger.StoreException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * The numbered SQL files that make a schema, applied forward only, each in one transaction that
 * also records its number and SHA-256. Nothing but standard SQL stands in here: what differs
 * between databases comes in as {@link Dialect}. Immutable.
 */
final class Migrations {

  /** What a database calls the things that the runner needs. */
  record Dialect(String begin, String tableOptions, String tableExists) {
    static final Dialect SQLITE =
        new Dialect(
            "BEGIN IMMEDIATE",
            " STRICT",
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'migration'");

    static final Dialect POSTGRESQL =
        new Dialect(
            "BEGIN",
            "",
            "SELECT count(*) FROM information_schema.tables"
                + " WHERE table_schema = current_schema() AND table_name = 'migration'");
  }

  /** One file. */
  record Migration(int version, String name, List<String> statements, String checksum) {
    static Migration of(String name, String sql) {
      int version = Integer.parseInt(name.substring(0, name.indexOf('-')));
      return new Migration(version, name, split(sql), sha256(sql));
    }
  }

  private record Applied(int version, String name, String checksum) {}

  private final List<Migration> known;
  private final Dialect dialect;

  Migrations(List<Migration> known, Dialect dialect) {
    this.known = List.copyOf(known);
    this.dialect = dialect;
    for (int i = 0; i < known.size(); i++) {
      if (known.get(i).version() != i + 1) {
        throw new IllegalStateException("migrations must be numbered from 1 without a gap");
      }
    }
  }

  List<Migration> known() {
    return known;
  }

  /** The files of those names in the folder beside this class. */
  static Migrations load(String folder, Dialect dialect, String... names) {
    var known = new ArrayList<Migration>();
    for (var name : names) {
      try (var in = Migrations.class.getResourceAsStream(folder + "/" + name)) {
        if (in == null) {
          throw new IllegalStateException("no resource " + folder + "/" + name);
        }
        known.add(Migration.of(name, new String(in.readAllBytes(), UTF_8)));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return new Migrations(known, dialect);
  }

  /**
   * Those that the database does not have yet. Writes nothing.
   *
   * @param where what the database is called in messages
   * @throws StoreException when the database is newer than this program or was migrated otherwise
   */
  List<Migration> pending(Connection connection, String where) throws SQLException, StoreException {
    var applied = applied(connection);
    for (int i = 0; i < applied.size(); i++) {
      var was = applied.get(i);
      if (was.version() != i + 1) {
        throw new StoreException(
            where + ": migration " + (i + 1) + " is missing from its table;" + " restore a backup");
      }
      if (i >= known.size()) {
        throw new StoreException(
            where
                + " has schema "
                + applied.size()
                + ", this program knows "
                + known.size()
                + ": it was written by a newer version; start that version,"
                + " or restore a backup made with this one");
      }
      var now = known.get(i);
      if (!now.checksum().equals(was.checksum())) {
        throw new StoreException(
            where
                + ": migration "
                + now.name()
                + " was applied as "
                + was.name()
                + " with SHA-256 "
                + was.checksum()
                + ", this program has "
                + now.checksum()
                + ";"
                + " start the version that made the file, or restore a backup");
      }
    }
    return known.subList(applied.size(), known.size());
  }

  /** Applies what is pending. */
  void apply(Connection connection, String where) throws SQLException, StoreException {
    for (var migration : pending(connection, where)) {
      try (var statement = connection.createStatement()) {
        statement.execute(dialect.begin());
        try {
          statement.execute(
              "CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY,"
                  + " name TEXT NOT NULL, checksum TEXT NOT NULL)"
                  + dialect.tableOptions());
          for (var sql : migration.statements()) {
            statement.execute(sql);
          }
          record(connection, migration);
          statement.execute("COMMIT");
        } catch (SQLException e) {
          rollback(connection, e);
          throw e;
        }
      }
    }
  }

  private static void record(Connection connection, Migration migration) throws SQLException {
    try (var insert =
        connection.prepareStatement(
            "INSERT INTO migration (version, name, checksum) VALUES (?, ?, ?)")) {
      insert.setInt(1, migration.version());
      insert.setString(2, migration.name());
      insert.setString(3, migration.checksum());
      insert.executeUpdate();
    }
  }

  private static void rollback(Connection connection, SQLException cause) {
    try (var statement = connection.createStatement()) {
      statement.execute("ROLLBACK");
    } catch (SQLException e) {
      cause.addSuppressed(e); // the database may have rolled back by itself
    }
  }

  private List<Applied> applied(Connection connection) throws SQLException {
    var applied = new ArrayList<Applied>();
    try (var statement = connection.createStatement()) {
      try (var found = statement.executeQuery(dialect.tableExists())) {
        if (!found.next() || found.getInt(1) == 0) {
          return applied;
        }
      }
      try (var rows =
          statement.executeQuery(
              "SELECT version, name, checksum FROM migration ORDER BY version")) {
        while (rows.next()) {
          applied.add(new Applied(rows.getInt(1), rows.getString(2), rows.getString(3)));
        }
      }
    }
    return applied;
  }

  /**
   * Statements end with a semicolon at the end of a line; a line that starts with -- is a remark.
   */
  private static List<String> split(String sql) {
    var statements = new ArrayList<String>();
    var open = new StringBuilder();
    sql.lines()
        .filter(line -> !line.isBlank() && !line.startsWith("--"))
        .forEach(line -> {
          open.append(line).append('\n');
          if (line.endsWith(";")) {
            statements.add(open.toString());
            open.setLength(0);
          }
        });
    if (!open.isEmpty()) {
      throw new IllegalStateException("a statement without its semicolon: " + open);
    }
    return List.copyOf(statements);
  }

  private static String sha256(String text) {
    try {
      var digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(text.getBytes(UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
