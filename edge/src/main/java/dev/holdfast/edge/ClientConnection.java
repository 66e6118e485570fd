package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One client's connection: it reads one request after the other, never beyond the one that is being
 * answered, and ends without cutting an answer off. Confined to its event loop.
 *
 * <pre>
 * IDLE -> HEAD -> EXCHANGE -> IDLE | TUNNEL | LINGER -> CLOSED
 * </pre>
 *
 * <p>A client that closes only its sending side still gets its answer; a client that is gone for
 * good is noticed when its connection breaks, and then its app's connection is closed at once.
 */
final class ClientConnection extends ChannelInboundHandlerAdapter {
  /** How long a client may take to read the last answer and close. */
  static final Duration LINGER_WAIT = Duration.ofSeconds(5);

  private enum State {
    IDLE,
    HEAD,
    EXCHANGE,
    TUNNEL,
    LINGER,
    CLOSED
  }

  private final Loop loop;
  private final Shared shared;
  private final Channel channel;
  private final Arrival arrival;
  private final Alarm alarm;
  private State state = State.IDLE;
  private RequestParser parser;
  private @Nullable ByteBuf in;
  private @Nullable Exchange exchange;
  private @Nullable Tunnel tunnel;
  private boolean ended;
  private boolean processing;
  private boolean counted;

  ClientConnection(Loop loop, Channel channel, Arrival arrival) {
    this.loop = loop;
    this.channel = channel;
    this.arrival = arrival;
    shared = loop.shared();
    alarm = new Alarm(loop.eventLoop(), shared.time, this::timedOut);
    parser = new RequestParser(shared.config);
  }

  Channel channel() {
    return channel;
  }

  Alarm alarm() {
    return alarm;
  }

  /** What came and was not taken yet, or null. */
  @Nullable ByteBuf in() {
    return in;
  }

  /** Whether nothing more will come. */
  boolean ended() {
    return ended;
  }

  /** Whether this request is the last one. */
  boolean closing() {
    return shared.draining();
  }

  Arrival arrival() {
    return arrival;
  }

  /** Whether a whole request came and its answer is under way. */
  boolean answering() {
    return state == State.EXCHANGE && exchange != null && exchange.requestWhole();
  }

  void attach(Tunnel next) {
    state = State.TUNNEL;
    tunnel = next;
  }

  /** What came and was not taken yet, which the caller releases. */
  @Nullable ByteBuf takeIn() {
    var taken = in;
    in = null;
    return taken;
  }

  /** Gives the memory of what was taken back. */
  void trim() {
    if (in != null && !in.isReadable()) {
      dropIn();
    }
  }

  /** Reads one buffer ahead, so that a client that breaks off is noticed while nothing is due. */
  void watch() {
    trim();
    if (in == null && !ended) {
      channel.read();
    }
  }

