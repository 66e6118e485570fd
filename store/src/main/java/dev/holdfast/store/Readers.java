package dev.holdfast.store;

import dev.holdfast.ledger.StoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** At most so many read-only connections, each used by one thread at a time. Thread-safe. */
final class Readers implements AutoCloseable {

  /** Something to read. */
  interface Query<T> {
    T run(Connection connection) throws SQLException, StoreException;
  }

  private final Database database;
  private final Semaphore permits;
  private final ReentrantLock lock = new ReentrantLock();
  private final ArrayDeque<Connection> idle = new ArrayDeque<>(); // guarded by lock
  private boolean closed; // guarded by lock

  Readers(Database database) {
    this.database = database;
    permits = new Semaphore(database.config().readersMax());
  }

  /** What the query answers; a connection that fails is not used again. */
  <T> T read(Query<T> query) throws StoreException {
    acquire();
    try {
      var connection = take();
      boolean whole = false;
      try {
        var answer = query.run(connection);
        whole = true;
        return answer;
      } catch (SQLException e) {
        throw database.failure("cannot be read", e);
      } finally {
        giveBack(connection, whole);
      }
    } finally {
      permits.release();
    }
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
      int all = database.config().readersMax();
      if (permits.tryAcquire(all, database.config().busyWait().toNanos(), TimeUnit.NANOSECONDS)) {
        permits.release(all);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    @Nullable Connection connection;
    while ((connection = pollIdle()) != null) {
      Database.close(connection);
    }
  }

  private void acquire() throws StoreException {
    var config = database.config();
    try {
      if (!permits.tryAcquire(config.busyWait().toNanos(), TimeUnit.NANOSECONDS)) {
        throw new StoreException(
            "all "
                + config.readersMax()
                + " readers of "
                + database.file()
                + " are busy (readersMax)");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException("interrupted while waiting for a reader of " + database.file(), e);
    }
  }

  private Connection take() throws StoreException {
    lock.lock();
    try {
      if (closed) {
        throw new StoreException(database.file() + " is closed");
      }
      var connection = idle.poll();
      if (connection != null) {
        return connection;
      }
    } finally {
      lock.unlock();
    }
    return database.reader();
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
