package dev.holdfast.server;

import dev.holdfast.limits.Time;
import io.javalin.http.Context;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The open streams, each written by a virtual thread of its own. One whose reader takes nothing for
 * a while is cut off, so that it holds neither memory nor a place; it resumes when it comes back.
 * Thread-safe.
 */
final class StreamOuts {
  /** How long one write may take. */
  static final Duration STALL = Duration.ofSeconds(10);

  private final Time time;
  private final Duration stall;
  private final Set<Out> open = ConcurrentHashMap.newKeySet();

  StreamOuts(Time time, Duration stall) {
    this.time = time;
    this.stall = stall;
  }

  /** One stream. Confined to its thread, but for being cut off. */
  final class Out implements AutoCloseable {
    private static final long IDLE = Long.MIN_VALUE;

    private final OutputStream stream;
    private final Thread writer = Thread.currentThread();
    private volatile long since = IDLE;

    private Out(OutputStream stream) {
      this.stream = stream;
    }

    void write(byte[] bytes) throws IOException {
      since = time.nanos();
      stream.write(bytes);
      since = IDLE;
    }

    void write(byte[] bytes, int length) throws IOException {
      since = time.nanos();
      stream.write(bytes, 0, length);
      since = IDLE;
    }

    void flush() throws IOException {
      since = time.nanos();
      stream.flush();
      since = IDLE;
    }

    @Override
    public void close() {
      open.remove(this);
    }
  }

  /**
   * Begins the answer. It goes past whatever compresses answers, which would keep lines back until
   * it has enough of them.
   */
  Out open(Context context, String media) throws IOException {
    context.status(200).contentType(media).header("Cache-Control", "no-store");
    context.res().setStatus(200);
    return open(context.res().getOutputStream());
  }

  Out open(OutputStream stream) {
    var out = new Out(stream);
    open.add(out);
    return out;
  }

  int count() {
    return open.size();
  }

  /** Cuts off whoever takes too long. Called once a second or so. */
  void look() {
    long now = time.nanos();
    for (var out : open) {
      long since = out.since;
      if (since != Out.IDLE && now - since > stall.toNanos()) {
        out.writer.interrupt();
      }
    }
  }
}
