package dev.holdfast.ledger;

import dev.holdfast.limits.Backoff;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Supervised;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The ledger of a control node, followed over HTTP by one follower. Thread-safe.
 *
 * <p>At most one connection is open at a time: the stream, or a snapshot while one is taken. A
 * thread of its own keeps the stream going. What does not answer, says nothing for {@link
 * HttpFeedConfig#silence}, or leaves a gap, is given up, and the next address is asked after a wait
 * with full jitter; that goes on for ever. What has come waits here, within bounds, until the
 * follower takes it; a follower that asks for what is not here (it read a gap again, or took a
 * snapshot) moves the stream there.
 */
public final class HttpFeed implements Feed, AutoCloseable {
  private static final Logger LOG = Logger.getLogger(HttpFeed.class.getName());
  private static final long NOWHERE = -1;
  private static final Backoff RETRY =
      Backoff.fullJitter(Duration.ofMillis(100), Duration.ofSeconds(5));

  private final HttpFeedConfig config;
  private final Time time;
  private final HttpClient http;
  private final Supervised reader;
  private final Supervised watchdog;
  private final ReentrantLock one = new ReentrantLock(); // held by who has the connection

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ArrayDeque<Sealed> buffer = new ArrayDeque<>(); // guarded by lock
  private long bufferBytes; // guarded by lock
  private long tail = NOWHERE; // guarded by lock; position up to which it was read
  private @Nullable HistoryGone gone; // guarded by lock
  private @Nullable String ledger; // guarded by lock; whose positions these are
  private long floor; // guarded by lock; where the control node's history begins
  private int control; // guarded by lock; index of the address that is asked
  private boolean closed; // guarded by lock
  private long reading = NOWHERE; // confined to the reader; up to where its stream was read
  private volatile @Nullable HttpLines current;
  private volatile @Nullable Heard heard;
  private volatile @Nullable Beacon beacon;

  /**
   * What a control node said last.
   *
   * @param control who said it
   * @param head its head
   * @param position position to which the digests belong
   * @param digests sum of what every live key of a kind adds to a digest, by kind; may be empty
   * @param at when it said so, by its own clock
   * @param nanos when it came, by {@link Time#nanos}
   */
  public record Heard(
      URI control, long head, long position, Map<String, Long> digests, Instant at, long nanos) {}

  /** A feed that has asked nothing yet; {@link #start} sets it going. */
  public HttpFeed(HttpFeedConfig config, Time time) {
    this("feed", config, time);
  }

  /** The same, and what its parts are called. */
  public HttpFeed(String name, HttpFeedConfig config, Time time) {
    this.config = config;
    this.time = time;
    http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(config.connectTimeout())
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .build();
    reader = Supervised.virtual(name + "-reader", time, _ -> run());
    watchdog = Supervised.virtual(name + "-watchdog", time, _ -> watch());
  }

  /** Starts to read as soon as a follower asks. */
  public void start() {
    reader.start();
    watchdog.start();
  }

  /** The background parts, for who reports how they are. */
  public List<Supervised> parts() {
    return List.of(reader, watchdog);
  }

  /** What a control node said last, or null when none ever did. */
  public @Nullable Heard heard() {
    return heard;
  }

  @Override
  public long snapshot(Consumer<Sealed> each) throws StoreException {
    interruptStream();
    one.lock();
    try {
      var at = address();
      try (var lines = open(at, "/v1/ledger/snapshot" + config.part("?"), true)) {
        long position = snapshot(lines, each);
        return position;
      } catch (IOException | StoreException e) {
        next();
        throw new StoreException(at + " gave no snapshot: " + e.getMessage(), e);
      }
    } finally {
      current = null;
      one.unlock();
    }
  }

  private long snapshot(HttpLines lines, Consumer<Sealed> each) throws IOException {
    long entries = 0;
    StreamLine line;
    while ((line = lines.next()) != null) {
      switch (line) {
        case StreamLine.One(var sealed) -> {
          each.accept(sealed);
          entries++;
        }
        case StreamLine.End(var id, var position, var count) -> {
          if (count != entries) {
            throw new IOException(Check.message("entries", entries, String.valueOf(count)));
          }
          move(id, position);
          return position;
        }
        case StreamLine.Hello _, StreamLine.Beat _ -> {}
      }
    }
    throw new IOException("it ended early");
  }

  @Override
  public List<Sealed> read(long after, int max) throws StoreException {
    lock.lock();
    try {
      var reason = gone;
      if (reason != null) {
        throw new HistoryGone(String.valueOf(reason.getMessage()));
      }
      place(after);
      var taken = new ArrayList<Sealed>();
      long left = config.silence().toNanos();
      while (buffer.isEmpty() && left > 0 && !closed && gone == null) {
        left = changed.awaitNanos(left);
      }
      while (taken.size() < max && !buffer.isEmpty()) {
        var sealed = buffer.remove();
        bufferBytes -= sealed.envelope().length();
        taken.add(sealed);
      }
      changed.signalAll();
      if (taken.isEmpty()) {
        throw new StoreException("nothing came after " + after + " in " + config.silence());
      }
      return taken;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException("interrupted while waiting for what follows " + after, e);
    } finally {
      lock.unlock();
    }
  }

  /**
   * As {@link Feed#awaitBeyond}; the head is what has come, since what is only known to be there
   * cannot be read.
   */
  @Override
  public long awaitBeyond(long position, Duration wait) throws InterruptedException {
    lock.lock();
    try {
      place(position);
      long left = wait.toNanos();
      while (buffer.isEmpty() && gone == null && left > 0 && !closed) {
        left = changed.awaitNanos(left);
      }
      if (gone != null) {
        return position + 1; // so that it reads, and is told
      }
      return buffer.isEmpty() ? position : tail;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public @Nullable Beacon beacon() {
    return beacon;
  }

  @Override
  public boolean beats() {
    return true;
  }

  /** Position of the oldest entry that can be read; none can when a snapshot has to be taken. */
  @Override
  public long oldest() {
    lock.lock();
    try {
      return gone == null ? floor + 1 : Long.MAX_VALUE;
    } finally {
      lock.unlock();
    }
  }

  /** Ends the connection and waits for its thread, within a bound. Idempotent. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    reader.end();
    interruptStream();
    watchdog.close(Duration.ZERO);
    reader.close(config.silence());
    http.shutdownNow();
  }

  /** Makes what follows {@code after} the next that is handed over. Holds the lock. */
  private void place(long after) {
    while (!buffer.isEmpty() && buffer.element().position() <= after) {
      bufferBytes -= buffer.remove().envelope().length();
    }
    long next = buffer.isEmpty() ? tail + 1 : buffer.element().position();
    if (next != after + 1 && gone == null) {
      clear(after);
      interruptStream();
    }
  }

  /** From here on, of that ledger. */
  private void move(String id, long position) {
    lock.lock();
    try {
      ledger = id;
      gone = null;
      clear(position);
    } finally {
      lock.unlock();
    }
  }

  private void clear(long position) {
    buffer.clear();
    bufferBytes = 0;
    tail = position;
    changed.signalAll();
  }

  // ---- the connection

  private void run() throws InterruptedException {
    int failures = 0;
    while (awaitWanted()) {
      boolean well = false;
      reading = NOWHERE;
      one.lockInterruptibly();
      try {
        well = follow();
      } catch (IOException | StoreException e) {
        LOG.log(Level.FINE, "the stream of " + address() + " broke", e);
      } finally {
        current = null;
        one.unlock();
      }
      if (reading != NOWHERE && !wanted(reading)) {
        failures = 0; // the follower moved: nobody failed
      } else {
        failures = well ? 1 : failures + 1;
        next();
        time.sleep(RETRY.delay(failures, time.random()));
      }
    }
  }

  /** Waits until somebody wants what follows a position; false at the end. */
  private boolean awaitWanted() throws InterruptedException {
    lock.lock();
    try {
      while (!closed && (tail == NOWHERE || gone != null)) {
        changed.await();
      }
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  /** Reads the stream to its end; whether anything of use came. */
  private boolean follow() throws IOException, StoreException, InterruptedException {
    var at = address();
    long from;
    String path;
    lock.lock();
    try {
      from = tail;
      reading = from;
      path = "/v1/ledger?since=" + from + "&heartbeat=" + config.heartbeat().toMillis();
      path += (ledger == null ? "" : "&ledger=" + ledger) + config.part("&");
    } finally {
      lock.unlock();
    }
    boolean any = false;
    try (var lines = open(at, path, false)) {
      StreamLine line;
      while (wanted(from) && (line = lines.next()) != null) {
        any = true;
        switch (line) {
          case StreamLine.Hello hello -> hello(hello);
          case StreamLine.Beat(var head, var position, var digests, var said) -> {
            heard = new Heard(at, head, position, digests, said, time.nanos());
            beacon = new Beacon(head, position, digests, said);
          }
          case StreamLine.One(var sealed) -> {
            if (!add(from, sealed)) {
              return true;
            }
            from = sealed.position();
            reading = from;
          }
          case StreamLine.End _ -> {}
        }
      }
    } catch (HistoryGone e) {
      lock.lock();
      try {
        gone = e;
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }
    return any;
  }

  /** Whether the follower still wants what comes after that position; it may have moved. */
  private boolean wanted(long after) {
    lock.lock();
    try {
      return tail == after && !closed;
    } finally {
      lock.unlock();
    }
  }

  private void hello(StreamLine.Hello hello) throws HistoryGone {
    lock.lock();
    try {
      if (ledger == null) {
        ledger = hello.ledger();
      } else if (!ledger.equals(hello.ledger())) {
        throw new HistoryGone(Check.message("ledger", hello.ledger(), ledger));
      }
      floor = hello.floor();
    } finally {
      lock.unlock();
    }
  }

  /** Keeps the entry once there is room; false when the follower wants another place. */
  private boolean add(long after, Sealed sealed) throws IOException, InterruptedException {
    if (sealed.position() != after + 1) {
      throw new IOException(Check.message("position", sealed.position(), "" + (after + 1)));
    }
    lock.lock();
    try {
      while (tail == after
          && !closed
          && (buffer.size() >= config.entriesMax()
              || (bufferBytes > config.bytesMax() && !buffer.isEmpty()))) {
        changed.await();
      }
      if (tail != after || closed) {
        return false;
      }
      buffer.add(sealed);
      bufferBytes += sealed.envelope().length();
      tail = sealed.position();
      changed.signalAll();
      return true;
    } finally {
      lock.unlock();
    }
  }

  private HttpLines open(URI at, String path, boolean packed) throws IOException, StoreException {
    var request =
        HttpRequest.newBuilder(at.resolve(path))
            .timeout(config.silence().multipliedBy(packed ? 6 : 1)) // a snapshot has to be made
            .header("Authorization", "Bearer " + config.token())
            .header("Accept", "application/x-ndjson");
    if (packed) {
      request.header("Accept-Encoding", "gzip");
    }
    HttpResponse<InputStream> answer;
    try {
      answer = http.send(request.build(), BodyHandlers.ofInputStream());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    if (answer.statusCode() != 200) {
      answer.body().close();
      if (answer.statusCode() == 410) {
        throw new HistoryGone(at + " does not have the entries any more");
      }
      if (answer.statusCode() == 401 || answer.statusCode() == 403) {
        LOG.warning(at + " does not know the follower's token: " + answer.statusCode());
      }
      throw new IOException(at + " answered " + answer.statusCode());
    }
    boolean gzip = answer.headers().firstValue("Content-Encoding").orElse("").equals("gzip");
    var lines = new HttpLines(answer.body(), gzip, time);
    current = lines;
    return lines;
  }

  private URI address() {
    lock.lock();
    try {
      return config.controls().get(control);
    } finally {
      lock.unlock();
    }
  }

  private void next() {
    lock.lock();
    try {
      control = (control + 1) % config.controls().size();
    } finally {
      lock.unlock();
    }
  }

  /** Gives up connections that have fallen silent. */
  private void watch() throws InterruptedException {
    while (true) {
      time.sleep(config.silence().dividedBy(5));
      var lines = current;
      if (lines != null
          && !full()
          && time.nanos() - lines.heardNanos() > config.silence().toNanos()) {
        LOG.fine("no word in " + config.silence() + ": another connection");
        interruptStream();
      }
    }
  }

  /** Whether nothing is heard because nobody listens. */
  private boolean full() {
    lock.lock();
    try {
      return buffer.size() >= config.entriesMax() || bufferBytes > config.bytesMax();
    } finally {
      lock.unlock();
    }
  }

  private void interruptStream() {
    var lines = current;
    if (lines != null) {
      try {
        lines.close();
      } catch (IOException e) {
        LOG.log(Level.FINE, "a connection did not close", e);
      }
    }
  }
}
