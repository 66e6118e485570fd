package dev.holdfast.limits;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A queue that says no: first in, first out, a fixed capacity, a count of what it refused, and a
 * batch take for the one consumer. It never blocks a producer; whoever is refused tells its caller.
 * Thread-safe.
 */
public final class BoundedQueue<T> implements AutoCloseable {
  private final String name;
  private final int capacity;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ArrayDeque<T> items = new ArrayDeque<>(); // guarded by lock
  private final LongAdder refused = new LongAdder();
  private boolean closed; // guarded by lock

  /**
   * An empty queue.
   *
   * @param name what the bound is called in messages and metrics
   */
  public BoundedQueue(String name, int capacity) {
    Check.that(capacity >= 1, name + " capacity", capacity, ">= 1");
    this.name = name;
    this.capacity = capacity;
  }

  /** Adds the item, or answers false (and counts it) when the queue is full or closed. */
  public boolean offer(T item) {
    lock.lock();
    try {
      if (closed || items.size() >= capacity) {
        refused.increment();
        return false;
      }
      items.add(item);
      changed.signalAll();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits for work and takes up to {@code max} items in order. An empty answer means that the queue
   * is closed and drained, or that {@code wait} passed.
   *
   * @throws InterruptedException when the thread is asked to end
   */
  public List<T> take(int max, Duration wait) throws InterruptedException {
    Check.that(max >= 1, "max", max, ">= 1");
    lock.lock();
    try {
      long leftNanos = wait.toNanos();
      while (items.isEmpty() && !closed && leftNanos > 0) {
        leftNanos = changed.awaitNanos(leftNanos);
      }
      var batch = new ArrayList<T>(Math.min(max, items.size()));
      @Nullable T item;
      while (batch.size() < max && (item = items.poll()) != null) {
        batch.add(item);
      }
      return batch;
    } finally {
      lock.unlock();
    }
  }

  /** Refuses everything new; what is inside can still be taken. Idempotent. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Whether {@link #close} was called. */
  public boolean closed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  /** How many items wait. */
  public int size() {
    lock.lock();
    try {
      return items.size();
    } finally {
      lock.unlock();
    }
  }

  /** The bound. */
  public int capacity() {
    return capacity;
  }

  /** How many items were refused since birth. */
  public long refused() {
    return refused.sum();
  }

  @Override
  public String toString() {
    return name + " " + size() + "/" + capacity;
  }
}
