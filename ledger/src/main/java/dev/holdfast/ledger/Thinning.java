package dev.holdfast.ledger;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Makes one base out of a base and the logs behind it: of every key the newest entry, and of a key
 * whose newest entry the fold could not take, the newest that it could, too. What is in memory is
 * the keys of the logs, not those of the base. Confined to one thread; used once.
 */
final class Thinning {
  private static final long CHUNK_BYTES = 1 << 20;

  private final Path base;
  private final List<Path> logs;
  private final Path part;
  private final long bytesPerSecond;
  private final Time time;
  private final BooleanSupplier cancelled;
  private final HashMap<Long, Newest> changed = new HashMap<>();
  private long baseAt;
  private long asOfMillis;
  private long markedAt;
  private long pausedAtBytes;

  private static final class Newest {
    long any;
    long good;
    boolean goodDeletes;
  }

  Thinning(
      Path base,
      List<Path> logs,
      Path part,
      long bytesPerSecond,
      Time time,
      BooleanSupplier cancelled) {
    this.base = base;
    this.logs = logs;
    this.part = part;
    this.bytesPerSecond = bytesPerSecond;
    this.time = time;
    this.cancelled = cancelled;
  }

  /** Writes and flushes it; false when it was cancelled, and nothing is left then. */
  boolean run(long firstLog) throws IOException, InterruptedException {
    for (var log : logs) {
      var _ = FrameFile.read(log, this::look);
    }
    boolean whole = false;
    try (var out = new FrameFile.Out(part, 0)) {
      whole =
          FrameFile.read(
              base, (type, flags, at, word, bytes) -> copyBase(out, type, flags, at, word, bytes));
      for (var log : logs) {
        var _ =
            FrameFile.read(
                log, (type, flags, at, word, bytes) -> copyLog(out, type, flags, at, word, bytes));
      }
      out.mark(new Shelf.Mark(markedAt, asOfMillis));
      out.end(firstLog);
      out.flush();
      out.force();
    } finally {
      if (!whole || cancelled.getAsBoolean()) {
        Files.deleteIfExists(part);
      }
    }
    if (!whole) {
      throw new IOException(base + " is damaged");
    }
    return !cancelled.getAsBoolean();
  }

  private boolean look(int type, int flags, long at, long word, byte[] envelope) {
    if (type == FrameFile.ENTRY) {
      var newest = changed.computeIfAbsent(word, _ -> new Newest());
      newest.any = at;
      if (good(flags)) {
        newest.good = at;
        newest.goodDeletes = (flags & Shelf.DELETED) != 0;
      }
    }
    return !cancelled.getAsBoolean();
  }

  private static boolean good(int flags) {
    return (flags & (Shelf.QUARANTINED | Shelf.SKIPPED)) == 0;
  }

  private boolean copyBase(
      FrameFile.Out out, int type, int flags, long at, long word, byte[] envelope)
      throws IOException {
    if (type == FrameFile.ENTRY) {
      var newest = changed.get(word);
      if (newest == null || (newest.good == 0 && good(flags))) {
        copy(out, flags, at, word, envelope);
      }
    }
    if (type != FrameFile.END) {
      marked(type, at, word);
      baseAt = Math.max(baseAt, at);
    }
    return !cancelled.getAsBoolean();
  }

  private boolean copyLog(
      FrameFile.Out out, int type, int flags, long at, long word, byte[] envelope)
      throws IOException {
    marked(type, at, word);
    var newest = type == FrameFile.ENTRY && at > baseAt ? changed.get(word) : null;
    if (newest != null
        && (at == newest.any || at == newest.good)
        && !(at == newest.good && newest.goodDeletes)) {
      copy(out, flags, at, word, envelope);
    }
    return !cancelled.getAsBoolean();
  }

  private void marked(int type, long at, long word) {
    markedAt = Math.max(markedAt, at);
    if (type == FrameFile.MARK) {
      asOfMillis = word;
    }
  }

  private void copy(FrameFile.Out out, int flags, long at, long word, byte[] envelope)
      throws IOException {
    out.put(FrameFile.ENTRY, flags, at, word, envelope);
    if (out.bytes() - pausedAtBytes >= CHUNK_BYTES) {
      long nanos = (long) ((out.bytes() - pausedAtBytes) * 1e9 / bytesPerSecond);
      pausedAtBytes = out.bytes();
      try {
        time.sleep(Duration.ofNanos(nanos));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }
  }
}
