package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/**
 * Passes one request to the app: the head, then the body as far as the app takes it. The client is
 * read only when everything that it sent before is passed on. Used again for the next request.
 * Confined to its event loop.
 */
final class RequestPump {
  /** Chunks up to this size are put together: their borders mean nothing (RFC 9112 section 7.1). */
  private static final int TINY_BYTES_MAX = 512;

  private static final byte[] CONTINUE = Bytes.ascii("HTTP/1.1 100 Continue\r\n\r\n");

  private final Exchange exchange;
  private final ClientConnection client;
  private final BodyReader body = new BodyReader();
  private @Nullable UpstreamConnection up;
  private boolean chunked;
  private boolean counted;
  private boolean continues;
  private boolean bodyBegun;
  private boolean done;
  private boolean continued;
  private boolean cut;
  private boolean waitsForClient;
  private boolean asksApp;
  private int gathered;

  RequestPump(Exchange exchange, ClientConnection client) {
    this.exchange = exchange;
    this.client = client;
  }

  /** Ready for a new request. */
  void reset(Request request) {
    body.reset(request.framing);
    chunked = request.framing.chunked();
    counted = request.framing.kind() == Framing.Kind.LENGTH;
    continues = request.expectsContinue();
    up = null;
    bodyBegun = false;
    done = false;
    continued = false;
    cut = false;
    waitsForClient = false;
    gathered = 0;
    asksApp = false;
  }

  /** The app is asked whether it wants the body; what it says passes like any interim answer. */
  void passExpectation() {
    asksApp = true;
    continues = false;
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
    return waitsForClient && !(asksApp && !bodyBegun);
  }

  /** The app takes no more. */
  void cut() {
    cut = true;
    exchange.requestSent();
  }

  /** Sends the head, which is in the scratch, and as much of the body as there is. */
  void begin(UpstreamConnection connection, Scratch head) {
    up = connection;
    done = false;
    connection.out().add(head, 0);
    exchange.touch();
    if (continues && !continued && client.in() == null) {
      continued = true;
      client.out().add(CONTINUE);
      client.out().flush();
    }
    pump();
    if (asksApp && !bodyBegun) {
      exchange.requestSent(); // it is the app that has to say something
    }
  }

  /** Passes what can be passed now. A defect of ours costs one request. */
  void pump() {
    try {
      pass();
    } catch (RuntimeException e) {
      exchange.broke(e);
    }
  }

  private void pass() {
    var connection = up;
    if (connection == null || done || cut) {
      return;
    }
    boolean moved = false;
    while (connection.channel().isWritable() && !done) {
      var in = client.in();
      if (body.done()) {
        gathered(connection);
        finish(connection);
      } else if (in != null && body.advance(in)) {
        moved = true;
        pass(connection, in);
        if (exchange.over()) {
          return;
        }
      } else if (body.fault() != null) {
        exchange.fail(Code.H26, Fault.CHUNK.cause(), Fault.CHUNK.status());
        return;
      } else if (!body.done()) {
        break;
      }
    }
    gathered(connection);
    boolean sent = connection.out().flushSoon();
    client.trim();
    if (moved) {
      exchange.touch();
    }
    waitsForClient = !done && connection.channel().isWritable();
    if (done) {
      if (sent) {
        exchange.requestSent();
      } else {
        tellWhenSent(connection);
      }
      client.watch();
    } else if (waitsForClient) {
      if (client.ended()) {
        exchange.clientGone();
        client.abort();
      } else {
        exchange.uploads();
        client.read();
      }
    }
  }

  /** Whether all of the request came; of chunks that is known only when they are passed on. */
  boolean whole() {
    return body.done() || (counted && !neverWhole());
  }

  /** Whether what a client sent before it ended is less than it announced. */
  boolean neverWhole() {
    var in = client.in();
    return counted && !body.done() && body.left() > (in == null ? 0 : in.readableBytes());
  }

  private void pass(UpstreamConnection connection, ByteBuf in) {
    bodyBegun = true;
    int size = body.ready(in);
    if (!exchange.received(size)) {
      return;
    }
    if (chunked && size <= TINY_BYTES_MAX) {
      gather(connection, in, size);
      return;
    }
    gathered(connection);
    if (chunked) {
      Chunks.begin(connection.out(), size);
    }
    if (size > Outgoing.COPY_BYTES_MAX && size == in.readableBytes()) {
      var whole = client.takeIn();
      if (whole != null) {
        connection.out().pass(whole);
      }
    } else {
      connection.out().take(in, size);
    }
    if (chunked) {
      Chunks.end(connection.out());
    }
    body.took(size);
  }

  private void gather(UpstreamConnection connection, ByteBuf in, int size) {
    var room = exchange.loop().gather();
    if (size > room.length - gathered) {
      gathered(connection);
    }
    in.readBytes(room, gathered, size);
    gathered += size;
    body.took(size);
  }

  /** Sends what was put together as one chunk; nothing stays behind when a pass ends. */
  private void gathered(UpstreamConnection connection) {
    if (gathered > 0) {
      var out = connection.out();
      Chunks.begin(out, gathered);
      out.room(gathered).writeBytes(exchange.loop().gather(), 0, gathered);
      Chunks.end(out);
      gathered = 0;
    }
  }

  private void finish(UpstreamConnection connection) {
    done = true;
    if (chunked) {
      var last = exchange.loop().scratch().clear();
      Heads.trailers(last, body.trailers());
      connection.out().add(last, 0);
    }
  }

  /** The app may think from when the kernel has the rest. */
  private void tellWhenSent(UpstreamConnection connection) {
    long number = exchange.number();
    var _ =
        connection
            .channel()
            .writeAndFlush(Unpooled.EMPTY_BUFFER)
            .addListener(sent -> {
              if (sent.isSuccess() && up == connection && exchange.number() == number) {
                exchange.requestSent();
              }
            });
  }
}
