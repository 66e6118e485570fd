package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.PromiseNotifier;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;

/**
 * One request of a client's HTTP/2 connection: to the {@link ClientConnection} behind it the stream
 * looks like a connection of HTTP/1.1 that carries one request. Confined to its event loop.
 *
 * <p>The two kinds of flow control need no translation: a frame is taken off the stream's window
 * when the connection reads, and the connection is not writable while the client takes nothing.
 */
final class Http2ClientStream extends ChannelDuplexHandler {
  private static final int HEAD_BYTES = 1024;
  private static final int CHUNK_EXTRA_BYTES = 16;

  private final Http1Scanner scanner = new Http1Scanner();
  private @Nullable Http2Head request;
  private @Nullable ChannelFuture written;
  private long received;
  private boolean requestEnded;
  private boolean responseEnded;
  private boolean over;

  // From the client

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    try {
      if (over) {
        return;
      }
      switch (message) {
        case Http2HeadersFrame frame -> {
          if (request == null) {
            head(ctx, frame);
          } else {
            trailers(ctx, frame);
          }
        }
        case Http2DataFrame frame -> data(ctx, frame);
        default -> {} // PRIORITY and unknown frames mean nothing
      }
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  private void head(ChannelHandlerContext ctx, Http2HeadersFrame frame) {
    var head = new Http2Head(frame.headers(), frame.isEndStream());
    request = head;
    requestEnded = frame.isEndStream();
    if (!head.wellFormed()) {
      reset(ctx, Http2Error.PROTOCOL_ERROR);
      return;
    }
    var out = ctx.alloc().buffer(HEAD_BYTES);
    head.write(out);
    ctx.fireChannelRead(out);
  }

  private void data(ChannelHandlerContext ctx, Http2DataFrame frame) {
    var head = request;
    if (head == null) {
      return;
    }
    var content = frame.content();
    int length = content.readableBytes();
    received += length;
    requestEnded = frame.isEndStream();
    long announced = head.length();
    if (announced >= 0 && (received > announced || (requestEnded && received < announced))) {
      reset(ctx, Http2Error.PROTOCOL_ERROR);
      return;
    }
    if (!head.chunked()) {
      if (length > 0) {
        ctx.fireChannelRead(content.retain());
      }
    } else if (length > 0 || requestEnded) {
      var out = ctx.alloc().buffer(length + CHUNK_EXTRA_BYTES);
      if (length > 0) {
        var _ = Http2Fields.chunk(out, content);
      }
      if (requestEnded) {
        Http2Fields.text(out, "0\r\n\r\n");
      }
      ctx.fireChannelRead(out);
    }
  }

  private void trailers(ChannelHandlerContext ctx, Http2HeadersFrame frame) {
    var head = request;
    requestEnded = frame.isEndStream();
    boolean short_ = head != null && head.length() >= 0 && received < head.length();
    if (head == null || !requestEnded || short_) {
      reset(ctx, Http2Error.PROTOCOL_ERROR);
      return;
    }
    var out = ctx.alloc().buffer(HEAD_BYTES);
    Http2Fields.text(out, "0\r\n");
    for (var field : frame.headers()) {
      if (!Http2Fields.passes(field.getKey(), field.getValue())) {
        out.release();
        reset(ctx, Http2Error.PROTOCOL_ERROR);
        return;
      }
      Http2Fields.field(out, field.getKey(), field.getValue());
    }
    Http2Fields.text(out, "\r\n");
    if (head.chunked()) {
      ctx.fireChannelRead(out);
    } else {
      out.release(); // after a counted body HTTP/1.1 has no place for them
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof Http2ResetFrame) {
      over = true;
      // Later, when the codec knows it too: a reset is not answered with a reset.
      ctx.executor().execute(() -> Sockets.close(ctx.channel()));
    }
    ReferenceCountUtil.release(event); // the end of a stream says itself in HTTP/1.1's framing
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (cause instanceof Http2Exception rule) {
      reset(ctx, rule.error()); // the client broke it
    } else if (cause instanceof DecoderException) {
      over = true; // the whole connection is broken
      var _ = ctx.close();
    } else {
      ctx.fireExceptionCaught(cause instanceof IOException ? cause : new IOException(cause));
    }
  }

  // To the client

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    var bytes = (ByteBuf) message;
    try {
      if (over || responseEnded) {
        if (bytes.isReadable()) {
          promise.tryFailure(new ClosedChannelException());
          return;
        }
      } else {
        frames(ctx, bytes);
      }
    } finally {
      bytes.release();
    }
    var last = written;
    if (last == null) {
      promise.trySuccess();
    } else {
      var _ = PromiseNotifier.cascade(false, last, promise);
    }
  }

  private void frames(ChannelHandlerContext ctx, ByteBuf bytes) {
    while (true) {
      switch (scanner.next(bytes)) {
        case MORE -> {
          return;
        }
        case HEAD -> responseHead(ctx);
        case DATA ->
            frame(
                ctx, new DefaultHttp2DataFrame(scanner.takeData(), scanner.over()), scanner.over());
        case END -> {
          if (scanner.fields().isEmpty()) {
            frame(ctx, new DefaultHttp2DataFrame(true), true);
          } else {
            var trailers = Http2Fields.empty();
            Http2Fields.copy(scanner.fields(), trailers);
            frame(ctx, new DefaultHttp2HeadersFrame(trailers, true), true);
          }
        }
      }
    }
  }

  private void responseHead(ChannelHandlerContext ctx) {
    var status = scanner.startLine().substring(9, 12);
    var headers = Http2Fields.empty().status(status);
    Http2Fields.copy(scanner.fields(), headers);
    if (status.charAt(0) == '1') {
      scanner.again();
      frame(ctx, new DefaultHttp2HeadersFrame(headers, false), false);
    } else {
      boolean head = request != null && request.method().equals("HEAD");
      scanner.frame(head || status.equals("204") || status.equals("304"));
      frame(ctx, new DefaultHttp2HeadersFrame(headers, scanner.over()), scanner.over());
    }
  }

  private void frame(ChannelHandlerContext ctx, Object frame, boolean last) {
    responseEnded = last;
    var future = ctx.write(frame);
    written = future;
    if (last && !requestEnded) {
      // RFC 9113 section 8.1: the answer is whole, so the rest of the request is not needed
      var _ = future.addListener(_ -> reset(ctx, Http2Error.NO_ERROR));
    }
  }

  /** An answer that was cut off must not look like a whole one. */
  @Override
  public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
    if (!over && !responseEnded) {
      over = true;
      var error = request == null ? Http2Error.REFUSED_STREAM : Http2Error.INTERNAL_ERROR;
      var _ = ctx.writeAndFlush(new DefaultHttp2ResetFrame(error));
    }
    var _ = ctx.close(promise);
  }

  private void reset(ChannelHandlerContext ctx, Http2Error error) {
    if (!over) {
      over = true;
      var _ = ctx.writeAndFlush(new DefaultHttp2ResetFrame(error));
      var _ = ctx.close();
    }
  }
}
