package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * One connection to an app: it holds what came in until its exchange takes it, and it serves one
 * exchange at a time. It reads only when it is asked to. Confined to its event loop.
 */
final class UpstreamConnection extends ChannelInboundHandlerAdapter {
  private final Loop loop;
  private final Target target;
  private final int generation;
  private final Channel channel;
  private final Outgoing out;
  private @Nullable Exchange exchange;
  private @Nullable Tunnel tunnel;
  private @Nullable ByteBuf in;
  private boolean ended;
  private boolean broken;
  private boolean deaf;
  private boolean reused;
  private boolean reading;
  private long idleUntilNanos;

  UpstreamConnection(Loop loop, Target target, int generation, Channel channel) {
    this.loop = loop;
    this.target = target;
    this.generation = generation;
    this.channel = channel;
    out = new Outgoing(channel, loop.flushes());
  }

  Outgoing out() {
    return out;
  }

  Target target() {
    return target;
  }

  int generation() {
    return generation;
  }

  Channel channel() {
    return channel;
  }

  /** Asks for what the app sends next; once is enough until it came. */
  void read() {
    if (!reading) {
      reading = true;
      channel.read();
    }
  }

  /** What came and was not taken yet, or null. */
  @Nullable ByteBuf in() {
    return in;
  }

  /** Whether nothing more will come. */
  boolean ended() {
    return ended;
  }

  /** Whether it ended with an error rather than regularly. */
  boolean broken() {
    return broken;
  }

  /** Whether the app no longer takes anything. */
  boolean deaf() {
    return deaf || !channel.isActive();
  }

  /** Whether it carried another exchange before. */
  boolean reused() {
    return reused;
  }

  void attach(Exchange next) {
    exchange = next;
  }

  void attach(Tunnel next) {
    tunnel = next;
  }

  /** What came and was not taken yet, which the caller releases. */
  @Nullable ByteBuf takeIn() {
    var taken = in;
    in = null;
    return taken;
  }

  /** Whether it may be used for a request now. */
  boolean fresh(long now) {
    return channel.isActive() && !ended && in == null && idleUntilNanos - now > 0;
  }

  /** Gives it back for the next exchange, or closes it when that would not be safe. */
  void release(boolean reusable, @Nullable Gauge gauge, long keepNanos) {
    exchange = null;
    reused = true;
    long now = loop.now();
    idleUntilNanos = now + keepNanos;
    boolean known = gauge != null && gauge.generation() == generation;
    if (reusable && known && !deaf() && fresh(now) && loop.keep(this)) {
      read(); // so that the app's close, or anything unasked, is noticed at once
    } else {
      close();
    }
  }

  void close() {
    exchange = null;
    tunnel = null;
    dropIn();
    out.drop();
    Sockets.close(channel);
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    var piece = (ByteBuf) message;
    if (tunnel != null) {
      tunnel.data(false, piece);
    } else if (exchange == null) {
      piece.release();
      loop.pool().remove(this);
      close();
    } else {
      in =
          in == null
              ? piece
              : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), in, piece);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    reading = false;
    loop.stamp();
    if (tunnel != null) {
      tunnel.readComplete(false);
    } else {
      progress();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      end();
    } else if (event instanceof ChannelOutputShutdownEvent) {
      deaf = true;
      if (exchange != null) {
        exchange.upstreamDeaf();
      }
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (tunnel != null) {
      tunnel.writable(false);
    } else if (exchange != null) {
      exchange.upstreamWritable();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    if (tunnel != null) {
      tunnel.gone(false);
    } else {
      end();
    }
    if (exchange == null) {
      dropIn();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (!(cause instanceof IOException)) {
      Shared.bug("a connection to an app failed", cause);
      if (exchange != null) {
        exchange.fail(Code.H99, null);
      }
    }
    broken = true;
    Sockets.close(channel);
  }

  private void end() {
    if (ended) {
      return;
    }
    ended = true;
    if (tunnel != null) {
      tunnel.ended(false);
    } else if (exchange == null) {
      loop.pool().remove(this);
      close();
    } else {
      progress();
    }
  }

  private void progress() {
    if (exchange != null) {
      exchange.upstreamProgress();
    }
  }

  /** Gives the memory of what was taken back. */
  void trim() {
    if (in != null && !in.isReadable()) {
      dropIn();
    }
  }

  private void dropIn() {
    if (in != null) {
      in.release();
      in = null;
    }
  }
}
