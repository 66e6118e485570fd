package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.SslClientHelloHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads a client's ClientHello, asks whose certificate it gets, and puts the TLS of that identity
 * in its own place; who asks for a name that is not served gets an alert that says so. Confined to
 * its event loop.
 */
final class TlsGate extends SslClientHelloHandler<SslContext> {
  private static final int ALERT_RECORD = 21;
  private static final int FATAL = 2;
  private static final int DECODE_ERROR = 50;
  private static final int INTERNAL_ERROR = 80;
  private static final int UNRECOGNIZED_NAME = 112;

  private final Front front;
  private int alert;
  private boolean refused;

  TlsGate(Front front) {
    super(front.config().clientHelloBytesMax());
    this.front = front;
  }

  @Override
  protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) throws Exception {
    if (refused) {
      in.skipBytes(in.readableBytes());
    } else {
      super.decode(ctx, in, out);
    }
  }

  @Override
  protected Future<SslContext> lookup(ChannelHandlerContext ctx, @Nullable ByteBuf message) {
    var context = choose(ctx, message == null ? null : ClientHello.parse(message));
    return context == null
        ? ctx.executor().newFailedFuture(new Refused())
        : ctx.executor().newSucceededFuture(context);
  }

  /** A context that the caller releases, or null when an alert is to be sent. */
  private @Nullable SslContext choose(ChannelHandlerContext ctx, @Nullable ClientHello hello) {
    if (hello == null) {
      alert = DECODE_ERROR;
      return null;
    }
    var identity =
        hello.acme() ? front.keys().challenge(hello.host()) : front.keys().identity(hello.host());
    if (identity == null) {
      alert = UNRECOGNIZED_NAME;
      return null;
    }
    var entrance = ctx.pipeline().get(Entrance.class);
    if (entrance != null) {
      entrance.asked(hello.host());
    }
    alert = INTERNAL_ERROR;
    return (hello.acme() ? front.challenges() : front.contexts()).take(identity);
  }

  @Override
  protected void onLookupComplete(ChannelHandlerContext ctx, Future<SslContext> future) {
    var context = future.getNow();
    if (!future.isSuccess() || context == null) {
      refuse(ctx);
      return;
    }
    try {
      var handler = TlsContexts.handler(context, ctx.alloc());
      var pipeline = ctx.pipeline();
      pipeline.addAfter(ctx.name(), "hold", new TlsHold());
      pipeline.addAfter("hold", "tls", handler);
      pipeline.remove(this);
    } finally {
      ReferenceCountUtil.release(context);
    }
  }

  private void refuse(ChannelHandlerContext ctx) {
    refused = true;
    var record = Unpooled.wrappedBuffer(new byte[] {ALERT_RECORD, 3, 3, 0, 2, FATAL, (byte) alert});
    var _ = ctx.writeAndFlush(record).addListener(ChannelFutureListener.CLOSE);
  }

  /** Why there is no context; the alert says more. */
  private static final class Refused extends Exception {
    private static final long serialVersionUID = 1;

    private Refused() {
      super("no certificate", null, false, false);
    }
  }
}
