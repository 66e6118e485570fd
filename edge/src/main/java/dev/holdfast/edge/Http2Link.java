package dev.holdfast.edge;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2GoAwayFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2SettingsFrame;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP/2 connection to an app and the streams on it. It is used once the app's SETTINGS are
 * there, which also proves that the app speaks HTTP/2, and closed when it lay idle. Confined to its
 * event loop.
 *
 * <pre>
 * OPENING -> OPEN -> RETIRED (GOAWAY, or its endpoint is forgotten) -> GONE
 * </pre>
 */
final class Http2Link extends ChannelInboundHandlerAdapter {
  private enum State {
    OPENING,
    OPEN,
    RETIRED,
    GONE
  }

  private final Loop loop;
  private final Gauge gauge;
  private final Target target;
  private final int generation;
  private final Consumer<Http2Link> whenRetired;
  private final Alarm alarm;
  private final Deque<Loop.Connected> waiting = new ArrayDeque<>(); // bounded by room()
  private final Set<Channel> streams = new HashSet<>();
  private State state = State.OPENING;
  private int streamsMax;
  private @Nullable Channel channel;

  Http2Link(Loop loop, Gauge gauge, Consumer<Http2Link> whenRetired) {
    this.loop = loop;
    this.gauge = gauge;
    target = gauge.target;
    generation = gauge.generation();
    this.whenRetired = whenRetired;
    alarm = new Alarm(loop, this::ring);
    streamsMax = loop.shared().front.upstreamStreamsMax();
  }

  Target target() {
    return target;
  }

  /** Whether one more request may have a stream of it. */
  boolean room() {
    return (state == State.OPENING || state == State.OPEN)
        && waiting.size() + streams.size() < streamsMax;
  }

  /** Hands a stream over now, or as soon as the connection stands. */
  void take(Loop.Connected then) {
    if (state == State.OPEN) {
      open(then);
    } else {
      waiting.add(then);
    }
  }

