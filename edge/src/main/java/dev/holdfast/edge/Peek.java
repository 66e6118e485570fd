package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.http2.Http2CodecUtil;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the first bytes of a connection for the preface of HTTP/2 (RFC 9113 section 3.3) and is
 * gone with the first byte that differs. The {@link ClientConnection} behind it counts, waits and
 * ends as always; when HTTP/2 comes it is told that its connection is gone. Confined to its event
 * loop.
 */
final class Peek extends ChannelInboundHandlerAdapter {
  private static final ByteBuf PREFACE = Http2CodecUtil.connectionPrefaceBuf();

  private final Porch porch;
  private final Arrival arrival;
  private final ClientConnection client;
  private @Nullable ByteBuf held;

  Peek(Porch porch, Arrival arrival, ClientConnection client) {
    this.porch = porch;
    this.arrival = arrival;
    this.client = client;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    var piece = (ByteBuf) message;
    var all =
        held == null
            ? piece
            : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), held, piece);
    held = null;
    int length = Math.min(all.readableBytes(), PREFACE.readableBytes());
    if (!ByteBufUtil.equals(all, all.readerIndex(), PREFACE, 0, length)) {
      ctx.pipeline().remove(this);
      ctx.fireChannelRead(all);
    } else if (length < PREFACE.readableBytes()) {
      held = all;
    } else {
      client.channelInactive(ctx);
      ctx.pipeline().remove(client);
      Http2Client.install(porch, ctx.channel(), arrival);
      ctx.fireChannelRead(all);
      ctx.pipeline().remove(this);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    if (held == null) {
      ctx.fireChannelReadComplete();
    } else {
      ctx.read();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    var rest = held;
    if (event instanceof ChannelInputShutdownEvent && rest != null) {
      held = null;
      ctx.pipeline().remove(this);
      ctx.fireChannelRead(rest);
      ctx.fireChannelReadComplete();
    }
    ctx.fireUserEventTriggered(event);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    if (held != null) {
      held.release();
      held = null;
    }
  }
}
