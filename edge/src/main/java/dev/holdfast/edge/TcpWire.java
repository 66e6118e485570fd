package dev.holdfast.edge;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Messages with their length in front over one connection (RFC 6587 section 3.4.1). What waits for
 * the connection is bounded, and a message that broke off is sent again whole over the next one.
 * Confined to the log's thread.
 *
 * <pre>
 * waiting: [ sent | partly sent message | messages | free ]
 *            0      frame                            position
 * </pre>
 */
final class TcpWire implements SyslogSink.Wire {
  private static final System.Logger LOG = System.getLogger(AccessLog.class.getName());
  private static final int WAITING_BYTES_MAX = 1 << 20;

  private final Dial dial;
  private final ByteBuffer waiting = ByteBuffer.allocateDirect(WAITING_BYTES_MAX);
  private @Nullable SocketChannel channel;
  private boolean connected;
  private int sent;
  private int frame;

  TcpWire(String host, int port, Time time) {
    dial = new Dial(host, port, time);
    flush();
  }

  @Override
  public boolean send(LineBuffer message) {
    var length = Integer.toString(message.length).getBytes(StandardCharsets.ISO_8859_1);
    int needed = length.length + 1 + message.length;
    if (waiting.remaining() < needed) {
      flush();
      if (waiting.remaining() < needed) {
        return false;
      }
    }
    waiting.put(length).put((byte) ' ').put(message.bytes, 0, message.length);
    return true;
  }

  @Override
  public void flush() {
    try {
      if (connect()) {
        write();
      }
    } catch (IOException e) {
      LOG.log(Level.WARNING, "the connection to syslog broke or was refused: {0}", e.getMessage());
      close();
      dial.failed();
    }
  }

  private boolean connect() throws IOException {
    var open = channel;
    if (open == null) {
      var address = dial.due();
      if (address == null) {
        return false;
      }
      open = SocketChannel.open();
      channel = open;
      open.configureBlocking(false);
      connected = open.connect(address);
    }
    if (!connected) {
      connected = open.finishConnect();
    }
    return connected;
  }

  private void write() throws IOException {
    var open = channel;
    if (open == null) {
      return;
    }
    if (waiting.position() == sent) {
      expectOpen(open);
      return;
    }
    var out = waiting.duplicate().flip().position(sent);
    while (out.hasRemaining() && open.write(out) > 0) {
      sent = out.position();
      dial.reached();
    }
    while (frame < sent) {
      int next = frame + frameBytes(frame);
      if (next > sent) {
        break;
      }
      frame = next;
    }
    compact();
  }

  /** Whether the other side has ended, which nothing but reading tells; what it says is ignored. */
  private static void expectOpen(SocketChannel open) throws IOException {
    if (open.read(ByteBuffer.allocate(64)) < 0) {
      throw new IOException("closed by the other side");
    }
  }

  private int frameBytes(int at) {
    int length = 0;
    int i = at;
    for (; waiting.get(i) != ' '; i++) {
      length = 10 * length + waiting.get(i) - '0';
    }
    return i + 1 - at + length;
  }

  /** Takes what is sent for good out, once it is half of the room or all there is. */
  private void compact() {
    if (frame > WAITING_BYTES_MAX / 2 || frame == waiting.position()) {
      waiting.flip().position(frame);
      waiting.compact();
      sent -= frame;
      frame = 0;
    }
  }

  @Override
  public void close() {
    var open = channel;
    channel = null;
    connected = false;
    sent = frame;
    if (open != null) {
      try {
        open.close();
      } catch (IOException e) {
        LOG.log(Level.DEBUG, "a syslog connection did not close in order", e);
      }
    }
  }
}
