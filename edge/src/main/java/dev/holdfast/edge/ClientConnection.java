package dev.holdfast.edge;

import dev.holdfast.ledger.Policy;
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
  private Arrival told; // of the request under way, as a trusted proxy says
  private final Outgoing out;
  private final Alarm alarm;
  private State state = State.IDLE;
  private @Nullable Request request;
  private @Nullable ByteBuf in;
  private @Nullable Exchange exchange;
  private @Nullable Exchange spare;
  private @Nullable Tunnel tunnel;
  private boolean ended;
  private boolean processing;
  private boolean reading;
  private boolean counted;
  private final long key;
  private final boolean proxy;
  private final Quiet.Seat seat;

  ClientConnection(Loop loop, Channel channel, Arrival arrival) {
    this.loop = loop;
    this.channel = channel;
    this.arrival = arrival;
    told = arrival;
    key = arrival.key();
    seat = new Quiet.Seat(key, arrival.http2(), this::evict);
    shared = loop.shared();
    proxy = shared.visitors.believes(arrival.peer());
    out = new Outgoing(channel, loop.flushes());
    alarm = new Alarm(loop, this::timedOut);
  }

  Channel channel() {
    return channel;
  }

  /** Who a request's client is to admission: the peer, or whom a trusted proxy speaks for. */
  long key(Head head) {
    return proxy ? shared.visitors.key(this, head, shared.admission) : key;
  }

  Outgoing out() {
    return out;
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

  @Nullable Exchange exchange() {
    return exchange;
  }

  /** How the client came that the request under way is from. */
  Arrival arrival() {
    return told;
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

  /** Asks for what the client sends next; once is enough until it came. */
  void read() {
    if (!reading) {
      reading = true;
      channel.read();
    }
  }

  /** Reads one buffer ahead, so that a client that breaks off is noticed while nothing is due. */
  void watch() {
    trim();
    if (in == null && !ended) {
      read();
    }
  }

  // What the network says

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    loop.stamp();
    counted = true;
    shared.connectionsOf.enter(key);
    if (shared.connections.incrementAndGet() > shared.config.connectionsMax()
        && !loop.quiet().makeRoom()) {
      tooMany();
      return;
    }
    loop.quiet().add(seat, loop.now());
    if (!shared.admission.names.knows(key)) {
      shared.admission.names.put(key, arrival.peer());
    }
    loop.clients().add(this);
    alarm.in(shared.clientIdleNanos);
    read();
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
    reading = false;
    loop.stamp();
    switch (state) {
      case TUNNEL -> {
        if (tunnel != null) {
          tunnel.readComplete(true);
        }
      }
      case LINGER -> read();
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
    dropRequest();
    out.drop();
    loop.clients().remove(this);
    loop.quiet().remove(seat);
    if (counted) {
      counted = false;
      shared.connectionsOf.leave(key);
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
    var asked = request;
    if (asked == null && in != null) {
      asked = loop.takeRequest();
      request = asked;
    }
    var fault = in == null || asked == null ? null : asked.feed(in);
    trim();
    if (fault != null) {
      refuse(fault);
      return false;
    }
    if (asked != null && asked.done()) {
      begin(asked);
      return true;
    }
    if (ended || (asked == null && shared.draining())) {
      close();
      return false;
    }
    if (state == State.IDLE && asked != null) {
      state = State.HEAD;
      alarm.in(shared.idleNanos); // for the whole head, however slowly it drips
    }
    read();
    return false;
  }

  private void begin(Request asked) {
    alarm.off();
    var fault = asked.understand();
    if (fault != null) {
      refuse(fault);
      return;
    }
    told = proxy ? Visitors.arrival(arrival, told, asked.head) : arrival;
    state = State.EXCHANGE;
    loop.quiet().remove(seat);
    request = null;
    var next = spare == null ? new Exchange(this, loop) : spare;
    spare = next;
    exchange = next;
    next.start(asked);
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
    alarm.in(shared.clientIdleNanos);
    loop.quiet().add(seat, loop.now());
    process();
  }

  /** Answers with a page of the edge's own. */
  void answer(
      Page page, @Nullable String accept, String more, boolean bodyless, boolean keepAlive) {
    boolean keep = keepAlive && !closing();
    answer(page.render(channel.alloc(), accept, more, bodyless, !keep), keep);
  }

  /** Answers with that, head and body. */
  void answer(ByteBuf whole, boolean keepAlive) {
    out.pass(whole);
    out.flush();
    exchangeDone(keepAlive && !closing());
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
    var asked = request == null ? loop.takeRequest() : request;
    request = asked;
    var seen = new Heads.Sent();
    RequestId.of(asked.head, loop.random(), seen);
    Heads.noteForwardedFor(asked.head, arrival.peerBytes(), seen);
    var tally = new Tally();
    tally.status = logged;
    tally.code = code;
    tally.cause = cause;
    tally.write(loop, arrival, null, asked, seen);
    var meter = loop.meters().meter(null);
    meter.begun();
    meter.ended(logged, code, 0, 0, 0);
    var id = asked.head.text(seen.idAt, seen.idEnd);
    var title = cause == null || code != Code.H26 ? code.description() : "Bad request: " + cause;
    out.pass(
        Page.of(status, code, title, id, Policy.NONE, loop.random())
            .render(channel.alloc(), Page.accepted(asked.head), "", asked.forHead(), true));
    out.flush();
    dropRequest();
    linger();
  }

  private void dropRequest() {
    var asked = request;
    if (asked != null) {
      request = null;
      loop.give(asked);
    }
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
    out.flush();
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
    alarm.in(LINGER_WAIT.toNanos());
    Sockets.finish(channel);
    read();
  }

  private void close() {
    out.flush();
    state = State.CLOSED;
    dropIn();
    Sockets.closeAfterWrites(channel);
  }

  /** Somebody needs its place. */
  private void evict() {
    if (state == State.HEAD) {
      refuse(Code.H28, 408, Code.H28.status(), null);
    }
    state = State.CLOSED;
    Sockets.close(channel);
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
    if (state == State.IDLE && in == null && request == null) {
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
