package dev.holdfast.ledger;

import dev.holdfast.limits.Check;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Tries an entry on what followers serve before it is written: a fold that would not take it, or
 * would not show it afterwards, or needs too long, refuses it. What a fold makes of it is thrown
 * away. Thread-safe.
 *
 * <p>Each try runs on a thread of its own and is waited for at most {@value #WAIT_MILLIS} ms. A
 * fold that never returns keeps its thread; when {@value #STUCK_MAX} are kept so, nothing is
 * rehearsed any more, since the ledger must stay writable. Followers have the same fold behind a
 * quarantine.
 */
final class Rehearsal {
  static final int WAIT_MILLIS = 1_000;
  static final int STUCK_MAX = 4;

  private final CopyOnWriteArrayList<Follower<?>> followers = new CopyOnWriteArrayList<>();
  private final Semaphore stages = new Semaphore(STUCK_MAX);
  private final Duration wait;

  Rehearsal() {
    this(Duration.ofMillis(WAIT_MILLIS));
  }

  Rehearsal(Duration wait) {
    this.wait = wait;
  }

  void add(Follower<?> follower) {
    followers.add(follower);
  }

  /** Why one of the entries cannot be written, or null when every fold takes every one. */
  @Nullable String objection(List<Entry> entries) {
    if (followers.isEmpty() || entries.isEmpty() || !stages.tryAcquire()) {
      return null;
    }
    var task = new FutureTask<>(() -> play(entries));
    Thread.ofPlatform() // a virtual one that never returns would keep a processor from all others
        .daemon()
        .name("rehearsal")
        .start(() -> {
          try {
            task.run();
          } finally {
            stages.release();
          }
        });
    try {
      var objection = task.get(wait.toNanos(), TimeUnit.NANOSECONDS);
      return objection.isEmpty() ? null : objection;
    } catch (TimeoutException e) {
      return Check.message(
          "entries from " + entries.getFirst().key() + " on",
          "not applied in " + wait,
          "followers that can take them");
    } catch (ExecutionException e) {
      return "a rehearsal failed: " + Check.printable("" + e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null; // whoever waits for the writer next is interrupted there
    }
  }

  private String play(List<Entry> entries) {
    for (var follower : followers) {
      var objection = follower.objection(entries);
      if (objection != null) {
        return objection;
      }
    }
    return "";
  }
}
