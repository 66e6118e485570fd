package dev.holdfast.limits;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One of the platform's own background parts with its supervisor: a thread that is started again
 * when it dies, whatever it died of, after 1, 2, 4, 8, 16, 32 and then every 60 s (each ± 20 %).
 * From the fifth death in a row on it is degraded, which is said aloud, and tried all the same: it
 * takes nobody down with it. Ten minutes up forgive everything. What a part expects to fail, such
 * as a disk, it tries again by itself; only what it did not expect is a death, and so is an end
 * that nobody asked for. Thread-safe.
 *
 * <p>A part that works on one thing after another may say on which ({@link #on}). A thing that it
 * dies of twice in the same way is left out for an hour ({@link #shuns}).
 */
public final class Supervised implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Supervised.class.getName());
  private static final int FRAMES = 3;
  private static final Duration CLOSE_WAIT = Duration.ofSeconds(5);

  private final String name;
  private final Time time;
  private final Body body;
  private final Thread thread;
  private final AtomicBoolean begun = new AtomicBoolean();
  private final ReentrantLock lock = new ReentrantLock();
  private final Restarts restarts = new Restarts(); // guarded by lock
  private @Nullable String cause; // guarded by lock; of the last death
  private @Nullable Instant diedAt; // guarded by lock
  private @Nullable Instant nextStartAt; // guarded by lock
  private @Nullable String input; // confined to the part's thread
  private volatile boolean shunsAny;
  private volatile boolean resting;
  private volatile boolean closed;

  /** How a part stands. */
  public enum State {
    /** It works. */
    RUNNING,
    /** It died and is started again soon. */
    BACKOFF,
    /** It died five times in a row; it is still tried. */
    DEGRADED,
    /** It was closed, or never started. */
    STOPPED;

    /** As people read it. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** What a part does until it is closed. */
  @FunctionalInterface
  public interface Body {
    /**
     * Works until {@code self} is {@link Supervised#closed}, or the thread is interrupted.
     *
     * @throws Exception what it dies of
     */
    void run(Supervised self) throws Exception;
  }

  /**
   * How a part is.
   *
   * @param starts how often it was started
   * @param failures deaths in a row; 0 after ten minutes up
   * @param cause what it died of last, or null
   * @param diedAt when that was, or null
   * @param nextStartAt when it is started again, or null while it runs
   * @param shunned inputs that it leaves out
   */
  public record Report(
      String name,
      State state,
      long starts,
      int failures,
      @Nullable String cause,
      @Nullable Instant diedAt,
      @Nullable Instant nextStartAt,
      List<String> shunned) {}

  private Supervised(String name, Time time, Thread.Builder builder, Body body) {
    this.name = name;
    this.time = time;
    this.body = body;
    thread = builder.name(name).unstarted(this::run);
  }

  /** A part on a virtual thread. */
  public static Supervised virtual(String name, Time time, Body body) {
    return new Supervised(name, time, Thread.ofVirtual(), body);
  }

  /** A part on a thread of the system, which works long without waiting, or calls native code. */
  public static Supervised platform(String name, Time time, Body body) {
    return new Supervised(name, time, Thread.ofPlatform().daemon(), body);
  }

  /** Starts it. Idempotent. */
  public Supervised start() {
    if (!closed && begun.compareAndSet(false, true)) {
      thread.start();
    }
    return this;
  }

  /** Whether it is asked to end. */
  public boolean closed() {
    return closed;
  }

  /** The thread on which it runs, for who has to wake it. */
  public Thread thread() {
    return thread;
  }

  /** Says what the part works on from now on; null when it is done. Called by the part itself. */
  public void on(@Nullable String what) {
    input = what;
  }

  /** Whether that is left out, since the part died of it before. */
  public boolean shuns(String what) {
    if (!shunsAny) {
      return false;
    }
    lock.lock();
    try {
      return restarts.shuns(what, time.nanos());
    } finally {
      lock.unlock();
    }
  }

  /** How it is. */
  public Report report() {
    long now = time.nanos();
    lock.lock();
    try {
      return new Report(
          name,
          closed || !begun.get() ? State.STOPPED : restarts.state(now),
          restarts.starts(),
          restarts.failures(now),
          cause,
          diedAt,
          closed ? null : nextStartAt,
          restarts.shunned(now));
    } finally {
      lock.unlock();
    }
  }

  @SuppressWarnings("CatchThrowable") // this is what it is for
  void run() {
    begun.set(true); // a test runs it on a thread of its own
    while (!closed) {
      began();
      Throwable end;
      try {
        body.run(this);
        end = new IllegalStateException("it ended although nobody asked it to");
      } catch (Throwable t) {
        end = t;
      }
      if (closed) {
        return;
      }
      var wait = died(end);
      input = null;
      resting = true;
      try {
        if (!closed) {
          time.sleep(wait);
        }
      } catch (InterruptedException e) {
        LOG.log(Level.DEBUG, "part {0} was woken early", name); // closed, or tried a little sooner
      }
      resting = false;
    }
  }

  private void began() {
    lock.lock();
    try {
      restarts.started(time.nanos());
      nextStartAt = null;
    } finally {
      lock.unlock();
    }
  }

  private Duration died(Throwable of) {
    Duration wait;
    int failures;
    boolean degraded;
    var worked = input;
    boolean shunned;
    lock.lock();
    try {
      long now = time.nanos();
      wait = restarts.died(now, signature(of), worked, time.random());
      failures = restarts.failures(now);
      degraded = restarts.state(now) == State.DEGRADED;
      shunned = worked != null && restarts.shuns(worked, now);
      shunsAny = shunsAny || shunned;
      cause = Check.printable(String.valueOf(of));
      diedAt = time.now();
      nextStartAt = diedAt.plus(wait);
    } finally {
      lock.unlock();
    }
    var text =
        "part %s died%s, %d in a row; %sit is started again in %.1f s"
            .formatted(
                name,
                worked == null
                    ? ""
                    : " of " + worked + (shunned ? ", which is left out from now on" : ""),
                failures,
                degraded ? "it is DEGRADED, the others go on, and " : "",
                wait.toNanos() / 1e9);
    if (failures == 1 || failures == Restarts.DEGRADED_AT) {
      LOG.log(degraded ? Level.ERROR : Level.WARNING, text, of);
    } else { // the trace stands above already
      LOG.log(degraded ? Level.ERROR : Level.WARNING, text + ": " + Check.printable("" + of));
    }
    return wait;
  }

  private static String signature(Throwable of) {
    var text = new StringBuilder(of.getClass().getName());
    var frames = of.getStackTrace();
    for (int i = 0; i < Math.min(FRAMES, frames.length); i++) {
      text.append(' ').append(frames[i]);
    }
    return text.toString();
  }

  /** Ends it and waits for its thread for some seconds. Idempotent. */
  @Override
  public void close() {
    close(CLOSE_WAIT);
  }

  /** Ends it and waits for its thread for at most that long. Idempotent. */
  public void close(Duration wait) {
    closed = true;
    thread.interrupt();
    join(wait);
  }

  /** Ends it once it looks, without an interrupt of its work; the caller wakes it there. */
  public void end() {
    closed = true;
    if (resting) {
      thread.interrupt();
    }
  }

  /** Waits for its thread. */
  public void join(Duration wait) {
    if (!begun.get() || thread.equals(Thread.currentThread())) {
      return;
    }
    try {
      thread.join(wait);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
