package dev.holdfast.edge;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;

import dev.holdfast.limits.Backoff;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Lines into a file that is put aside before it grows too large. A file that cannot be written
 * costs lines, which are counted, and is tried again. Confined to the log's thread, but for the
 * count.
 */
final class FileSink implements AccessSink {
  private static final System.Logger LOG = System.getLogger(AccessLog.class.getName());
  private static final int PENDING_BYTES_MAX = 256 * 1024;
  private static final Backoff TRIES =
      Backoff.fullJitter(Duration.ofSeconds(1), Duration.ofSeconds(10));

  private final AccessLogConfig.Sink.File config;
  private final Time time;
  private final LineBuffer pending = new LineBuffer();
  private @Nullable FileChannel channel;
  private long size;
  private long pendingLines;
  private int failures;
  private long nextTryNanos;
  private volatile long dropped;

  private FileSink(AccessLogConfig.Sink.File config, Time time) {
    this.config = config;
    this.time = time;
  }

  static FileSink open(AccessLogConfig.Sink.File config, Time time) throws IOException {
    var sink = new FileSink(config, time);
    try {
      sink.channel();
    } catch (IOException e) {
      throw new IOException(
          Check.message(
              "access log", config.path() + ": " + e.getMessage(), "a file that can be written"),
          e);
    }
    return sink;
  }

  @Override
  public void line(LineBuffer line, int prefix, AccessRecord record) {
    pending.raw(line.bytes, 0, line.length).octet('\n');
    pendingLines++;
    if (pending.length >= PENDING_BYTES_MAX) {
      flush();
    }
  }

  @Override
  @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes, others look
  public void flush() {
    if (pending.length == 0) {
      return;
    }
    if (failures > 0 && time.nanos() - nextTryNanos < 0) {
      dropped += pendingLines;
    } else {
      try {
        write();
        failures = 0;
      } catch (IOException e) {
        dropped += pendingLines;
        failed(e);
      }
    }
    pending.clear();
    pendingLines = 0;
  }

  private void write() throws IOException {
    var open = channel();
    if (size > 0 && size + pending.length > config.bytesMax()) {
      putAside(open);
      open = channel();
    }
    var bytes = ByteBuffer.wrap(pending.bytes, 0, pending.length);
    while (bytes.hasRemaining()) {
      size += open.write(bytes);
    }
  }

  private void failed(IOException cause) {
    if (failures == 0) {
      LOG.log(Level.WARNING, "the access log " + config.path() + " cannot be written", cause);
    }
    failures++;
    nextTryNanos = time.nanos() + TRIES.delay(failures, time.random()).toNanos();
    shut();
  }

  private FileChannel channel() throws IOException {
    var open = channel;
    if (open == null) {
      open = FileChannel.open(config.path(), CREATE, WRITE, APPEND);
      channel = open;
      size = open.size();
    }
    return open;
  }

  /** The file becomes .1, what was .1 becomes .2, and the oldest goes. */
  private void putAside(FileChannel open) throws IOException {
    open.close();
    channel = null;
    if (config.keep() == 0) {
      Files.deleteIfExists(config.path());
      return;
    }
    for (int i = config.keep() - 1; i >= 1; i--) {
      if (Files.exists(old(i))) {
        Files.move(old(i), old(i + 1), REPLACE_EXISTING);
      }
    }
    Files.move(config.path(), old(1), REPLACE_EXISTING);
  }

  private Path old(int i) {
    return config.path().resolveSibling(config.path().getFileName() + "." + i);
  }

  private void shut() {
    var open = channel;
    channel = null;
    if (open != null) {
      try {
        open.close();
      } catch (IOException e) {
        LOG.log(Level.DEBUG, "the access log did not close in order", e);
      }
    }
  }

  @Override
  public long dropped() {
    return dropped;
  }

  @Override
  public void close() {
    flush();
    shut();
  }
}
