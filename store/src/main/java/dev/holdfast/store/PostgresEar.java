package dev.holdfast.store;

import dev.holdfast.ledger.Store;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Time;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/**
 * The connection on which a process hears that others wrote. Where the database has no such hints,
 * it only looks. Confined to the ledger's lookout but for {@link #close}.
 */
final class PostgresEar implements AutoCloseable {
  private final PostgresDatabase database;
  private final Time time;
  private volatile @Nullable Connection connection;
  private volatile boolean closed;
  private boolean hears;

  PostgresEar(PostgresDatabase database, Time time) {
    this.database = database;
    this.time = time;
  }

  Store.Progress look(Duration wait) throws StoreException, InterruptedException {
    var current = connection;
    try {
      if (current == null) {
        current = database.ear();
        connection = current;
        hears = hear(current);
      } else if (hears) {
        var heard = current.unwrap(PGConnection.class);
        heard.getNotifications((int) Math.max(1, wait.toMillis()));
      } else {
        time.sleep(wait);
      }
      long seen = database.fence().seen();
      try (var statement = current.createStatement();
          var rows = statement.executeQuery(PostgresSql.PROGRESS)) {
        if (!rows.next()) {
          throw new StoreException(database.name() + ": the row of ledger_head is gone");
        }
        database.fence().pass(seen, rows.getLong(1));
        return new Store.Progress(rows.getLong(2), rows.getLong(3));
      }
    } catch (SQLException e) {
      close(current);
      throw database.failure("cannot be read", e);
    } catch (StoreException e) {
      close(current);
      throw e;
    } finally {
      if (closed) {
        close();
      }
    }
  }

  private static boolean hear(Connection connection) {
    try {
      Database.execute(connection, PostgresSql.HEAR);
      return true;
    } catch (SQLException e) {
      return false;
    }
  }

  private void close(@Nullable Connection lost) {
    connection = null;
    if (lost != null) {
      Database.close(lost);
    }
  }

  /** Ends a look that waits, too. Idempotent. */
  @Override
  public void close() {
    closed = true;
    close(connection);
  }
}
