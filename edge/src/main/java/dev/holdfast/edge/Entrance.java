package dev.holdfast.edge;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.haproxy.HAProxyCommand;
import io.netty.handler.codec.haproxy.HAProxyMessage;
import io.netty.handler.codec.haproxy.HAProxyProxiedProtocol;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.NetUtil;
import io.netty.util.ReferenceCountUtil;
import org.jspecify.annotations.Nullable;

/**
 * The end of the pipeline of a client that has to say who it is (PROXY protocol) or to shake hands
 * (TLS) first. It counts as a connection and has one deadline for all of that; then its place is
 * taken by what serves the HTTP that the client speaks. Confined to its event loop.
 */
final class Entrance extends ChannelInboundHandlerAdapter implements Guest {
  /** ALPN name of HTTP/2 over TLS (RFC 9113 section 3.1). */
  static final String H2 = "h2";

  /** ALPN name of HTTP/1.1 (RFC 7301 section 6). */
  static final String HTTP_11 = "http/1.1";

  /** What a PROXY header may carry besides addresses, such as a certificate's names. */
  static final int PROXY_TLV_BYTES_MAX = 4096;

  private final Porch porch;
  private final SocketChannel channel;
  private final boolean tls;
  private final Alarm alarm;
  private final Quiet.Seat seat;
  private Arrival arrival;
  private String name = "";

  Entrance(Porch porch, SocketChannel channel, Arrival arrival, boolean tls) {
    this.porch = porch;
    this.channel = channel;
    this.arrival = arrival;
    this.tls = tls;
    alarm = new Alarm(porch.loop(), this::cut);
    seat = new Quiet.Seat(arrival.key(), false, this::cut);
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    if (!porch.enter(this)) {
      cut(); // no answer can be given before the handshake
      return;
    }
    alarm.in(porch.front().config().handshakeTimeout().toNanos());
    channel.read();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (message instanceof HAProxyMessage header) {
      announced(header);
      header.release();
    } else {
      ReferenceCountUtil.release(message); // data before the end of the handshake: there is none
    }
  }

  /** The client asked for the certificate of that host. */
  void asked(String host) {
    name = host;
  }

  private void announced(HAProxyMessage header) {
    boolean told =
        header.command() == HAProxyCommand.PROXY
            && header.proxiedProtocol() != HAProxyProxiedProtocol.UNKNOWN
            && literal(header.sourceAddress());
    if (told) {
      arrival = Arrival.plain(header.sourceAddress(), header.destinationPort());
    }
    if (tls) {
      channel
          .pipeline()
          .addBefore(channel.pipeline().context(this).name(), null, new TlsGate(porch.front()));
    } else {
      leave();
      serve(Front.plain(porch, channel, arrival));
    }
  }

  private static boolean literal(@Nullable String address) {
    return address != null
        && (NetUtil.isValidIpV4Address(address) || NetUtil.isValidIpV6Address(address));
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    if (ctx.pipeline().get(SslHandler.class) == null) {
      channel.read(); // the header came alone, or not whole
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof SslHandshakeCompletionEvent done) {
      var handler = ctx.pipeline().get(SslHandler.class);
      if (!done.isSuccess() || handler == null) {
        cut();
      } else {
        secured(handler);
      }
    } else if (event instanceof io.netty.channel.socket.ChannelInputShutdownEvent) {
      cut();
    }
  }

  private void secured(SslHandler handler) {
    var protocol = handler.applicationProtocol();
    if (ClientHello.ACME.equals(protocol)) {
      Sockets.closeAfterWrites(channel); // RFC 8737 section 3: the handshake is the whole answer
      return;
    }
    arrival = Front.secured(arrival, handler, name);
    leave();
    var hold = channel.pipeline().get(TlsHold.class);
    if (H2.equals(protocol)) {
      channel.pipeline().remove(hold);
      Http2Client.install(porch, channel, arrival);
      channel.read();
      return;
    }
    channel.pipeline().addLast(new TlsEnd(hold));
    var client =
        HTTP_11.equals(protocol)
            ? new ClientConnection(porch.loop(), channel, arrival)
            : Front.plain(porch, channel, arrival);
    if (HTTP_11.equals(protocol)) {
      channel.pipeline().addLast(client);
    }
    hold.serve(client);
    serve(client);
  }

  private void serve(ClientConnection client) {
    client.channelActive(channel.pipeline().context(client));
  }

  private void leave() {
    alarm.close();
    porch.leave(this);
    channel.pipeline().remove(this);
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    alarm.close();
    porch.leave(this);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    cut(); // whatever a stranger's first bytes may be, they are no defect of ours
  }

  @Override
  public Quiet.Seat seat() {
    return seat;
  }

  @Override
  public void drain() {
    cut();
  }

  @Override
  public void cut() {
    Sockets.close(channel);
  }
}
