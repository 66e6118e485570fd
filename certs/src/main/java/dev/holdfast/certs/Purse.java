package dev.holdfast.certs;

import dev.holdfast.certs.Book.Lost;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Backoff;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.locks.ReentrantLock;

/** What each authority was asked for and how it answered, read and written. Thread-safe. */
final class Purse {
  /** Between questions to an authority that is silent, whichever host they are about. */
  private static final Backoff SILENCE =
      Backoff.steps(
          0.2,
          Duration.ofMinutes(1),
          Duration.ofMinutes(2),
          Duration.ofMinutes(5),
          Duration.ofMinutes(10),
          Duration.ofMinutes(20),
          Duration.ofMinutes(40));

  private final Book book;
  private final Time time;
  private final ReentrantLock lock = new ReentrantLock(); // one reads and writes at a time

  Purse(Book book, Time time) {
    this.book = book;
    this.time = time;
  }

  /** Writes, charged, what the order is next. */
  interface Charge {
    /** Adds to the transaction, or answers false when nothing may be charged after all. */
    boolean add(Ca ca, Transaction transaction) throws Lost, InterruptedException;
  }

  /** What is known of that authority now. */
  Ca look(String directory) throws Lost {
    var ca = book.read(Ca.KIND, Ca.key(directory)).value();
    return ca == null ? Ca.fresh(directory) : ca;
  }

  /** Charges one order together with what {@code charge} adds; false when that says no. */
  boolean charge(String directory, Charge charge) throws Lost, InterruptedException {
    lock.lockInterruptibly();
    try {
      var page = book.read(Ca.KIND, Ca.key(directory));
      var ca = page.value() == null ? Ca.fresh(directory) : page.value();
      var transaction = book.write();
      if (!charge.add(ca, transaction)) {
        return false;
      }
      book.append(
          transaction.put(Ca.KIND, Ca.key(directory), ca.charged(time.now()), page.unchanged()));
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** It did not answer: it is left alone, longer each time. Answers until when. */
  Instant silent(String directory, String why) throws Lost, InterruptedException {
    var failures = look(directory).failures() + 1;
    var wait = SILENCE.delay(failures, time.random());
    var until = time.now().plus(wait).truncatedTo(ChronoUnit.SECONDS);
    pause(directory, until, why, true);
    return until;
  }

  /** It is left alone until then, if it is not already. */
  void pause(String directory, Instant until, String why, boolean silent)
      throws Lost, InterruptedException {
    lock.lockInterruptibly();
    try {
      var page = book.read(Ca.KIND, Ca.key(directory));
      var ca = page.value() == null ? Ca.fresh(directory) : page.value();
      if (!ca.paused(time.now())) {
        put(ca.paused(until, why, silent), page);
      }
    } finally {
      lock.unlock();
    }
  }

  /** It spoke: what was counted of its silence is over. */
  void answered(String directory) throws Lost, InterruptedException {
    if (look(directory).failures() == 0) {
      return;
    }
    lock.lockInterruptibly();
    try {
      var page = book.read(Ca.KIND, Ca.key(directory));
      var ca = page.value();
      if (ca != null && ca.failures() > 0) {
        put(ca.answered(), page);
      }
    } finally {
      lock.unlock();
    }
  }

  private void put(Ca ca, Book.Page<Ca> page) throws Lost, InterruptedException {
    book.append(book.write().put(Ca.KIND, Ca.key(ca.directory()), ca, page.unchanged()));
  }
}
