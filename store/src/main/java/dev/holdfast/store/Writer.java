package dev.holdfast.store;

import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Lease;
import dev.holdfast.ledger.Payload;
import dev.holdfast.ledger.Store;
import dev.holdfast.ledger.StoreException;
import java.io.IOException;
import java.nio.file.FileStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The one connection that writes: a batch is one SQLite transaction. After anything went wrong the
 * connection is thrown away and the next batch opens a new one, so that no half-known state is
 * carried on. Confined to the ledger's writer thread.
 */
final class Writer implements AutoCloseable {
  private final Database database;
  private final FileStore disk;
  private @Nullable Session session;
  private boolean open; // a batch is under way
  private boolean closed;

  Writer(Database database, FileStore disk, Connection connection) throws SQLException {
    this.database = database;
    this.disk = disk;
    session = new Session(connection);
  }

  Store.Batch begin() throws StoreException {
    if (closed) {
      throw new StoreException(database.file() + " is closed");
    }
    if (open) {
      throw new IllegalStateException("the batch before was not closed");
    }
    try {
      var current = session;
      if (current == null) {
        current = new Session(database.writer());
        session = current;
      }
      Database.execute(current.connection, "BEGIN IMMEDIATE");
      long head = Database.number(current.connection, SqliteStore.HEAD);
      open = true;
      return new SqliteBatch(current, head);
    } catch (SQLException e) {
      drop();
      throw database.failure("takes no batch", e);
    }
  }

  @Override
  public void close() {
    closed = true;
    drop();
  }

  private void drop() {
    var current = session;
    session = null;
    if (current != null) {
      Database.close(current.connection);
    }
  }

  /** A connection and its statements, which live as long as it does. */
  private static final class Session {
    final Connection connection;
    final PreparedStatement head;
    final PreparedStatement lease;
    final PreparedStatement append;
    final PreparedStatement headFirst;
    final PreparedStatement headNext;
    final PreparedStatement grant;
    final PreparedStatement renew;
    final PreparedStatement end;
    final PreparedStatement reach;
    final PreparedStatement thin;
    final PreparedStatement floor;

    Session(Connection connection) throws SQLException {
      this.connection = connection;
      head =
          connection.prepareStatement(
              "SELECT position, revision, deleted, kind FROM head WHERE key = ?");
      lease = connection.prepareStatement(SqliteStore.LEASE + " WHERE key = ?");
      append =
          connection.prepareStatement(
              "INSERT INTO ledger (position, key, envelope) VALUES (?, ?, ?)");
      headFirst =
          connection.prepareStatement(
              "INSERT INTO head (position, revision, deleted, kind, key) VALUES (?, ?, ?, ?, ?)");
      headNext =
          connection.prepareStatement(
              "UPDATE head SET position = ?, revision = ?, deleted = ?, kind = ?"
                  + " WHERE key = ? AND revision = ?");
      grant =
          connection.prepareStatement(
              "INSERT INTO lease (key, holder, epoch, parent, deadline_ms) VALUES (?, ?, ?, ?, ?)");
      renew =
          connection.prepareStatement(
              "UPDATE lease SET deadline_ms = ? WHERE key = ? AND epoch = ? AND parent IS NULL");
      end = connection.prepareStatement("DELETE FROM lease WHERE key = ?");
      reach =
          connection.prepareStatement(
              "SELECT count(*), max(position) FROM (SELECT position FROM ledger"
                  + " WHERE position > ? AND position <= ? ORDER BY position LIMIT ?)");
      thin =
          connection.prepareStatement(
              "DELETE FROM ledger WHERE position > ? AND position <= ?"
                  + " AND NOT EXISTS (SELECT 1 FROM head h WHERE h.position = ledger.position)");
      floor =
          connection.prepareStatement(
              "INSERT INTO meta (name, value) VALUES ('floor', ?1) ON CONFLICT (name) DO UPDATE"
                  + " SET value = ?1 WHERE CAST(value AS INTEGER) < CAST(?1 AS INTEGER)");
    }
  }

  private interface Work<T extends @Nullable Object> {
    T run() throws SQLException, StoreException;
  }

  private final class SqliteBatch implements Store.Batch {
    private final Session session;
    private final long first;
    private long head;
    private boolean failed;
    private boolean done;

    SqliteBatch(Session session, long head) {
      this.session = session;
      this.first = head;
      this.head = head;
    }

    @Override
    public long head() {
      return head;
    }

    @Override
    public Store.@Nullable Head head(String key) throws StoreException {
      return this.<Store.@Nullable Head>attempt(
          "cannot be read",
          () -> {
            session.head.setString(1, key);
            try (var rows = session.head.executeQuery()) {
              return rows.next()
                  ? new Store.Head(
                      rows.getLong(1), rows.getLong(2), rows.getInt(3) != 0, rows.getString(4))
                  : null;
            }
          });
    }

    @Override
    public @Nullable Lease lease(String key) throws StoreException {
      return this.<@Nullable Lease>attempt(
          "cannot be read",
          () -> {
            session.lease.setString(1, key);
            try (var rows = session.lease.executeQuery()) {
              return rows.next() ? Writer.lease(rows) : null;
            }
          });
    }

    @Override
    public void append(Entry entry, Payload envelope) throws StoreException {
      change(() -> {
        if (entry.position() != head + 1) {
          throw new StoreException(
              "position of "
                  + entry.key()
                  + ": "
                  + entry.position()
                  + " (expected: "
                  + (head + 1)
                  + ")");
        }
        if (head == first) {
          requireRoom();
        }
        session.append.setLong(1, entry.position());
        session.append.setString(2, entry.key());
        session.append.setBytes(3, envelope.bytes());
        session.append.executeUpdate();
        moveHead(entry);
        head++;
      });
    }

