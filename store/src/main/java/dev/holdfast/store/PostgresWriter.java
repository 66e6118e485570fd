package dev.holdfast.store;

import dev.holdfast.ledger.Store;
import dev.holdfast.ledger.StoreAway;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.ledger.StoreInDoubt;
import dev.holdfast.limits.Backoff;
import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.Time;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * The one connection of this process that writes. After anything went wrong it is thrown away, and
 * the next batch opens another under another name, so that no half-known state is carried on.
 * Confined to the ledger's writer thread.
 */
final class PostgresWriter implements AutoCloseable {
  /** How long the last batch of a session can be asked for. */
  static final Duration REMEMBERED = Duration.ofDays(1);

  private static final Duration HINT_EVERY = Duration.ofMillis(50);
  private static final int NAME_BYTES = 12;
  private static final Backoff ASK =
      Backoff.fullJitter(Duration.ofMillis(50), Duration.ofMillis(500));

  private final PostgresDatabase database;
  private final Time time;
  private final boolean ownClock;
  private @Nullable Session session;
  private boolean open; // a batch is under way
  private boolean closed;
  private long hintedNanos;

  /** A connection and the name under which it writes. */
  static final class Session {
    final Connection connection;
    final String holder;
    long batch;

    Session(Connection connection, String holder) {
      this.connection = connection;
      this.holder = holder;
    }
  }

  PostgresWriter(PostgresDatabase database, Time time, boolean ownClock) {
    this.database = database;
    this.time = time;
    this.ownClock = ownClock;
    hintedNanos = time.nanos() - HINT_EVERY.toNanos();
  }

  /** A batch that connects and locks when it is first used. */
  Store.Batch begin() throws StoreException {
    if (closed) {
      throw new StoreException(database.name() + " is closed");
    }
    if (open) {
      throw new IllegalStateException("the batch before was not closed");
    }
    var current = session;
    if (current == null) {
      var connection = database.writer();
      try {
        connection.setAutoCommit(false);
      } catch (SQLException e) {
        Database.close(connection);
        throw database.failure("takes no batch", e);
      }
      var name = new byte[NAME_BYTES];
      time.random().nextBytes(name);
      current = new Session(connection, HexFormat.of().formatHex(name));
      session = current;
    }
    open = true;
    return new PostgresBatch(this, current, ownClock);
  }

  PostgresDatabase database() {
    return database;
  }

  Time time() {
    return time;
  }

  /** Whether others have not been told for a while that there is something to read. */
  boolean hint() {
    long now = time.nanos();
    if (now - hintedNanos < HINT_EVERY.toNanos()) {
      return false;
    }
    hintedNanos = now;
    return true;
  }

  /** The batch came to its end; a session that failed is not used again. */
  void ended(boolean failed) {
    open = false;
    if (failed) {
      drop();
    }
  }

  /**
   * Asks whether the session's last batch is kept although its COMMIT brought no answer: who was
   * told no about something that is there would write it twice. The lock of the row is what makes
   * the answer final, since that COMMIT may still be under way.
   *
   * @throws StoreAway when it is known not to be kept
   * @throws StoreInDoubt when nobody can say
   */
  void requireKept(Session lost, SQLException cause) throws StoreException {
    var deadline = Deadline.after(time, database.config().batchWait().multipliedBy(2));
    for (int failures = 1; ; failures++) {
      try {
        if (keptBatch(lost.holder) == lost.batch) {
          return;
        }
        break;
      } catch (StoreException e) {
        if (deadline.passed()) {
          throw new StoreInDoubt(
              database.name() + " was lost during a commit (" + cause.getMessage() + ")", e);
        }
      }
      try {
        time.sleep(ASK.delay(failures, time.random()));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new StoreInDoubt(database.name() + " was lost during a commit", e);
      }
    }
    throw new StoreAway(database.name() + " did not keep the batch: " + cause.getMessage(), cause);
  }

  private long keptBatch(String holder) throws StoreException {
    var connection = database.writer();
    try {
      connection.setAutoCommit(false);
      long seen = database.fence().seen();
      try (var lock = connection.createStatement();
          var row = lock.executeQuery(PostgresSql.LOCK)) {
        if (!row.next()) {
          throw new StoreException(database.name() + ": the row of ledger_head is gone");
        }
        database.fence().pass(seen, row.getLong(1));
      }
      try (var select = connection.prepareStatement(PostgresSql.SESSION_OF)) {
        select.setString(1, holder);
        try (var rows = select.executeQuery()) {
          return rows.next() ? rows.getLong(1) : 0;
        }
      } finally {
        connection.rollback();
      }
    } catch (SQLException e) {
      throw database.failure("cannot be asked for a commit", e);
    } finally {
      Database.close(connection);
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
}
