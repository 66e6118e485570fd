package dev.holdfast.server;

import dev.holdfast.ledger.Feed;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Time;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Snapshots of what may leave the control node, each written to a file once and read by all who
 * come while it is fresh: a crowd of followers costs the store one pass, and a slow one none of its
 * readers. What is newer they get from the stream. Thread-safe.
 */
final class LedgerSnapshots {
  /** A snapshot is given out again while it is at most so old ... */
  static final Duration AGE_MAX = Duration.ofSeconds(10);

  /** ... and at most so many entries behind. */
  static final long BEHIND_MAX = 1_000;

  private static final int BUFFER_BYTES = 1 << 16;

  private final Ledger ledger;
  private final Feed feed;
  private final StreamLines lines;
  private final Path file;
  private final Time time;
  private final ReentrantLock lock = new ReentrantLock();
  private @Nullable Made made; // guarded by lock

  private record Made(Path file, long position, long at) {}

  /** A snapshot that is open for reading, packed with gzip; the caller closes it. */
  record Opened(InputStream stream, long position, long bytes) {}

  /**
   * None is made yet.
   *
   * @param file where they are written
   */
  LedgerSnapshots(Ledger ledger, Feed feed, StreamLines lines, Path file, Time time) {
    this.ledger = ledger;
    this.feed = feed;
    this.lines = lines;
    this.file = file;
    this.time = time;
  }

  /** What a client that has this very snapshot already says in {@code If-None-Match}. */
  String tag(long position) {
    return "W/\"%s-%s-%d\"".formatted(lines.ledger(), file.getFileName(), position);
  }

  /**
   * A fresh snapshot.
   *
   * @throws StoreException when the ledger cannot be read
   * @throws IOException when there is no room for it
   */
  Opened open() throws IOException, StoreException {
    lock.lock();
    try {
      var last = made;
      if (last == null || !fresh(last)) {
        last = make();
        made = last;
      }
      return new Opened(
          Files.newInputStream(last.file()), last.position(), Files.size(last.file()));
    } finally {
      lock.unlock();
    }
  }

  private boolean fresh(Made last) {
    long head = ledger.head();
    return Files.exists(last.file())
        && last.position() >= ledger.floor()
        && (last.position() == head
            || (head - last.position() <= BEHIND_MAX
                && time.nanos() - last.at() <= AGE_MAX.toNanos()));
  }

  private Made make() throws IOException, StoreException {
    Files.createDirectories(file.getParent());
    var fresh = file.resolveSibling(file.getFileName() + ".new");
    long at = time.nanos();
    long position;
    try (var out =
        new Packed(new BufferedOutputStream(Files.newOutputStream(fresh), BUFFER_BYTES))) {
      out.write(lines.hello(ledger.head(), ledger.floor()));
      var entries = new AtomicLong();
      position =
          feed.snapshot(sealed -> {
            byte[] line = lines.live(sealed);
            if (line != null) {
              entries.incrementAndGet();
              write(out, line);
            }
          });
      out.write(lines.end(position, entries.get()));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    // Whoever reads the one before keeps it open; its name may go.
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    return new Made(file, position, at);
  }

  private static void write(OutputStream out, byte[] line) {
    try {
      out.write(line);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Packs fast rather than small. */
  private static final class Packed extends GZIPOutputStream {
    Packed(OutputStream out) throws IOException {
      super(out, BUFFER_BYTES);
      def.setLevel(Deflater.BEST_SPEED);
    }
  }
}