  void connect(Bootstrap bootstrap, InetSocketAddress address) {
    var _ =
        bootstrap
            .clone()
            .handler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel socket) {
                    fill(socket);
                  }
                })
            .connect(address)
            .addListener((ChannelFuture future) -> {
              if (future.isSuccess()) {
                loop.shared()
                    .proofs
                    .prove(
                        gauge,
                        address.getAddress(),
                        loop.eventLoop(),
                        own -> proven(own, future.channel()));
              } else {
                gone(future.cause());
              }
            });
  }

  private void fill(SocketChannel socket) {
    var front = loop.shared().front;
    int seconds = (int) front.floodWindow().toSeconds();
    var codec =
        Http2FrameCodecBuilder.forClient()
            .initialSettings(
                Http2Settings.defaultSettings()
                    .pushEnabled(false)
                    .initialWindowSize(front.streamWindowBytes())
                    .maxHeaderListSize(Response.HEAD_BYTES_MAX))
            .validateHeaders(true)
            .encoderEnforceMaxQueuedControlFrames(front.queuedFramesMax())
            .decoderEnforceMaxConsecutiveEmptyDataFrames(front.emptyFramesMax())
            .decoderEnforceMaxRstFramesPerWindow(front.resetsMax(), seconds)
            .decoderEnforceMaxSmallContinuationFrames(front.continuationsMax())
            .gracefulShutdownTimeoutMillis(Math.max(1, loop.shared().config.drainWait().toMillis()))
            .build();
    socket
        .pipeline()
        .addLast(codec)
        .addLast(new Http2MultiplexHandler(new Refusing()))
        .addLast(this);
  }

  /** Push is off, so the app may begin no stream. */
  private static final class Refusing extends ChannelInitializer<Channel> {
    @Override
    protected void initChannel(Channel stream) {
      Sockets.close(stream);
    }

    @Override
    public boolean isSharable() {
      return true;
    }
  }

  private void proven(boolean own, Channel connected) {
    channel = connected;
    if (!own) {
      gone(new Proofs.StrangerException(target));
    }
    if (state == State.GONE) {
      Sockets.close(connected);
    } else {
      alarm.in(loop.shared().config.connectTimeout().toNanos());
      connected.read();
    }
  }

  private void open(Loop.Connected then) {
    var parent = channel;
    if (parent == null) {
      then.connected(null, new ConnectException("no HTTP/2 connection to " + target));
      return;
    }
    alarm.off();
    var _ =
        new Http2StreamChannelBootstrap(parent)
            .handler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel stream) {
                    fillStream(stream);
                  }
                })
            .open()
            .addListener((Future<Http2StreamChannel> future) -> opened(future, then));
  }

  private void fillStream(Channel stream) {
    streams.add(stream);
    var _ = stream.closeFuture().addListener(_ -> closed(stream));
    stream.config().setAutoRead(false);
    stream.config().setAutoClose(false); // a failed write must not hide an answer
    stream.config().setRecvByteBufAllocator(Http2Client.oneFrame());
    stream.config().setWriteBufferWaterMark(Loop.watermarks(loop.shared().config));
    stream
        .pipeline()
        .addLast(new Http2AppStream())
        .addLast(new UpstreamConnection(loop, target, generation, stream));
  }

  private void opened(Future<Http2StreamChannel> future, Loop.Connected then) {
    var connection =
        future.isSuccess() ? future.getNow().pipeline().get(UpstreamConnection.class) : null;
    if (connection == null) {
      retire(); // such as when its stream ids are used up
      then.connected(null, new ConnectException("no HTTP/2 stream to " + target));
    } else {
      then.connected(connection, null);
    }
  }

  private void closed(Channel stream) {
    streams.remove(stream);
    rest();
  }

  private void rest() {
    if (streams.isEmpty() && waiting.isEmpty()) {
      if (state == State.OPEN) {
        alarm.in(loop.shared().upstreamIdleNanos);
      } else if (state == State.RETIRED && channel != null) {
        Sockets.close(channel);
      }
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (message instanceof Http2SettingsFrame frame) {
      var max = frame.settings().maxConcurrentStreams();
      if (max != null) {
        streamsMax = (int) Math.min(max, loop.shared().front.upstreamStreamsMax());
      }
      stands();
    } else if (message instanceof Http2GoAwayFrame) {
      retire();
    }
    ReferenceCountUtil.release(message);
  }

  /** The app speaks HTTP/2: whoever waited gets a stream. */
  private void stands() {
    if (state == State.OPENING) {
      state = State.OPEN;
      alarm.off();
      for (var then = waiting.poll(); then != null; then = waiting.poll()) {
        if (streams.size() < streamsMax) {
          open(then);
        } else {
          then.connected(null, new ConnectException(target + " takes no more streams"));
        }
      }
      rest();
    }
  }

  private void ring() {
    if (state == State.OPENING) {
      gone(new ConnectTimeoutException("no SETTINGS from " + target));
    } else if (channel != null && streams.isEmpty()) {
      retire();
    }
  }

  /** Takes no more streams, and closes after the last. */
  void retire() {
    if (state == State.OPEN) {
      state = State.RETIRED;
      whenRetired.accept(this);
      rest();
    } else if (state == State.OPENING) {
      gone(new ConnectException(target + " refused the HTTP/2 connection"));
    }
  }

  void cut() {
    List.copyOf(streams).forEach(Sockets::close);
    gone(new ConnectException("the edge goes down"));
  }

  private void gone(@Nullable Throwable cause) {
    if (state == State.GONE) {
      return;
    }
    state = State.GONE;
    alarm.close();
    whenRetired.accept(this);
    for (var then = waiting.poll(); then != null; then = waiting.poll()) {
      then.connected(null, cause);
    }
    if (channel != null) {
      Sockets.close(channel);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    gone(new ConnectException(target + " closed the HTTP/2 connection"));
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    ReferenceCountUtil.release(event); // streams hear what concerns them
    if (event instanceof ChannelInputShutdownEvent) {
      gone(new ConnectException(target + " closed the HTTP/2 connection"));
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    gone(new ConnectException(target + " speaks no HTTP/2: " + cause.getMessage()));
  }
}
