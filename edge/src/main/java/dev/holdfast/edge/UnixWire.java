package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.limits.Check;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * Each message one datagram to a socket in the file system. Nothing is connected, so a log daemon
 * may restart; what it does not take at once is refused. Confined to the log's thread.
 */
final class UnixWire implements SyslogSink.Wire {
  private static final System.Logger LOG = System.getLogger(AccessLog.class.getName());
  private static final int DATAGRAM_BYTES_MAX = 32 * 1024;

  private final Socket socket;
  private final byte[] path;
  private final ByteBuffer datagram = ByteBuffer.allocateDirect(DATAGRAM_BYTES_MAX);
  private boolean broken;

  private UnixWire(Socket socket, byte[] path) {
    this.socket = socket;
    this.path = path;
  }

  static UnixWire open(Path path) throws IOException {
    if (!Epoll.isAvailable()) {
      throw new IOException(
          Check.message(
              "syslog socket", path, "a machine that loads the native transport, or UDP or TCP"));
    }
    return new UnixWire(Socket.newSocketDomainDgram(), path.toString().getBytes(UTF_8));
  }

  @Override
  public boolean send(LineBuffer message) {
    datagram.clear();
    datagram.put(message.bytes, 0, Math.min(message.length, DATAGRAM_BYTES_MAX)).flip();
    try {
      boolean taken = socket.sendToDomainSocket(datagram, 0, datagram.limit(), path) > 0;
      broken &= !taken;
      return taken;
    } catch (IOException e) {
      if (!broken) {
        LOG.log(Level.WARNING, "the syslog socket does not take messages", e);
      }
      broken = true;
      return false;
    }
  }

  @Override
  public void flush() {
    // nothing waits
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "a syslog socket did not close in order", e);
    }
  }
}