  // What the network says

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    counted = true;
    if (shared.connections.incrementAndGet() > shared.config.connectionsMax()) {
      tooMany();
      return;
    }
    loop.clients().add(this);
    alarm.in(shared.config.clientIdleTimeout());
    channel.read();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    var piece = (ByteBuf) message;
    switch (state) {
      case TUNNEL -> {
        if (tunnel == null) {
          piece.release();
        } else {
          tunnel.data(true, piece);
        }
      }
      case LINGER, CLOSED -> piece.release();
      case IDLE, HEAD, EXCHANGE ->
          in =
              in == null
                  ? piece
                  : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), in, piece);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    switch (state) {
      case TUNNEL -> {
        if (tunnel != null) {
          tunnel.readComplete(true);
        }
      }
      case LINGER -> channel.read();
      case EXCHANGE -> {
        if (exchange != null) {
          exchange.clientProgress();
        }
      }
      case IDLE, HEAD -> process();
      case CLOSED -> {}
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (!(event instanceof ChannelInputShutdownEvent) || ended) {
      return;
    }
    ended = true;
    switch (state) {
      case TUNNEL -> {
        if (tunnel != null) {
          tunnel.ended(true);
        }
      }
      case LINGER -> Sockets.close(channel);
      case EXCHANGE -> {
        if (exchange != null) {
          exchange.clientProgress();
        }
      }
      case IDLE, HEAD -> process();
      case CLOSED -> {}
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (!channel.isWritable()) {
      return;
    }
    if (exchange != null) {
      exchange.clientWritable();
    } else if (state == State.IDLE) {
      process();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    state = State.CLOSED;
    ended = true;
    if (exchange != null) {
      exchange.clientGone();
    }
    exchange = null;
    tunnel = null;
    alarm.close();
    dropIn();
    loop.clients().remove(this);
    if (counted) {
      counted = false;
      shared.connections.decrementAndGet();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (!(cause instanceof IOException)) {
      Shared.bug("a client's connection failed", cause);
    }
    Sockets.close(channel);
  }

  // Requests, one after the other

  private void process() {
    if (processing) {
      return; // the loop below comes round by itself
    }
    processing = true;
    try {
      while ((state == State.IDLE || state == State.HEAD) && channel.isWritable()) {
        if (!step()) {
          break;
        }
      }
    } finally {
      processing = false;
    }
  }

  /** Whether to go on at once. */
  private boolean step() {
    var fault = in == null ? null : parser.feed(in);
    trim();
    if (fault != null) {
      refuse(fault);
      return false;
    }
    if (parser.done()) {
      begin();
      return true;
    }
    if (ended || (in == null && state == State.IDLE && shared.draining())) {
      close();
      return false;
    }
    if (state == State.IDLE && (in != null || !parser.method().isEmpty())) {
      state = State.HEAD;
      alarm.in(shared.config.idleTimeout()); // for the whole head, however slowly it drips
    }
    channel.read();
    return false;
  }

  private void begin() {
    alarm.off();
    switch (Request.of(parser)) {
      case Request.Read.Bad(Fault fault) -> refuse(fault);
      case Request.Read.Good(Request request) -> {
        state = State.EXCHANGE;
        var next = new Exchange(this, loop, request);
        exchange = next;
        next.start();
      }
    }
  }

  /** The answer is written. */
  void exchangeDone(boolean keepAlive) {
    exchange = null;
    if (state == State.CLOSED) {
      return;
    }
    if (!keepAlive || closing()) {
      linger();
      return;
    }
    state = State.IDLE;
    parser = new RequestParser(shared.config);
    alarm.in(shared.config.clientIdleTimeout());
    process();
  }

  /** Answers with a page of the edge's own. */
  void answer(ErrorPage page, Request request, boolean keepAlive) {
    boolean keep = keepAlive && !closing();
    Sockets.writeAndFlush(
        channel,
        page.render(
            channel.alloc(),
            request.headers().tokens("accept"),
            request.method().equals("HEAD"),
            !keep));
    exchangeDone(keep);
  }

  /** The answer cannot be finished, and the client must not take it for a whole one. */
  void abort() {
    state = State.CLOSED;
    exchange = null;
    Sockets.reset(channel);
  }

  // Refusals before there is an exchange

  private void refuse(Fault fault) {
    refuse(Code.H26, fault.status(), fault.status(), fault.cause());
  }

  private void refuse(Code code, int status, int logged, @Nullable String cause) {
    var headers = parser.headers();
    var line = new LogLine(arrival);
    line.method = parser.method();
    line.path = parser.target();
    var authority = headers.count("host") == 1 ? Authority.parse(headers.first("host")) : null;
    line.host = authority == null ? "" : authority.text();
    line.requestId = RequestId.of(headers, loop.random());
    line.forwardedFor = HeaderRules.forwardedFor(headers, arrival.peer());
    line.status = logged;
    shared.log(null, line.render(code, cause));
    var title = cause == null || code != Code.H26 ? code.description() : "Bad request: " + cause;
    Sockets.writeAndFlush(
        channel,
        new ErrorPage(status, code, title, line.requestId)
            .render(
                channel.alloc(), headers.tokens("accept"), parser.method().equals("HEAD"), true));
    linger();
  }

  private void tooMany() {
    state = State.CLOSED;
    refuse(Code.H22, Code.H22.status(), Code.H22.status(), null);
    Sockets.closeAfterWrites(channel);
  }

  // Ending

  /**
   * Closes our side and lets the client read what it was sent: a full close while it still sends
   * would reset the connection and may destroy the answer.
   */
  private void linger() {
    dropIn();
    if (state == State.CLOSED) {
      return;
    }
    if (ended) {
      state = State.CLOSED;
      alarm.off();
      Sockets.closeAfterWrites(channel);
      return;
    }
    state = State.LINGER;
    alarm.in(LINGER_WAIT);
    Sockets.finish(channel);
    channel.read();
  }

  private void close() {
    state = State.CLOSED;
    dropIn();
    Sockets.closeAfterWrites(channel);
  }

  private void timedOut() {
    switch (state) {
      case IDLE, LINGER -> Sockets.close(channel);
      case HEAD -> refuse(Code.H28, 408, Code.H28.status(), null);
      case EXCHANGE, TUNNEL -> {
        if (exchange != null) {
          exchange.timedOut();
        }
      }
      case CLOSED -> {}
    }
  }

  /** The edge goes down: what lies idle ends now. */
  void drain() {
    if (state == State.IDLE && in == null) {
      close();
    }
  }

  /** The edge goes down and cannot wait any longer. */
  void cut() {
    if (exchange != null) {
      exchange.cut();
    }
    Sockets.close(channel);
  }

  private void dropIn() {
    if (in != null) {
      in.release();
      in = null;
    }
  }
}
