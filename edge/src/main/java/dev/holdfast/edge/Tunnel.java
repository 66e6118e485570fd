package dev.holdfast.edge;

import dev.holdfast.ledger.Policy;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import org.jspecify.annotations.Nullable;

/**
 * Two connections that became one after a 101: bytes pass as they come, a side reads only when the
 * other takes, and an end passes in its own direction only. Confined to its event loop.
 */
final class Tunnel {
  private final Exchange exchange;
  private final ClientConnection from;
  private final UpstreamConnection to;
  private final Channel client;
  private final Channel upstream;
  private final Alarm alarm;
  private final long idle;
  private final long endNanos;
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
    if (closed) {
      piece.release();
      return;
    }
    if (!fromClient) {
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
    alarm.in(Math.min(idle, endNanos - exchange.loop().now()));
  }

  /** It was silent, or alive, for too long. */
  void timedOut() {
    cut(endNanos - exchange.loop().now() <= 0 ? null : Code.H15);
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
