package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Passes one response to the client: interim heads, the final head, the body as far as the client
 * takes it. The app is read only when everything that it sent before is passed on. Used again for
 * the next response. Confined to its event loop.
 */
final class ResponsePump {
  /** More interim responses than this are no progress any more. */
  static final int INTERIM_MAX = 1000;

  private final Exchange exchange;
  private final ClientConnection client;
  private final BodyReader body = new BodyReader();
  private @Nullable UpstreamConnection up;
  private @Nullable Request request;
  private @Nullable Response head;
  private Framing.Kind framing = Framing.Kind.NONE;
  private boolean begun;
  private boolean out;
  private boolean keepAlive;
  private boolean persistent;
  private long keepNanos;
  private boolean over;
  private int interims;
  private @Nullable Finish finish;
  private @Nullable Coding coding;

  ResponsePump(Exchange exchange, ClientConnection client) {
    this.exchange = exchange;
    this.client = client;
  }

  /** Ready for the response that comes on that connection. */
  void reset(UpstreamConnection connection, Request asked) {
    drop();
    up = connection;
    request = asked;
    begun = false;
    out = false;
    over = false;
    interims = 0;
  }

  /** Forgets everything. */
  void clear() {
    drop();
    if (coding != null) {
      coding.close();
    }
    up = null;
    request = null;
    begun = false;
    out = false;
    over = true;
  }

  /** Whether the app said anything. */
  boolean begun() {
    return begun;
  }

  /** Whether the client saw the final head, so that no other answer can be given. */
  boolean out() {
    return out;
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
    var asked = request;
    if (connection == null || asked == null) {
      return;
    }
    var in = connection.in();
    if (in != null && in.isReadable() && !begun) {
      begun = true;
      exchange.begun();
    }
    boolean more = true;
    while (more && !over) {
      more = out ? stepBody(connection) : stepHead(connection, asked);
    }
    var coded = coding;
    if (over) {
      return;
    }
    if (coded != null && coded.on()) {
      coded.flush();
    }
    client.out().flush();
    connection.trim();
    if (!client.channel().isWritable()) {
      return; // and no read: the client's slowness becomes the app's
    }
    if (connection.ended()) {
      ended(connection);
    } else {
      connection.read();
    }
  }

  /** Whether to go on at once. */
  private boolean stepHead(UpstreamConnection connection, Request asked) {
    var in = connection.in();
    if (in == null) {
      return false;
    }
    var response = head;
    if (response == null) {
      response = exchange.loop().takeResponse();
      head = response;
    }
    var fault = response.feed(in);
    if (fault != null) {
      refuse(fault);
      return false;
    }
    if (!response.done()) {
      return false;
    }
    if (response.status() == 101) {
      switchProtocols(connection, response, asked);
      return false;
    }
    return response.status() < 200 ? interim(response, asked) : begin(response, asked, in);
  }

  private boolean interim(Response response, Request asked) {
    if (++interims > INTERIM_MAX) {
      over = true;
      exchange.fail(Code.H17, "endless interim responses");
      return false;
    }
    boolean known = response.status() == 100 && exchange.continued();
    if (asked.http11() && !known) {
      write(response, Framing.Kind.NONE, Heads.Connection.SILENT, 0, null);
    }
    drop();
    return true;
  }

  private boolean begin(Response response, Request asked, ByteBuf in) {
    var fault =
        response.framing.ofResponse(
            response.head, asked.toHead(), response.status(), response.http11());
    if (fault != null) {
      refuse(fault);
      return false;
    }
    body.reset(response.framing);
    framing =
        switch (response.framing.kind()) {
          case CHUNKED, UNTIL_CLOSE ->
              asked.http11() ? Framing.Kind.CHUNKED : Framing.Kind.UNTIL_CLOSE;
          case NONE, LENGTH -> response.framing.kind();
        };
    var extras = exchange.extras();
    var more = extras == null ? null : finished(extras, response, asked);
    if (more != null && more.encoding() != null) {
      framing = Framing.Kind.CHUNKED;
    }
    persistent = response.persistent() && !body.untilClose();
    keepNanos = response.keepNanos(exchange.loop().shared().upstreamIdleNanos);
    // An answer before the end of the request is the last one: the rest of the body is not read.
    keepAlive =
        asked.keepAlive()
            && exchange.requestDone()
            && framing != Framing.Kind.UNTIL_CLOSE
            && !client.closing()
            && exchange.loop().shared().admission.keepsAlive();
    var connection =
        !keepAlive
            ? Heads.Connection.CLOSE
            : asked.http11() ? Heads.Connection.SILENT : Heads.Connection.KEEP_ALIVE;
    out = true;
    exchange.answered(response);
    int copied = Math.min(body.ready(in), Outgoing.COPY_BYTES_MAX);
    write(response, framing, connection, copied, more);
    drop();
    return true;
  }

