package dev.holdfast.drones;

import dev.holdfast.limits.BoundedQueue;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * One reader of an app's log as it grows. It has a bounded number of lines to fall behind; then it
 * is cut off, told so by a last line, and may begin again. Thread-safe.
 */
public final class LogFollow implements AutoCloseable {
  private static final Duration WAIT = Duration.ofSeconds(10);
  private static final int BATCH_MAX = 256;

  private final BoundedQueue<LogLine> waiting;
  private final Consumer<LogLine> reader;
  private final Time time;
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private volatile boolean cutOff;
  private volatile boolean left;

  LogFollow(int linesMax, Consumer<LogLine> reader, Time time) {
    this.waiting = new BoundedQueue<>("log follower", linesMax);
    this.reader = reader;
    this.time = time;
  }

  /** Hands over the past, then what comes; on a thread of its own. */
  void start(List<LogLine> past) {
    Thread.ofVirtual().name("log follower").start(() -> run(past));
  }

  private void run(List<LogLine> past) {
    try {
      for (var line : past) {
        if (left) {
          return;
        }
        reader.accept(line);
      }
      while (!left) {
        var lines = waiting.take(BATCH_MAX, WAIT);
        if (lines.isEmpty() && waiting.closed()) {
          break;
        }
        lines.forEach(reader);
      }
      if (cutOff && !left) {
        var text = "log reader was too slow or one too many and is cut off here";
        reader.accept(new LogLine(time.now(), LogLine.HOLDFAST, "logs", text));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      // The reader is broken, which usually means that it hung up.
    } finally {
      close();
      ended.complete(null);
    }
  }

  /** Never blocks; false when the follower is gone or was cut off just now. */
  boolean offer(LogLine line) {
    if (waiting.offer(line)) {
      return true;
    }
    cutOff();
    return false;
  }

  void cutOff() {
    cutOff = !waiting.closed() || cutOff;
    waiting.close();
  }

  /** Completes when no more lines will be handed over. */
  public CompletableFuture<Void> ended() {
    return ended.copy();
  }

  /** Stops; a line that is being handed over may still arrive. Idempotent. */
  @Override
  public void close() {
    left = true;
    waiting.close();
  }
}
