package dev.holdfast.edge;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.MaxMessagesRecvByteBufAllocator;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http2.DefaultHttp2GoAwayFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameCodec;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * One client's HTTP/2 connection (RFC 9113): each of its streams becomes a channel with a {@link
 * ClientConnection} of its own; what is left here is how many, how long and how the connection
 * ends. Confined to its event loop.
 *
 * <pre>
 * SERVING -> WARNED (GOAWAY for no stream in particular) -> LEAVING (GOAWAY) -> closed
 * </pre>
 */
final class Http2Client extends ChannelInboundHandlerAdapter implements Guest {
  /** A client that heard it is to leave gets this share of the drain wait to hear it. */
  private static final int WARNED_SHARE = 4;

  private static final Duration WARNED_MAX = Duration.ofSeconds(1);

  private enum State {
    SERVING,
    PACED,
    WARNED,
    LEAVING
  }

  private final Porch porch;
  private final Channel channel;
  private final Arrival arrival;
  private final Http2FrameCodec codec;
  private final Alarm alarm;
  private final Set<Channel> streams = new HashSet<>();
  private final Quiet.Seat seat;
  private State state = State.SERVING;

  private Http2Client(Porch porch, Channel channel, Arrival arrival) {
    this.porch = porch;
    this.channel = channel;
    this.arrival = arrival;
    codec = codec(porch.front().config(), porch.loop().shared().config);
    alarm = new Alarm(porch.loop(), this::ring);
    seat = new Quiet.Seat(arrival.key(), false, this::leave);
  }

  /** Ends the pipeline of a connection whose preface is the next that comes. */
  static void install(Porch porch, Channel channel, Arrival arrival) {
    var client = new Http2Client(porch, channel, arrival.multiplexed());
    if (!porch.enter(client)) {
      Sockets.close(channel);
      return;
    }
    channel
        .pipeline()
        .addLast(new Http2Watch(porch.front().config(), porch.loop(), client.codec))
        .addLast(client.codec)
        .addLast(new Http2MultiplexHandler(client.streams()))
        .addLast(client);
    client.begin();
  }

  private static Http2FrameCodec codec(FrontConfig front, EdgeConfig edge) {
    int seconds = (int) front.floodWindow().toSeconds();
    return Http2FrameCodecBuilder.forServer()
        .initialSettings(
            Http2Settings.defaultSettings()
                .maxConcurrentStreams(front.streamsMax())
                .initialWindowSize(front.streamWindowBytes())
                .maxHeaderListSize(front.headerListBytesMax()))
        .validateHeaders(true)
        .encoderIgnoreMaxHeaderListSize(true)
        .encoderEnforceMaxQueuedControlFrames(front.queuedFramesMax())
        .decoderEnforceMaxConsecutiveEmptyDataFrames(front.emptyFramesMax())
        .decoderEnforceMaxRstFramesPerWindow(front.resetsMax(), seconds)
        .encoderEnforceMaxRstFramesPerWindow(front.resetsMax(), seconds)
        .decoderEnforceMaxSmallContinuationFrames(front.continuationsMax())
        .gracefulShutdownTimeoutMillis(Math.max(1, edge.drainWait().toMillis()))
        .build();
  }

  private void begin() {
    var connection = codec.connection();
    var flow = connection.local().flowController();
    int more =
        porch.front().config().connectionWindowBytes()
            - flow.windowSize(connection.connectionStream());
    try {
      if (more > 0) {
        flow.incrementWindowSize(connection.connectionStream(), more);
        channel.flush();
      }
    } catch (Http2Exception e) {
      Shared.bug("a connection window cannot grow", e);
    }
    alarm.in(porch.loop().shared().clientIdleNanos);
    if (porch.loop().shared().draining()) {
      drain();
    }
  }

  private ChannelInitializer<Channel> streams() {
    return new ChannelInitializer<>() {
      @Override
      protected void initChannel(Channel stream) {
        opened(stream);
      }
    };
  }

  private void opened(Channel stream) {
    streams.add(stream);
    porch.loop().quiet().remove(seat);
    if (state == State.SERVING) {
      alarm.off();
    }
    var _ = stream.closeFuture().addListener(_ -> closed(stream));
    var loop = porch.loop();
    stream.config().setAutoRead(false);
    stream.config().setRecvByteBufAllocator(oneFrame());
    stream.config().setWriteBufferWaterMark(Loop.watermarks(loop.shared().config));
    stream
        .pipeline()
        .addLast(new Http2ClientStream())
        .addLast(new ClientConnection(loop, stream, arrival));
  }

  /** A read takes one frame, so that no more than that waits for the app. */
  static MaxMessagesRecvByteBufAllocator oneFrame() {
    return new FixedRecvByteBufAllocator(Loop.READ_BYTES_MAX).maxMessagesPerRead(1);
  }

  private void closed(Channel stream) {
    streams.remove(stream);
    if (streams.isEmpty() && state == State.SERVING) {
      porch.loop().quiet().add(seat, porch.loop().now());
      alarm.in(porch.loop().shared().clientIdleNanos);
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ReferenceCountUtil.release(message); // the codec has answered it
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    ReferenceCountUtil.release(event); // streams hear what concerns them
    if (event instanceof ChannelInputShutdownEvent || event instanceof SslCloseCompletionEvent) {
      cut(); // who can send no more frames cannot take an answer either
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    alarm.close();
    porch.leave(this);
    closeStreams(); // also those that wait with unread frames
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    // The codec answers what it finds wrong with a GOAWAY; a broken socket closes by itself.
    if (!(cause instanceof Http2Exception)) {
      Sockets.close(channel);
    }
  }

  private void ring() {
    var shared = porch.loop().shared();
    switch (state) {
      case SERVING -> leave();
      case PACED -> {
        state = State.WARNED;
        goAway(Integer.MAX_VALUE); // RFC 9113 section 6.8: what is on its way is still served
        var share = shared.config.drainWait().dividedBy(WARNED_SHARE);
        alarm.in((share.compareTo(WARNED_MAX) < 0 ? share : WARNED_MAX).toNanos());
      }
      case WARNED -> leave();
      case LEAVING -> {}
    }
  }

  private void leave() {
    state = State.LEAVING;
    goAway(0);
    Sockets.close(channel); // the codec waits for the streams
  }

  private void goAway(int extraStreamIds) {
    var frame = new DefaultHttp2GoAwayFrame(Http2Error.NO_ERROR);
    frame.setExtraStreamIds(extraStreamIds);
    var _ = channel.writeAndFlush(frame);
  }

  @Override
  public Quiet.Seat seat() {
    return seat;
  }

  /** Not all connections at one time: each of them comes back at once, to somebody else. */
  @Override
  public void drain() {
    if (state == State.SERVING) {
      state = State.PACED;
      long spread = porch.loop().shared().config.drainWait().dividedBy(2).toNanos();
      alarm.in(spread <= 0 ? 0 : porch.loop().random().nextLong(spread));
    }
  }

  @Override
  public void cut() {
    closeStreams();
    Sockets.close(channel);
  }

  private void closeStreams() {
    List.copyOf(streams).forEach(Sockets::close);
  }
}
