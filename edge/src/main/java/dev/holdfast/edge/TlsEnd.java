package dev.holdfast.edge;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslCloseCompletionEvent;

/**
 * Behind the record layer of TLS: makes it begin and end like TCP. A close_notify is the end of the
 * client's side, a broken record is a broken connection, and a connection that is to be reset gets
 * no close_notify, which would say that everything was sent. Confined to its event loop.
 */
final class TlsEnd extends ChannelDuplexHandler {
  private final TlsHold hold;

  TlsEnd(TlsHold hold) {
    this.hold = hold;
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof SslCloseCompletionEvent end) {
      if (end.isSuccess()) {
        ctx.fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
      }
    } else {
      ctx.fireUserEventTriggered(event);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    boolean record = cause instanceof DecoderException && cause.getCause() != null;
    ctx.fireExceptionCaught(record ? cause.getCause() : cause);
  }

  @Override
  public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
    var linger =
        ctx.channel().isOpen() ? ctx.channel().config().getOption(ChannelOption.SO_LINGER) : null;
    if (linger != null && linger == 0) {
      hold.reset(promise);
    } else {
      var _ = ctx.close(promise);
    }
  }
}
