package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.PromiseNotifier;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;

/**
 * One request to an app over its HTTP/2 connection: to the {@link UpstreamConnection} behind it the
 * stream looks like a connection of HTTP/1.1 that is good for one request. Confined to its event
 * loop.
 */
final class Http2AppStream extends ChannelDuplexHandler {
  private static final int HEAD_BYTES = 1024;
  private static final int CHUNK_EXTRA_BYTES = 16;
  private static final int LENGTH_DIGITS_MAX = 18;

  private final Http1Scanner scanner = new Http1Scanner();
  private @Nullable ChannelFuture written;
  private boolean requestEnded;
  private boolean headRequest;
  private boolean headed;
  private boolean chunked;
  private boolean broken;
  private long left = -1;

  // To the app

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    var bytes = (ByteBuf) message;
    try {
      if (!broken && !requestEnded) {
        frames(ctx, bytes);
      } else if (bytes.isReadable()) {
        promise.tryFailure(new ClosedChannelException());
        return;
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
        case HEAD -> head(ctx);
        case DATA -> {
          var piece = scanner.takeData();
          requestEnded = scanner.over();
          written = ctx.write(new DefaultHttp2DataFrame(piece, requestEnded));
        }
        case END -> {
          requestEnded = true;
          if (scanner.fields().isEmpty()) {
            written = ctx.write(new DefaultHttp2DataFrame(true));
          } else {
            var trailers = Http2Fields.empty();
            Http2Fields.copy(scanner.fields(), trailers);
            written = ctx.write(new DefaultHttp2HeadersFrame(trailers, true));
          }
        }
      }
    }
  }

  private void head(ChannelHandlerContext ctx) {
    var line = scanner.startLine();
    int first = line.indexOf(' ');
    int last = line.lastIndexOf(' ');
    var method = line.substring(0, first);
    headRequest = method.equals("HEAD");
    var headers =
        Http2Fields.empty().method(method).scheme("http").path(line.substring(first + 1, last));
    var host = scanner.value("host");
    if (host != null) {
      headers.authority(host);
    }
    Http2Fields.copy(scanner.fields(), headers);
    scanner.frame(false);
    requestEnded = scanner.over();
    written = ctx.write(new DefaultHttp2HeadersFrame(headers, requestEnded));
  }

  // From the app

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    try {
      if (!broken) {
        switch (message) {
          case Http2HeadersFrame frame -> {
            if (headed) {
              trailers(ctx, frame);
            } else {
              responseHead(ctx, frame);
            }
          }
          case Http2DataFrame frame -> data(ctx, frame);
          default -> {} // PRIORITY and unknown frames mean nothing
        }
      }
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  private void responseHead(ChannelHandlerContext ctx, Http2HeadersFrame frame) {
    var headers = frame.headers();
    int status = status(headers);
    var length = headers.get("content-length");
    if (status < 0 || (length != null && !number(length)) || !passes(headers)) {
      fail(ctx, "a malformed head");
      return;
    }
    boolean interim = status < 200;
    boolean last = frame.isEndStream();
    headed = !interim;
    var out = ctx.alloc().buffer(HEAD_BYTES);
    Http2Fields.text(out, "HTTP/1.1 " + status + " " + reason(status) + "\r\n");
    for (var field : headers) {
      if (!field.getKey().isEmpty() && field.getKey().charAt(0) != ':') {
        Http2Fields.field(out, field.getKey(), field.getValue());
      }
    }
    boolean bodyless = interim || headRequest || status == 204 || status == 304;
    if (!bodyless && length != null) {
      left = Long.parseLong(length.toString());
    } else if (!bodyless && last) {
      Http2Fields.text(out, "content-length: 0\r\n");
    } else if (!bodyless) {
      chunked = true;
      Http2Fields.text(out, "transfer-encoding: chunked\r\n");
    }
    if (!interim) {
      Http2Fields.text(out, "connection: close\r\n"); // the stream is good for one request
    }
    Http2Fields.text(out, "\r\n");
    ctx.fireChannelRead(out);
    if (last && (interim || left > 0)) {
      fail(ctx, "a response that ends before its announced end");
    }
  }

  private void data(ChannelHandlerContext ctx, Http2DataFrame frame) {
    var content = frame.content();
    int length = content.readableBytes();
    boolean last = frame.isEndStream();
    if (left >= 0) {
      left -= length;
      if (left < 0 || (last && left > 0)) {
        fail(ctx, "a response that is not as long as announced");
      } else if (length > 0) {
        ctx.fireChannelRead(content.retain());
      }
    } else if (chunked && (length > 0 || last)) {
      var out = ctx.alloc().buffer(length + CHUNK_EXTRA_BYTES);
      if (length > 0) {
        var _ = Http2Fields.chunk(out, content);
      }
      if (last) {
        Http2Fields.text(out, "0\r\n\r\n");
      }
      ctx.fireChannelRead(out);
    }
  }

  private void trailers(ChannelHandlerContext ctx, Http2HeadersFrame frame) {
    if (!passes(frame.headers()) || !frame.isEndStream() || left > 0) {
      fail(ctx, "malformed trailers");
    } else if (chunked) {
      var out = ctx.alloc().buffer(HEAD_BYTES);
      Http2Fields.text(out, "0\r\n");
      for (var field : frame.headers()) {
        Http2Fields.field(out, field.getKey(), field.getValue());
      }
      Http2Fields.text(out, "\r\n");
      ctx.fireChannelRead(out);
    }
  }

  private static boolean passes(Http2Headers headers) {
    for (var field : headers) {
      var name = field.getKey();
      boolean status = ":status".contentEquals(name);
      if (!status && !Http2Fields.passes(name, field.getValue())) {
        return false;
      }
    }
    return true;
  }

  private static int status(Http2Headers headers) {
    var status = headers.status();
    if (status == null || status.length() != 3 || !number(status)) {
      return -1;
    }
    int code = Integer.parseInt(status.toString());
    return code >= 100 && code != 101 && code <= 599 ? code : -1;
  }

  private static boolean number(CharSequence digits) {
    return !digits.isEmpty()
        && digits.length() <= LENGTH_DIGITS_MAX
        && digits.chars().allMatch(Octets::digit);
  }

  private static String reason(int status) {
    return HttpResponseStatus.valueOf(status).reasonPhrase();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof Http2ResetFrame frame) {
      if (frame.errorCode() == Http2Error.NO_ERROR.code()) {
        ctx.fireUserEventTriggered(ChannelOutputShutdownEvent.INSTANCE); // the answer may be whole
      } else {
        fail(ctx, "a stream that the app reset: " + frame.errorCode());
      }
    }
    ReferenceCountUtil.release(event);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    broken = true;
    ctx.fireExceptionCaught(cause instanceof IOException ? cause : new IOException(cause));
  }

  private void fail(ChannelHandlerContext ctx, String what) {
    broken = true;
    ctx.fireExceptionCaught(new IOException("the app sent " + what));
  }
}
