package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Passes one response to the client: interim heads, the final head, the body as far as the client
 * takes it. The app is read only when everything that it sent before is passed on. Confined to its
 * event loop.
 */
final class ResponsePump {
  /** More interim responses than this are no progress any more. */
  static final int INTERIM_MAX = 1000;

  private static final String KEEP_ALIVE_TIMEOUT = "timeout=";

  private final Exchange exchange;
  private final ClientConnection client;
  private final UpstreamConnection up;
  private final EdgeConfig config;
  private final Request request;
  private ResponseParser head;
  private @Nullable BodyReader body;
  private Framing framingOut = new Framing.None();
  private boolean begun;
  private boolean out;
  private boolean keepAlive;
  private boolean over;
  private int interims;

  ResponsePump(
      Exchange exchange, ClientConnection client, UpstreamConnection up, EdgeConfig config) {
    this.exchange = exchange;
    this.client = client;
    this.up = up;
    this.config = config;
    request = exchange.request();
    head = new ResponseParser(config);
  }

  /** Whether the app said anything. */
  boolean begun() {
    return begun;
  }

  /** Whether the client saw the final head, so that no other answer can be given. */
  boolean out() {
    return out;
  }

  void pump() {
    var in = up.in();
    if (in != null && in.isReadable() && !begun) {
      begun = true;
      exchange.touch();
    }
    boolean more = true;
    while (more && !over) {
      more = body == null ? stepHead(up.in()) : stepBody(body, up.in());
    }
    if (over) {
      return;
    }
    client.channel().flush();
    up.trim();
    if (!client.channel().isWritable()) {
      return; // and no read: the client's slowness becomes the app's
    }
    if (up.ended()) {
      ended();
    } else {
      up.channel().read();
    }
  }

  /** Whether to go on at once. */
  private boolean stepHead(@Nullable ByteBuf in) {
    if (in == null) {
      return false;
    }
    var fault = head.feed(in);
    if (fault != null) {
      refuse(fault);
      return false;
    }
    if (!head.done()) {
      return false;
    }
    if (head.status() == 101) {
      switchProtocols();
      return false;
    }
    return head.status() < 200 ? interim() : begin();
  }

  private boolean interim() {
    if (++interims > INTERIM_MAX) {
      over = true;
      exchange.fail(Code.H17, "endless interim responses");
      return false;
    }
    boolean known = head.status() == 100 && exchange.continued();
    if (request.http11() && !known) {
      write(new HeaderRules.Answer(new Framing.None(), "", null));
    }
    head = new ResponseParser(config);
    return true;
  }

  private boolean begin() {
    var framing =
        Framing.ofResponse(request.method(), head.status(), head.http11(), head.headers());
    if (framing instanceof Framing.Unclear(var fault)) {
      refuse(fault);
      return false;
    }
    body = new BodyReader(framing);
    framingOut =
        switch (framing) {
          case Framing.Chunked _, Framing.UntilClose _ ->
              request.http11() ? new Framing.Chunked() : new Framing.UntilClose();
          case Framing.None _, Framing.Length _, Framing.Unclear _ -> framing;
        };
    // An answer before the end of the request is the last one: the rest of the body is not read.
    keepAlive =
        request.keepAlive()
            && exchange.requestDone()
            && !(framingOut instanceof Framing.UntilClose)
            && !client.closing();
    var connection = !keepAlive ? "close" : request.http11() ? "" : "keep-alive";
    out = true;
    exchange.status(head.status());
    write(new HeaderRules.Answer(framingOut, connection, null));
    return true;
  }

  private boolean stepBody(BodyReader reader, @Nullable ByteBuf in) {
    if (reader.done()) {
      finish();
      return false;
    }
    if (in == null || !client.channel().isWritable()) {
      return false;
    }
    var piece = reader.next(in);
    if (piece != null) {
      exchange.sent(piece.readableBytes());
      if (framingOut instanceof Framing.Chunked) {
        Chunks.write(client.channel(), piece);
      } else {
        Sockets.write(client.channel(), piece);
      }
      return true;
    }
    var fault = reader.fault();
    if (fault != null) {
      over = true;
      exchange.fail(Code.H17, fault.cause());
    }
    return reader.done();
  }

  /** Everything that came is passed on, and nothing more will come. */
  private void ended() {
    if (body != null && body.untilClose() && !up.broken()) {
      finish();
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

  private void finish() {
    over = true;
    if (framingOut instanceof Framing.Chunked) {
      var last = client.channel().alloc().buffer(64);
      HeaderRules.writeTrailers(last, body == null ? null : body.trailers());
      Sockets.write(client.channel(), last);
    }
    up.trim();
    boolean reusable = exchange.requestDone() && !up.ended() && up.in() == null && persistent();
    exchange.finished(reusable, keep(), keepAlive);
  }

  private boolean persistent() {
    var connection = head.headers().tokens("connection");
    return (head.http11() ? !connection.contains("close") : connection.contains("keep-alive"))
        && !(body != null && body.untilClose());
  }

  /** How long the app says it keeps the connection, less a second, but no longer than we like. */
  private Duration keep() {
    for (var token : head.headers().tokens("keep-alive")) {
      if (token.startsWith(KEEP_ALIVE_TIMEOUT)) {
        var seconds = token.substring(KEEP_ALIVE_TIMEOUT.length());
        if (!seconds.isEmpty()
            && seconds.length() <= 6
            && seconds.chars().allMatch(Octets::digit)) {
          var said = Duration.ofSeconds(Math.max(0, Long.parseLong(seconds) - 1));
          return said.compareTo(config.upstreamIdleTimeout()) < 0
              ? said
              : config.upstreamIdleTimeout();
        }
      }
    }
    return config.upstreamIdleTimeout();
  }

  private void switchProtocols() {
    over = true;
    var asked = request.upgrade();
    var given = head.headers().joined("upgrade");
    if (asked == null || !exchange.requestDone() || !offered(asked, head.headers())) {
      exchange.fail(Code.H17, "unexpected 101");
      return;
    }
    out = true;
    exchange.status(101);
    write(new HeaderRules.Answer(new Framing.None(), "Upgrade", given == null ? asked : given));
    exchange.beginTunnel(up);
  }

  private static boolean offered(String asked, Headers headers) {
    var offers = new HashSet<String>(List.of(asked.toLowerCase(Locale.ROOT).split(",\\s*", -1)));
    return offers.containsAll(headers.tokens("upgrade"));
  }

  private void refuse(Fault fault) {
    over = true;
    exchange.fail(fault.restriction() ? Code.H25 : Code.H17, fault.cause());
  }

  private void write(HeaderRules.Answer answer) {
    var bytes = client.channel().alloc().buffer(1024);
    HeaderRules.writeResponse(bytes, head, answer);
    Sockets.write(client.channel(), bytes);
  }
}