    @Override
    public void grant(Lease lease) throws StoreException {
      change(() -> {
        var deadline = lease.deadline();
        session.grant.setString(1, lease.key());
        session.grant.setString(2, lease.holder());
        session.grant.setLong(3, lease.epoch());
        session.grant.setString(4, lease.parent());
        if (deadline == null) {
          session.grant.setNull(5, Types.BIGINT);
        } else {
          session.grant.setLong(5, deadline.toEpochMilli());
        }
        session.grant.executeUpdate();
      });
    }

    @Override
    public void renew(Lease lease) throws StoreException {
      change(() -> {
        var deadline = lease.deadline();
        if (deadline == null) {
          throw new StoreException("lease " + lease.key() + " has no deadline to renew");
        }
        session.renew.setLong(1, deadline.toEpochMilli());
        session.renew.setString(2, lease.key());
        session.renew.setLong(3, lease.epoch());
        if (session.renew.executeUpdate() != 1) {
          throw new StoreException(
              "lease " + lease.key() + " is not held in epoch " + lease.epoch());
        }
      });
    }

    @Override
    public void end(String key) throws StoreException {
      change(() -> {
        session.end.setString(1, key);
        session.end.executeUpdate();
      });
    }

    @Override
    public Store.Compacted compact(long from, long upTo, int max) throws StoreException {
      return attempt(
          "cannot be compacted",
          () -> {
            session.reach.setLong(1, from);
            session.reach.setLong(2, upTo);
            session.reach.setInt(3, max);
            long reached = upTo;
            try (var rows = session.reach.executeQuery()) {
              if (rows.next() && rows.getInt(1) == max) {
                reached = rows.getLong(2);
              }
            }
            session.thin.setLong(1, from);
            session.thin.setLong(2, reached);
            int removed = session.thin.executeUpdate();
            session.floor.setString(1, Long.toString(reached));
            session.floor.executeUpdate();
            return new Store.Compacted(reached, removed);
          });
    }

    @Override
    public void commit() throws StoreException {
      if (done || failed) {
        throw new StoreException("a batch that " + (done ? "ended" : "failed") + " cannot commit");
      }
      try {
        Database.execute(session.connection, "COMMIT");
        done = true;
        open = false;
      } catch (SQLException e) {
        failed = true;
        close();
        if (!keptAfterAll()) {
          throw database.failure("did not take the batch", e);
        }
      }
    }

    @Override
    public void close() {
      if (done) {
        return;
      }
      done = true;
      open = false;
      try {
        Database.execute(session.connection, "ROLLBACK");
      } catch (SQLException e) {
        failed = true; // SQLite rolls back by itself after some errors; a new connection is sure
      }
      if (failed) {
        drop();
      }
    }

    /**
     * Whether the batch is in the file although COMMIT failed; a caller who was told no would write
     * it twice. Only this writer moves the head.
     */
    private boolean keptAfterAll() throws StoreException {
      if (head == first) {
        return false;
      }
      var connection = database.reader();
      try {
        return Database.number(connection, SqliteStore.HEAD) == head;
      } catch (SQLException e) {
        throw database.failure("cannot be read after a failed commit", e);
      } finally {
        Database.close(connection);
      }
    }

    private void moveHead(Entry entry) throws SQLException, StoreException {
      var statement = entry.revision() == 1 ? session.headFirst : session.headNext;
      statement.setLong(1, entry.position());
      statement.setLong(2, entry.revision());
      statement.setInt(3, entry.deleted() ? 1 : 0);
      statement.setString(4, entry.kind());
      statement.setString(5, entry.key());
      if (entry.revision() > 1) {
        statement.setLong(6, entry.revision() - 1);
      }
      if (statement.executeUpdate() != 1) {
        throw new StoreException(
            "revision of " + entry.key() + ": " + entry.revision() + " is not its next");
      }
    }

    private void requireRoom() throws StoreException {
      long free;
      try {
        free = disk.getUsableSpace();
      } catch (IOException e) {
        throw new StoreException("the disk of " + database.file() + " cannot be looked at", e);
      }
      if (free < database.config().freeBytesMin()) {
        throw new StoreException(
            "the disk of "
                + database.file()
                + " is nearly full: "
                + free
                + " bytes free (expected: at least "
                + database.config().freeBytesMin()
                + ", freeBytesMin); free some room");
      }
    }

    private interface Change {
      void run() throws SQLException, StoreException;
    }

    private void change(Change change) throws StoreException {
      this.<@Nullable Void>attempt(
          "cannot be written",
          () -> {
            change.run();
            return null;
          });
    }

    private <T extends @Nullable Object> T attempt(String otherwise, Work<T> work)
        throws StoreException {
      if (done || failed) {
        throw new StoreException("a batch that " + (done ? "ended" : "failed") + " does no more");
      }
      boolean whole = false;
      try {
        T result = work.run();
        whole = true;
        return result;
      } catch (SQLException e) {
        throw database.failure(otherwise, e);
      } finally {
        failed = !whole;
      }
    }
  }

  /** The lease in a row of {@link SqliteStore#LEASE}. */
  static Lease lease(ResultSet rows) throws SQLException {
    var parent = rows.getString(4);
    long deadline = rows.getLong(5);
    return new Lease(
        rows.getString(1),
        rows.getString(2),
        rows.getLong(3),
        parent,
        parent == null ? Instant.ofEpochMilli(deadline) : null);
  }
}
