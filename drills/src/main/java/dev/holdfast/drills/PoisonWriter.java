package dev.holdfast.drills;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;

/**
 * A hand in the ledger's file: writes rows past every gate of the writer, as a tool by hand, a
 * newer program or a bad disk does. The platform finds them when it commits next. Confined to one
 * thread.
 */
final class PoisonWriter implements AutoCloseable {
  /** Who the rows say wrote them. */
  static final String ACTOR = "gc-by-hand";

  private final Connection connection;
  private final Time time;

  /** Opens the ledger in a home that a platform runs on. */
  PoisonWriter(Path home, Time time) throws IOException {
    this.time = time;
    try {
      connection = DriverManager.getConnection("jdbc:sqlite:" + home.resolve("ledger.db"));
      try (var statement = connection.createStatement()) {
        statement.execute("PRAGMA busy_timeout = 5000");
        statement.execute("PRAGMA foreign_keys = ON");
      }
    } catch (SQLException e) {
      throw new IOException("the ledger in " + home + " cannot be opened", e);
    }
  }

  /** What is done in one transaction. */
  @FunctionalInterface
  interface Work<T> {
    T run(Rows rows) throws SQLException;
  }

  /** Does it, all or none. */
  <T> T write(Work<T> work) throws IOException {
    try (var statement = connection.createStatement()) {
      statement.execute("BEGIN IMMEDIATE");
      try {
        var result = work.run(new Rows());
        statement.execute("COMMIT");
        return result;
      } catch (SQLException | RuntimeException e) {
        statement.execute("ROLLBACK");
        throw e;
      }
    } catch (SQLException e) {
      throw new IOException("the rows could not be written", e);
    }
  }

  /** The tables, within one transaction. */
  final class Rows {
    /** Position of the last entry. */
    long head() throws SQLException {
      try (var statement = connection.createStatement();
          var rows = statement.executeQuery("SELECT coalesce(max(position), 0) FROM ledger")) {
        return rows.next() ? rows.getLong(1) : 0;
      }
    }

    /** The next revision of a key. */
    long revision(String key) throws SQLException {
      try (var select = connection.prepareStatement("SELECT revision FROM head WHERE key = ?")) {
        select.setString(1, key);
        try (var rows = select.executeQuery()) {
          return rows.next() ? rows.getLong(1) + 1 : 1;
        }
      }
    }

    /** An entry of a key as its next revision. */
    Seal seal(long position, String kind, int schema, String key, boolean deleted, byte[] payload)
        throws SQLException {
      return new Seal(
          position,
          revision(key),
          time.now().toEpochMilli(),
          schema,
          kind,
          key,
          ACTOR,
          deleted,
          payload);
    }

    /** A row with those bytes, which is the newest of its key from now on. */
    void put(long position, Seal about, byte[] envelope) throws SQLException {
      try (var insert =
          connection.prepareStatement(
              "INSERT INTO ledger (position, key, envelope) VALUES (?, ?, ?)")) {
        insert.setLong(1, position);
        insert.setString(2, about.key());
        insert.setBytes(3, envelope);
        insert.executeUpdate();
      }
      try (var first =
          connection.prepareStatement(
              "INSERT INTO head (position, revision, deleted, kind, key) VALUES (?, ?, ?, ?, ?)"
                  + " ON CONFLICT (key) DO UPDATE SET position = excluded.position,"
                  + " revision = excluded.revision, deleted = excluded.deleted,"
                  + " kind = excluded.kind")) {
        head(first, position, about);
      }
    }

    private void head(PreparedStatement statement, long position, Seal about) throws SQLException {
      statement.setLong(1, position);
      statement.setLong(2, about.revision());
      statement.setInt(3, about.deleted() ? 1 : 0);
      statement.setString(4, about.kind());
      statement.setString(5, about.key());
      statement.executeUpdate();
    }
  }

  @Override
  public void close() throws IOException {
    try {
      connection.close();
    } catch (SQLException e) {
      throw new IOException("the ledger cannot be closed", e);
    }
  }
}
