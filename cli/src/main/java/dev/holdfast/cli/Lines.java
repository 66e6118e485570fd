package dev.holdfast.cli;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** A stream of JSON objects, one per line; blank lines are heartbeats. Confined to one thread. */
final class Lines implements AutoCloseable {
  /** Longest line; a ledger entry's payload is at most 1 MiB before it is escaped. */
  static final int LINE_BYTES_MAX = 8 << 20;

  private final BufferedInputStream in;

  Lines(InputStream in) {
    this.in = new BufferedInputStream(in, 64 << 10);
  }

  /**
   * The next line's bytes, empty for a heartbeat; null at the end of the stream. A line that the
   * end cuts off is left out.
   *
   * @throws Absent when the stream breaks
   */
  byte @Nullable [] next() {
    var line = new ByteArrayOutputStream(512);
    try {
      for (int b; (b = in.read()) >= 0; ) {
        if (b == '\n') {
          return line.toByteArray();
        }
        if (line.size() >= LINE_BYTES_MAX) {
          throw new Refused(
              "A line of the stream is longer than " + Text.size(LINE_BYTES_MAX) + ".");
        }
        line.write(b);
      }
      return null;
    } catch (IOException e) {
      throw new Absent("The stream broke: " + Text.oneLine(String.valueOf(e.getMessage())) + ".");
    }
  }

  @Override
  public void close() {
    try {
      in.close();
    } catch (IOException e) {
      // It was only read.
    }
  }
}
