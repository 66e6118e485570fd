package dev.holdfast.store;

import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Envelope;
import dev.holdfast.ledger.StoreException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads a whole database and compares what must agree. Confined to one thread, used once. */
final class Verification {
  private static final String HEADS_WITHOUT_LOG =
      "SELECT h.key FROM head h LEFT JOIN (SELECT key, max(position) AS position, count(*) AS"
          + " revision FROM ledger GROUP BY key) l ON l.key = h.key AND l.position = h.position AND"
          + " (l.revision = h.revision OR l.revision < h.revision AND ("
          + SqliteStore.FLOOR
          + ") > 0)"
          + " WHERE l.key IS NULL";
  private static final String LOG_WITHOUT_HEADS =
      "SELECT DISTINCT l.key FROM ledger l LEFT JOIN head h ON h.key = l.key WHERE h.key IS NULL";
  private static final String ROWS =
      "SELECT l.position, l.envelope, l.key, h.revision, h.deleted, h.kind FROM ledger l"
          + " LEFT JOIN head h ON h.position = l.position ORDER BY l.position";

  private final Connection connection;
  private final ArrayList<String> problems = new ArrayList<>();

  private Verification(Connection connection) {
    this.connection = connection;
  }

  static SqliteStore.Report of(Path file) throws StoreException {
    if (Files.notExists(file)) {
      throw new StoreException(file + " does not exist");
    }
    Database.requireSqlite(file);
    var database = new Database(file, StoreConfig.defaults());
    var connection = database.reader();
    try {
      return new Verification(connection).report();
    } catch (SQLException e) {
      throw database.failure("cannot be checked", e);
    } finally {
      Database.close(connection);
    }
  }

  /** The first thing that SQLite itself finds wrong with the file, or null. */
  static @Nullable String quick(Connection connection) throws SQLException {
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery("PRAGMA quick_check(1)")) {
      var first = rows.next() ? rows.getString(1) : "no answer";
      return first.equals("ok") ? null : first;
    }
  }

  private SqliteStore.Report report() throws SQLException {
    Database.execute(connection, "BEGIN"); // one moment, while others may write
    try {
      each("PRAGMA integrity_check(" + SqliteStore.Report.PROBLEMS_MAX + ")", "integrity: ", "ok");
      each("PRAGMA foreign_key_check", "a row without the entry it refers to in table ", "");
      each(HEADS_WITHOUT_LOG, "head does not agree with the log: ", "");
      each(LOG_WITHOUT_HEADS, "no head for a key in the log: ", "");
      long head = rows();
      return new SqliteStore.Report(
          head,
          Database.number(connection, "SELECT count(*) FROM head"),
          Database.number(connection, "SELECT count(*) FROM lease"),
          problems);
    } finally {
      Database.execute(connection, "ROLLBACK");
    }
  }

  private void each(String sql, String problem, String fine) throws SQLException {
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        var found = rows.getString(1);
        if (!found.equals(fine)) {
          add(problem + found);
        }
      }
    }
  }

  /** Every entry in order: dense positions, whole envelopes that say what the columns say. */
  private long rows() throws SQLException {
    long floor = Database.number(connection, SqliteStore.FLOOR); // below it, gaps are meant
    long last = 0;
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery(ROWS)) {
      while (rows.next()) {
        var sealed = SqliteStore.sealed(rows);
        long whole = Math.max(last, Math.min(floor, sealed.position() - 1));
        if (sealed.position() != whole + 1) {
          add("no entry at " + (whole + 1) + (sealed.position() == whole + 2 ? "" : " and after"));
        }
        last = sealed.position();
        switch (Envelope.decode(sealed.envelope())) {
          case Envelope.Decoded.Unreadable(var cause) ->
              add("the envelope at " + last + " cannot be read: " + cause);
          case Envelope.Decoded.Good(var entry) -> {
            var said = said(entry);
            var kept = new ArrayList<>(List.of(last + " " + rows.getString(3)));
            if (rows.getString(6) != null) {
              kept.add(rows.getLong(4) + " " + (rows.getInt(5) != 0) + " " + rows.getString(6));
            }
            if (!said.subList(0, kept.size()).equals(kept)) {
              add("the entry at " + last + " says " + said + ", its row " + kept);
            }
          }
        }
      }
    }
    return last;
  }

  private static List<String> said(Entry entry) {
    return List.of(
        entry.position() + " " + entry.key(),
        entry.revision() + " " + entry.deleted() + " " + entry.kind());
  }

  private void add(String problem) {
    if (problems.size() < SqliteStore.Report.PROBLEMS_MAX) {
      problems.add(problem);
    }
  }
}
