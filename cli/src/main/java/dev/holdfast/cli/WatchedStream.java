package dev.holdfast.cli;

import static java.util.concurrent.TimeUnit.SECONDS;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.CountDownLatch;

/**
 * A stream that breaks instead of waiting for ever: a watchdog closes it when nothing arrived for
 * three heartbeats. One reader; the watchdog is a virtual thread that ends with the stream.
 */
final class WatchedStream extends FilterInputStream {
  /** The platform sends at least a blank line in this time. */
  static final int HEARTBEAT_SECONDS = 15;

  private static final int SILENT_HEARTBEATS_MAX = 3;

  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile boolean heard;

  WatchedStream(InputStream in) {
    super(in);
    Thread.ofVirtual().name("watchdog").start(this::watch);
  }

  private void watch() {
    try {
      int silent = 0;
      while (!closed.await(HEARTBEAT_SECONDS, SECONDS)) {
        silent = heard ? 0 : silent + 1;
        heard = false;
        if (silent >= SILENT_HEARTBEATS_MAX) {
          in.close();
          return;
        }
      }
    } catch (IOException | InterruptedException e) {
      // Closing failed or the command ends: there is nothing left to watch.
    }
  }

  @Override
  public int read() throws IOException {
    int b = super.read();
    heard = true;
    return b;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    int n = super.read(buffer, offset, length);
    heard = true;
    return n;
  }

  @Override
  public void close() throws IOException {
    closed.countDown();
    super.close();
  }
}
