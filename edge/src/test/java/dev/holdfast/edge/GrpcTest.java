package dev.holdfast.edge;

import static dev.holdfast.edge.H2Wire.DATA;
import static dev.holdfast.edge.H2Wire.END_HEADERS;
import static dev.holdfast.edge.H2Wire.HEADERS;
import static dev.holdfast.edge.H2Wire.RST_STREAM;
import static dev.holdfast.edge.H2Wire.WHOLE;
import static dev.holdfast.edge.H2Wire.number;
import static dev.holdfast.edge.H2Wire.request;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ledger.Policy;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** From a client's HTTP/2 through the core to an app's HTTP/2, as gRPC needs it. */
class GrpcTest {
  private static final String PATH = "/pkg.Greeter/";

  /** An app that speaks HTTP/2 by prior knowledge, and nothing else. */
  private static final class App implements AutoCloseable {
    final AtomicInteger connections = new AtomicInteger();
    final List<Http2Headers> heads = new CopyOnWriteArrayList<>();
    final List<Long> resets = new CopyOnWriteArrayList<>();
    private final MultiThreadIoEventLoopGroup group =
        new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Channel listener;

    App(long streamsMax) {
      listener =
          new ServerBootstrap()
              .group(group)
              .channel(NioServerSocketChannel.class)
              .childHandler(
                  new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                      connections.incrementAndGet();
                      channel
                          .pipeline()
                          .addLast(
                              Http2FrameCodecBuilder.forServer()
                                  .initialSettings(
                                      Http2Settings.defaultSettings()
                                          .maxConcurrentStreams(streamsMax))
                                  .build(),
                              new Http2MultiplexHandler(
                                  new ChannelInitializer<Channel>() {
                                    @Override
                                    protected void initChannel(Channel stream) {
                                      stream.pipeline().addLast(new Call());
                                    }
                                  }));
                    }
                  })
              .bind(new InetSocketAddress(java.net.InetAddress.getLoopbackAddress(), 0))
              .syncUninterruptibly()
              .channel();
    }

    int port() {
      return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    @Override
    public void close() {
      var _ = listener.close().awaitUninterruptibly(2000);
      var _ = group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2000);
    }

    /** Echoes every message; what else it does its path says. */
    private final class Call extends ChannelInboundHandlerAdapter {
      private String path = "";

      @Override
      public void channelRead(ChannelHandlerContext ctx, Object message) {
        try {
          switch (message) {
            case Http2HeadersFrame frame -> begin(ctx, frame);
            case Http2DataFrame frame -> {
              if (frame.content().isReadable()) {
                var _ =
                    ctx.writeAndFlush(
                        new DefaultHttp2DataFrame(frame.content().retainedDuplicate()));
              }
              if (frame.isEndStream()) {
                end(ctx);
              }
            }
            default -> {}
          }
        } finally {
          ReferenceCountUtil.release(message);
        }
      }

      private void begin(ChannelHandlerContext ctx, Http2HeadersFrame frame) {
        heads.add(frame.headers());
        path = String.valueOf(frame.headers().path());
        if (path.endsWith("Refuse")) {
          var only = new DefaultHttp2Headers().status("200").add("grpc-status", "7");
          var _ =
              ctx.writeAndFlush(
                  new DefaultHttp2HeadersFrame(only.add("content-type", "application/grpc"), true));
          return;
        }
        var headers = new DefaultHttp2Headers().status("200");
        headers.add("content-type", "application/grpc");
        var _ = ctx.writeAndFlush(new DefaultHttp2HeadersFrame(headers));
        if (path.endsWith("Break")) {
          var _ = ctx.writeAndFlush(new DefaultHttp2ResetFrame(Http2Error.INTERNAL_ERROR));
        } else if (frame.isEndStream()) {
          end(ctx);
        }
      }

      private void end(ChannelHandlerContext ctx) {
        if (!path.endsWith("Hang")) {
          var trailers = new DefaultHttp2Headers().add("grpc-status", "0");
          var _ =
              ctx.writeAndFlush(
                  new DefaultHttp2HeadersFrame(trailers.add("grpc-message", "fine"), true));
        }
      }

      @Override
      public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof Http2ResetFrame frame) {
          resets.add(frame.errorCode());
        }
        ReferenceCountUtil.release(event);
      }
    }
  }

  private static FrontRig rig(TestFront front, int port) throws IOException {
    var config = new TestConfig();
    config.eventLoops = 1;
    var rig =
        new FrontRig(config, front, Keys.of("app.test")).route("app.test", port).http2("app.test");
    return rig;
  }

  private static FrontRig rig(App app) throws IOException {
    return rig(new TestFront(), app.port());
  }

  private static void call(H2Wire wire, int stream, String method) throws IOException {
    wire.headers(
        stream,
        END_HEADERS,
        request("POST", PATH + method, "content-type", "application/grpc", "te", "trailers"));
  }

  /** One message as gRPC frames it. */
  private static String message(String text) {
    return new String(number(text.length()), ISO_8859_1).transform(size -> "\0" + size) + text;
  }

  @Test
  void passesAUnaryCall() throws Exception {
    try (var app = new App(100);
        var rig = rig(app);
        var wire = H2Wire.to(rig.edge.address())) {
      call(wire, 1, "Hello");
      var answer = wire.data(1, true, message("holdfast")).answer(1);
      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.has("content-type: application/grpc")).isTrue();
      assertThat(answer.body()).isEqualTo(message("holdfast"));
      assertThat(answer.trailers()).containsExactly("grpc-status: 0", "grpc-message: fine");
      var head = app.heads.getFirst();
      assertThat(head.method()).hasToString("POST");
      assertThat(head.path()).hasToString(PATH + "Hello");
      assertThat(head.authority()).hasToString("app.test");
      assertThat(head.get("te")).hasToString("trailers");
      assertThat(head.get("x-forwarded-for")).hasToString("127.0.0.1");
      assertThat(head.contains("connection")).isFalse();
      assertThat(head.contains("transfer-encoding")).isFalse();
      assertThat(rig.logged(1)).contains("status=200");
    }
  }

  @Test
  void passesMessagesOfBothSidesAsTheyCome() throws Exception {
    try (var app = new App(100);
        var rig = rig(app);
        var wire = H2Wire.to(rig.edge.address())) {
      call(wire, 1, "Chat");
      assertThat(wire.fields(wire.next(HEADERS))).contains(":status: 200"); // before any message
      for (int i = 0; i < 20; i++) {
        wire.data(1, false, message("message " + i));
        assertThat(wire.next(DATA).text()).isEqualTo(message("message " + i));
      }
      var end = wire.data(1, true, "").next(HEADERS);
      assertThat(wire.fields(end)).contains("grpc-status: 0");
      assertThat(end.endStream()).isTrue();
    }
  }

  @Test
  void passesAnAnswerOfTrailersOnly() throws Exception {
    try (var app = new App(100);
        var rig = rig(app);
        var wire = H2Wire.to(rig.edge.address())) {
      call(wire, 1, "Refuse");
      var answer = wire.data(1, true, message("please")).next(HEADERS);
      assertThat(wire.fields(answer)).contains(":status: 200", "grpc-status: 7");
      assertThat(answer.endStream()).isTrue();
    }
  }

  @Test
  void sharesOneConnectionAndOpensAnotherWhenItsStreamsAreTaken() throws Exception {
    try (var app = new App(3);
        var rig = rig(app);
        var wire = H2Wire.to(rig.edge.address())) {
      for (int i = 0; i < 3; i++) {
        call(wire, 1 + 2 * i, "Chat");
        assertThat(wire.fields(wire.next(HEADERS))).contains(":status: 200");
      }
      assertThat(app.connections).hasValue(1);
      call(wire, 7, "Chat");
      assertThat(wire.fields(wire.next(HEADERS))).contains(":status: 200");
      assertThat(app.connections).hasValue(2);
    }
  }

  @Test
  void opensNoMoreConnectionsThanThePolicyLets() throws Exception {
    try (var app = new App(1);
        var rig = rig(app);
        var wire = H2Wire.to(rig.edge.address())) {
      rig.policy(
          "app.test",
          PolicyForm.of("upstream", Policy.Upstream.H2C, "connectionsPerEndpointMax", 1));
      call(wire, 1, "Chat");
      assertThat(wire.fields(wire.next(HEADERS))).contains(":status: 200");
      call(wire, 3, "Chat");
      assertThat(wire.data(3, true, "").answer(3).has("holdfast-error: H11")).isTrue();
      assertThat(app.connections).hasValue(1);
    }
  }

  @Test
  void cancelsTheCallWhenTheClientDoes() throws Exception {
    try (var app = new App(100);
        var rig = rig(app);
        var wire = H2Wire.to(rig.edge.address())) {
      call(wire, 1, "Hang");
      wire.next(HEADERS);
      wire.frame(RST_STREAM, 0, 1, number(8));
      Rig.until(() -> !app.resets.isEmpty());
      assertThat(app.resets).containsExactly(Http2Error.CANCEL.code());
      assertThat(rig.logged(1)).contains("code=H27");
    }
  }

  @Test
  void resetsTheCallThatTheAppBreaksOff() throws Exception {
    try (var app = new App(100);
        var rig = rig(app);
        var wire = H2Wire.to(rig.edge.address())) {
      call(wire, 1, "Break");
      assertThat(wire.end()).isIn("answer :status: 200", "reset 2", "answer :status: 503");
      assertThat(rig.logged(1)).contains("code=H1");
    }
  }

  @Test
  void closesConnectionsThatLieIdle() throws Exception {
    try (var app = new App(100)) {
      var config = new TestConfig();
      config.upstreamIdleTimeout = java.time.Duration.ofMillis(100);
      try (var rig =
              new FrontRig(config, new TestFront(), Keys.of("app.test"))
                  .route("app.test", app.port())
                  .http2("app.test");
          var wire = H2Wire.to(rig.edge.address())) {
        call(wire, 1, "Hello");
        wire.data(1, true, message("a")).answer(1);
        Rig.until(() -> rig.edge.http2Links() == 0);
        call(wire, 3, "Hello");
        assertThat(wire.data(3, true, message("b")).answer(3).body()).isEqualTo(message("b"));
        assertThat(app.connections).hasValue(2);
      }
    }
  }

  @Test
  void servesClientsOfHttp11() throws Exception {
    try (var app = new App(100);
        var rig = rig(app);
        var wire = rig.plain()) {
      for (int i = 0; i < 3; i++) {
        wire.send("POST /echo HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\nhello");
        var answer = wire.message();
        assertThat(answer.body()).isEqualTo("hello");
        assertThat(answer.field("connection")).isNull();
      }
      assertThat(app.connections).hasValue(1);
    }
  }

  @Test
  void saysWhenTheAppSpeaksNoHttp2() throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = rig(new TestFront(), backend.port());
        var wire = H2Wire.to(rig.edge.address())) {
      assertThat(wire.headers(1, WHOLE, request("GET", "/")).answer(1).status()).isEqualTo(503);
      assertThat(rig.logged(1)).contains("code=H21");
    }
  }
}
