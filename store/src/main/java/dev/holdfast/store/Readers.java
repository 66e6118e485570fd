package dev.holdfast.store;

import dev.holdfast.ledger.StoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** At most so many read-only connections, each used by one thread at a time. Thread-safe. */
final class Readers implements AutoCloseable {

  /** Where connections come from. Thread-safe. */
  interface Source {
    /** What it is called in messages. */
    String name();

    int readersMax();

    Duration busyWait();

    /** A connection that cannot write. */
    Connection reader() throws StoreException;

    /** The sentence for the operator. */
    StoreException failure(String what, SQLException e);

    /** Whether connections may have been lost through no fault of what was asked. */
    default boolean isAway(SQLException e) {
      return false;
    }
  }

  /** Something to read. */
  interface Query<T> {
    T run(Connection connection) throws SQLException, StoreException;
  }

  private final Source database;
  private final Semaphore permits;
  private final ReentrantLock lock = new ReentrantLock();
  private final ArrayDeque<Connection> idle = new ArrayDeque<>(); // guarded by lock
  private boolean closed; // guarded by lock

  Readers(Source database) {
    this.database = database;
    permits = new Semaphore(database.readersMax());
  }

  /**
   * What the query answers; a connection that fails is not used again. One that was kept and turns
   * out to be lost is replaced, and the query runs a second time.
   */
  <T> T read(Query<T> query) throws StoreException {
    acquire();
    try {
      return read(query, pollIdle(), true);
    } finally {
      permits.release();
    }
  }

  /** As {@link #read}, but never a second time: for queries that hand rows over as they come. */
  <T> T readOnce(Query<T> query) throws StoreException {
    acquire();
    try {
      return read(query, pollIdle(), false);
    } finally {
      permits.release();
    }
  }

  private <T> T read(Query<T> query, @Nullable Connection kept, boolean again)
      throws StoreException {
    var connection = kept == null ? fresh() : kept;
    boolean whole = false;
    try {
      var answer = query.run(connection);
      whole = true;
      return answer;
    } catch (SQLException e) {
      if (kept == null || !again || !database.isAway(e)) {
        throw database.failure("cannot be read", e);
      }
    } finally {
      giveBack(connection, whole);
    }
    forget();
    return read(query, null, again);
  }

  /** Closes the connections, after a short wait for those in use. Idempotent. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
    } finally {
      lock.unlock();
    }
    try {
      int all = database.readersMax();
      if (permits.tryAcquire(all, database.busyWait().toNanos(), TimeUnit.NANOSECONDS)) {
        permits.release(all);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    forget();
  }

  private void acquire() throws StoreException {
    try {
      if (!permits.tryAcquire(database.busyWait().toNanos(), TimeUnit.NANOSECONDS)) {
        throw new StoreException(
            "all "
                + database.readersMax()
                + " readers of "
                + database.name()
                + " are busy (readersMax)");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException("interrupted while waiting for a reader of " + database.name(), e);
    }
  }

  private Connection fresh() throws StoreException {
    lock.lock();
    try {
      if (closed) {
        throw new StoreException(database.name() + " is closed");
      }
    } finally {
      lock.unlock();
    }
    return database.reader();
  }

  /** Closes those that nobody uses now. */
  void forget() {
    @Nullable Connection connection;
    while ((connection = pollIdle()) != null) {
      Database.close(connection);
    }
  }

  private void giveBack(Connection connection, boolean whole) {
    lock.lock();
    try {
      if (whole && !closed) {
        idle.push(connection);
        return;
      }
    } finally {
      lock.unlock();
    }
    Database.close(connection);
  }

  private @Nullable Connection pollIdle() {
    lock.lock();
    try {
      return idle.poll();
    } finally {
      lock.unlock();
    }
  }
}