  /** Decides what the answer gets beside what its app said. */
  private Finish finished(Extras extras, Response response, Request asked) {
    var ready = finish == null ? new Finish() : finish;
    finish = ready;
    var cookie = extras.sticky() ? exchange.reach().cookie() : null;
    ready.begin(extras, asked, response, client.arrival().secure(), cookie);
    if (ready.encoding() != null) {
      var coder =
          coding == null ? new Coding(exchange.loop(), client.out(), exchange.tally()) : coding;
      coding = coder;
      coder.begin(ready, response, client.channel().alloc());
    }
    return ready;
  }

  private boolean stepBody(UpstreamConnection connection) {
    if (body.done()) {
      finish(connection);
      return false;
    }
    var in = connection.in();
    if (in == null || !client.channel().isWritable()) {
      return false;
    }
    if (body.advance(in)) {
      pass(connection, in);
      return true;
    }
    var fault = body.fault();
    if (fault != null) {
      over = true;
      exchange.fail(Code.H17, fault.cause());
    }
    return body.done();
  }

  private void pass(UpstreamConnection connection, ByteBuf in) {
    int size = body.ready(in);
    if (coding != null && coding.on()) {
      coding.take(in, size);
      body.took(size);
      return;
    }
    exchange.tally().bytesOut += size;
    boolean chunked = framing == Framing.Kind.CHUNKED;
    if (chunked) {
      Chunks.begin(client.out(), size);
    }
    if (size > Outgoing.COPY_BYTES_MAX && size == in.readableBytes()) {
      var whole = connection.takeIn();
      if (whole != null) {
        client.out().pass(whole);
      }
    } else {
      client.out().take(in, size);
    }
    if (chunked) {
      Chunks.end(client.out());
    }
    body.took(size);
  }

  /** Everything that came is passed on, and nothing more will come. */
  private void ended(UpstreamConnection connection) {
    if (out && body.untilClose() && !connection.broken()) {
      finish(connection);
      return;
    }
    over = true;
    if (!begun) {
      if (!exchange.retry()) {
        exchange.fail(Code.H13, null);
      }
    } else {
      exchange.fail(Code.H18, null);
    }
  }

  private void finish(UpstreamConnection connection) {
    last();
    connection.trim();
    boolean reusable =
        exchange.requestDone() && !connection.ended() && connection.in() == null && persistent;
    exchange.finished(reusable, keepNanos, keepAlive);
  }

  /** It has lasted long enough and ends like one that is whole, where its framing can say so. */
  void stop() {
    if (framing == Framing.Kind.LENGTH) {
      exchange.fail(Code.H15, null);
    } else {
      last();
      exchange.finished(false, 0, keepAlive);
    }
  }

  private void last() {
    over = true;
    if (coding != null && coding.on()) {
      coding.finish();
    }
    if (framing == Framing.Kind.CHUNKED) {
      var last = exchange.loop().scratch().clear();
      Heads.trailers(last, body.trailers());
      client.out().add(last, 0);
    }
  }

  private void switchProtocols(UpstreamConnection connection, Response response, Request asked) {
    over = true;
    if (!asked.upgrades() || !exchange.requestDone() || !response.websocket()) {
      exchange.fail(Code.H17, "unexpected 101");
      return;
    }
    out = true;
    exchange.tally().status = 101;
    var extras = exchange.extras();
    var more = extras == null ? null : finished(extras, response, asked);
    write(response, Framing.Kind.NONE, Heads.Connection.UPGRADE, 0, more);
    drop();
    exchange.beginTunnel(connection);
  }

  private void refuse(Fault fault) {
    over = true;
    exchange.fail(fault.restriction() ? Code.H25 : Code.H17, fault.cause());
  }

  private void write(
      Response response,
      Framing.Kind kind,
      Heads.Connection connection,
      int bodyBytes,
      @Nullable Finish more) {
    var scratch = exchange.loop().scratch().clear();
    Heads.response(scratch, response, kind, connection, more);
    client.out().add(scratch, bodyBytes);
  }

  private void drop() {
    var response = head;
    if (response != null) {
      head = null;
      exchange.loop().give(response);
    }
  }
}
