package dev.holdfast.edge;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import org.jspecify.annotations.Nullable;

/**
 * Each message one datagram (RFC 5426); one that the kernel does not take at once is refused.
 * Confined to the log's thread, but for the count.
 */
final class UdpWire implements SyslogSink.Wire {
  private static final System.Logger LOG = System.getLogger(AccessLog.class.getName());

  /** What receivers of RFC 5426 take beyond doubt is less; longer messages are cut here. */
  private static final int DATAGRAM_BYTES_MAX = 8192;

  private final Dial dial;
  private @Nullable DatagramChannel channel;

  UdpWire(String host, int port, Time time) {
    dial = new Dial(host, port, time);
    flush();
  }

  @Override
  public boolean send(LineBuffer message) {
    flush();
    var open = channel;
    if (open == null) {
      return false;
    }
    try {
      int length = Math.min(message.length, DATAGRAM_BYTES_MAX);
      return open.write(ByteBuffer.wrap(message.bytes, 0, length)) > 0;
    } catch (IOException e) {
      // The host said that nobody listens to an earlier message; it may be back with the next one.
      LOG.log(Level.DEBUG, "a syslog datagram was refused", e);
      return false;
    }
  }

  @Override
  public void flush() {
    if (channel != null) {
      return;
    }
    var address = dial.due();
    if (address == null) {
      return;
    }
    try {
      var fresh = DatagramChannel.open();
      channel = fresh;
      fresh.configureBlocking(false);
      fresh.connect(address);
      dial.reached();
    } catch (IOException e) {
      LOG.log(Level.WARNING, "syslog cannot be reached at " + address, e);
      close();
      dial.failed();
    }
  }

  @Override
  public void close() {
    var open = channel;
    channel = null;
    if (open != null) {
      try {
        open.close();
      } catch (IOException e) {
        LOG.log(Level.DEBUG, "a syslog socket did not close in order", e);
      }
    }
  }
}
