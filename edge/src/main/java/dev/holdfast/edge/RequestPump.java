package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/**
 * Passes one request to the app: the head, then the body as far as the app takes it. The client is
 * read only when everything that it sent before is passed on. Confined to its event loop.
 */
final class RequestPump {
  private static final byte[] CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n".getBytes(US_ASCII);

  private final Exchange exchange;
  private final ClientConnection client;
  private final Request request;
  private final BodyReader body;
  private final boolean chunked;
  private @Nullable UpstreamConnection up;
  private boolean bodyBegun;
  private boolean done;
  private boolean continued;
  private boolean cut;
  private boolean waitsForClient;

  RequestPump(Exchange exchange, ClientConnection client, Request request) {
    this.exchange = exchange;
    this.client = client;
    this.request = request;
    body = new BodyReader(request.framing());
    chunked = request.framing() instanceof Framing.Chunked;
  }

  /** Whether the whole request went out. */
  boolean done() {
    return done;
  }

  /** Whether the body was read to its end, so that what follows is another request. */
  boolean bodyRead() {
    return body.done();
  }

  boolean bodyBegun() {
    return bodyBegun;
  }

  boolean continued() {
    return continued;
  }

  /** Whether it is the client that keeps everybody waiting. */
  boolean waitsForClient() {
    return waitsForClient;
  }

  /** The app takes no more. */
  void cut() {
    cut = true;
    exchange.requestSent();
  }

  void begin(UpstreamConnection connection, HeaderRules.Seen seen) {
    up = connection;
    done = false;
    var head = connection.channel().alloc().buffer(1024);
    HeaderRules.writeRequest(head, request, seen);
    Sockets.write(connection.channel(), head);
    exchange.touch();
    if (request.expectContinue() && !continued && client.in() == null) {
      continued = true;
      Sockets.writeAndFlush(client.channel(), Unpooled.wrappedBuffer(CONTINUE));
    }
    pump();
  }

  void pump() {
    var connection = up;
    if (connection == null || done || cut) {
      return;
    }
    boolean moved = false;
    while (connection.channel().isWritable() && !done) {
      var in = client.in();
      var piece = in == null ? null : body.next(in);
      if (piece != null) {
        moved = true;
        write(connection, piece);
      } else if (body.fault() != null) {
        exchange.fail(Code.H26, Fault.CHUNK.cause(), Fault.CHUNK.status());
        return;
      } else if (body.done()) {
        finish(connection);
      } else {
        break;
      }
    }
    connection.channel().flush();
    client.trim();
    if (moved) {
      exchange.touch();
    }
    waitsForClient = !done && connection.channel().isWritable();
    if (waitsForClient) {
      if (client.ended()) {
        exchange.clientGone();
        client.abort();
      } else {
        client.channel().read();
      }
    }
  }

  /** Whether all of the request came; of chunks that is known only when they are passed on. */
  boolean whole() {
    return body.done() || (request.framing() instanceof Framing.Length && !neverWhole());
  }

  /** Whether what a client sent before it ended is less than it announced. */
  boolean neverWhole() {
    var in = client.in();
    int came = in == null ? 0 : in.readableBytes();
    return !body.done() && request.framing() instanceof Framing.Length(long bytes) && came < bytes;
  }

  private void write(UpstreamConnection connection, ByteBuf piece) {
    bodyBegun = true;
    if (chunked) {
      Chunks.write(connection.channel(), piece);
    } else {
      Sockets.write(connection.channel(), piece);
    }
  }

  private void finish(UpstreamConnection connection) {
    done = true;
    ByteBuf last = Unpooled.EMPTY_BUFFER;
    if (chunked) {
      last = connection.channel().alloc().buffer(64);
      HeaderRules.writeTrailers(last, body.trailers());
    }
    var _ =
        connection
            .channel()
            .write(last)
            .addListener(sent -> {
              if (sent.isSuccess() && up == connection) {
                exchange.requestSent();
              }
            });
    client.watch();
  }
}
