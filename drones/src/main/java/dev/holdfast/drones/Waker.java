package dev.holdfast.drones;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Wakes one waiting thread; a wake that comes early is not lost. Thread-safe. */
final class Waker {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition woken = lock.newCondition();
  private boolean pending; // guarded by lock

  void wake() {
    lock.lock();
    try {
      pending = true;
      woken.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Returns after a wake, or after {@code wait}. */
  void await(Duration wait) throws InterruptedException {
    lock.lock();
    try {
      long leftNanos = wait.toNanos();
      while (!pending && leftNanos > 0) {
        leftNanos = woken.awaitNanos(leftNanos);
      }
      pending = false;
    } finally {
      lock.unlock();
    }
  }
}
