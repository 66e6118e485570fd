package dev.holdfast.edge;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.System.Logger.Level;

/**
 * Lines into a stream. A stream that nobody reads holds up the log's thread, and lines are dropped
 * in the lanes then. Confined to the log's thread, but for the count.
 */
final class StreamSink implements AccessSink {
  private static final System.Logger LOG = System.getLogger(AccessLog.class.getName());
  private static final int PENDING_BYTES_MAX = 64 * 1024;

  private final OutputStream out;
  private final LineBuffer pending = new LineBuffer();
  private long pendingLines;
  private boolean broken;
  private volatile long dropped;

  StreamSink(OutputStream out) {
    this.out = out;
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
    try {
      out.write(pending.bytes, 0, pending.length);
      out.flush();
      broken = false;
    } catch (IOException e) {
      dropped += pendingLines;
      if (!broken) {
        LOG.log(Level.WARNING, "the access log cannot be written to the output", e);
      }
      broken = true;
    }
    pending.clear();
    pendingLines = 0;
  }

  @Override
  public long dropped() {
    return dropped;
  }

  @Override
  public void close() {
    flush(); // the stream is not ours
  }
}
