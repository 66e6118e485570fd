package dev.holdfast.edge;

import dev.holdfast.ledger.Policy;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Two connections that became one after a 101: bytes pass as they come, a side reads only when the
 * other takes, and an end passes in its own direction only. Confined to its event loop.
 */
final class Tunnel {
  /** A close frame with code 1012, service restart (IANA's registry of RFC 6455 section 7.4). */
  private static final byte[] RESTART = {(byte) 0x88, 2, 0x03, (byte) 0xf4};

  /** How long a client may take to answer the close frame. */
  private static final Duration PART_WAIT = Duration.ofSeconds(2);

  private final Exchange exchange;
  private final ClientConnection from;
  private final UpstreamConnection to;
  private final Channel client;
  private final Channel upstream;
  private final Alarm alarm;
  private final long idle;
  private final long endNanos;
  private final FrameBorder border = new FrameBorder();
  private boolean departs;
  private boolean parted;
  private boolean clientEnded;
  private boolean upstreamEnded;
  private boolean closed;

  Tunnel(
      Exchange exchange,
      ClientConnection from,
      UpstreamConnection to,
      long idleNanos,
      long lifeNanos) {
    this.exchange = exchange;
    this.from = from;
    this.to = to;
    client = from.channel();
    upstream = to.channel();
    alarm = from.alarm();
    idle = idleNanos;
    endNanos = exchange.loop().now() + lifeNanos;
  }

  /** A tunnel with the waits of that policy. */
  static Tunnel of(
      Exchange exchange,
      ClientConnection from,
      UpstreamConnection to,
      Policy policy,
      long idleNanos) {
    var idle = policy.tunnelIdleMillis();
    var life = policy.tunnelLifetimeMillis();
    return new Tunnel(
        exchange,
        from,
        to,
        idle == null ? idleNanos : idle * Entry.NANOS_PER_MILLI,
        life == null ? Long.MAX_VALUE / 2 : life * Entry.NANOS_PER_MILLI);
  }

  /** Passes on what came glued to the request and to the 101, then reads. */
  void start(@Nullable ByteBuf fromClient, @Nullable ByteBuf fromUpstream) {
    touched();
    if (fromClient != null) {
      data(true, fromClient);
    }
    if (fromUpstream != null) {
      data(false, fromUpstream);
    }
    to.out().flush();
    from.out().flush();
    readComplete(true);
    readComplete(false);
  }

  void data(boolean fromClient, ByteBuf piece) {
    if (closed || (parted && !fromClient)) {
      piece.release();
      return;
    }
    if (!fromClient) {
      border.see(piece);
      exchange.tally().bytesOut += piece.readableBytes();
    }
    out(!fromClient).pass(piece);
  }

  void readComplete(boolean fromClient) {
    if (closed) {
      return;
    }
    touched();
    out(!fromClient).flush();
    part();
    if (other(fromClient).isWritable()) {
      side(fromClient).read();
    }
  }

  /** That side takes again, so the other may be read. */
  void writable(boolean ofClient) {
    if (!closed && side(ofClient).isWritable()) {
      touched();
      other(ofClient).read();
    }
  }

  /** That side sent its last byte; the other direction goes on. */
  void ended(boolean ofClient) {
    if (ofClient) {
      clientEnded = true;
    } else {
      upstreamEnded = true;
    }
    if (closed) {
      return;
    }
    if (clientEnded && upstreamEnded) {
      closed = true;
      Sockets.closeAfterWrites(client);
      Sockets.closeAfterWrites(upstream);
      exchange.tunnelEnded(null);
    } else {
      Sockets.finish(other(ofClient));
    }
  }

  /** That connection is gone altogether, so the other goes too. */
  void gone(boolean ofClient) {
    if (closed) {
      return;
    }
    closed = true;
    boolean regular = ofClient ? clientEnded : upstreamEnded;
    if (regular) {
      Sockets.closeAfterWrites(other(ofClient));
    } else {
      Sockets.reset(other(ofClient));
    }
    exchange.tunnelEnded(null);
  }

  /** Something moved: the silence begins anew, the life goes on. */
  private void touched() {
    if (departs) {
      return; // its time is counted
    }
    alarm.in(Math.min(idle, endNanos - exchange.loop().now()));
  }

  /** It was silent, or alive, for too long. */
  void timedOut() {
    if (departs) {
      cut(parted ? null : Code.H24);
      return;
    }
    cut(endNanos - exchange.loop().now() <= 0 ? null : Code.H15);
  }

  /**
   * The edge goes down and it is this one's turn: its client is told to come again, as soon as the
   * app is between two frames. What the client still says goes to the app, as its own close does.
   */
  void depart() {
    if (!closed && !departs) {
      alarm.in(PART_WAIT.toNanos());
      departs = true;
      part();
    }
  }

  private void part() {
    if (departs && !parted && !closed && border.between()) {
      parted = true;
      if (!border.closed() && !upstreamEnded) {
        from.out().add(RESTART);
      }
      from.out().flush();
      Sockets.finish(client);
    }
  }

  void cut(@Nullable Code code) {
    if (!closed) {
      closed = true;
      Sockets.close(client);
      Sockets.close(upstream);
      exchange.tunnelEnded(code);
    }
  }

  private Outgoing out(boolean ofClient) {
    return ofClient ? from.out() : to.out();
  }

  private Channel side(boolean ofClient) {
    return ofClient ? client : upstream;
  }

  private Channel other(boolean ofClient) {
    return ofClient ? upstream : client;
  }
}
