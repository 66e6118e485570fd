package dev.holdfast.ledger;

import dev.holdfast.limits.Time;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Reads lines of bounded length, and remembers when it last heard anything. Confined to one thread,
 * but for {@link #close} and {@link #heardNanos}.
 */
final class HttpLines implements Closeable {
  private static final int BUFFER_BYTES = 1 << 15;

  private final InputStream wire;
  private final Time time;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private byte[] line = new byte[BUFFER_BYTES];
  private @Nullable InputStream in;
  private final boolean packed;
  private int next;
  private int limit;
  private volatile long heardNanos;

  HttpLines(InputStream wire, boolean packed, Time time) {
    this.wire = wire;
    this.packed = packed;
    this.time = time;
    heardNanos = time.nanos();
  }

  /** When the last bytes came. */
  long heardNanos() {
    return heardNanos;
  }

  /**
   * The next line that means something, or null at the end.
   *
   * @throws IOException when the connection broke, or a line is too long or cannot be read
   */
  @Nullable StreamLine next() throws IOException {
    while (true) {
      int length = 0;
      int b;
      while ((b = read()) != '\n') {
        if (b < 0) {
          return null;
        }
        if (length == line.length) {
          if (length >= StreamLine.BYTES_MAX) {
            throw new IOException("a line of more than " + StreamLine.BYTES_MAX + " bytes");
          }
          line = Arrays.copyOf(line, Math.min(2 * length, StreamLine.BYTES_MAX));
        }
        line[length++] = (byte) b;
      }
      var found = StreamLine.of(line, length);
      if (found != null) {
        return found;
      }
    }
  }

  private int read() throws IOException {
    if (next == limit) {
      var source = in;
      if (source == null) { // not before: it reads, which may take a while
        source = packed ? new GZIPInputStream(wire, BUFFER_BYTES) : wire;
        in = source;
      }
      limit = source.read(buffer);
      next = 0;
      heardNanos = time.nanos();
      if (limit <= 0) {
        limit = 0;
        return -1;
      }
    }
    return buffer[next++];
  }

  @Override
  public void close() throws IOException {
    wire.close();
  }
}
