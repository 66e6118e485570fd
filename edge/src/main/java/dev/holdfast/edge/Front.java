package dev.holdfast.edge;

import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.haproxy.HAProxyMessageDecoder;
import io.netty.handler.ssl.SslHandler;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Everything between an accept and a {@link ClientConnection}: who the client is when a trusted
 * proxy speaks for it, TLS, and which HTTP it speaks. Thread-safe; its channels are confined to
 * their event loops.
 *
 * <pre>
 * accept -+- trusted proxy? - PROXY header -+
 *         |                                 |
 *         +---------------------------------+- plain - Peek -+- "PRI * HTTP/2.0" ----+
 *                                           |                |                       |
 *                                           |                +- anything else -+     |
 *                                           |                                  |     |
 *                                           +- TLS - ClientHello - name, ALPN  |     |
 *                                                       |                      |     |
 *                     alert - no such name -------------+- no ALPN - Peek ---> |     |
 *                     close - acme-tls/1 ---------------+- http/1.1 ---------> |     |
 *                                                       +- h2 ---------------------> |
 *                                                                              |     |
 *                                                          ClientConnection <--+     |
 *                            one per stream: Http2ClientStream, ClientConnection <---+
 * </pre>
 *
 * <p>A handler leaves the pipeline as soon as its question is answered. What stays is nothing on a
 * plain connection, and on a TLS connection the record layer with the two small handlers beside it
 * that make TLS end like TCP does (see {@link TlsHold} and {@link TlsEnd}).
 */
final class Front {
  private final FrontConfig config;
  private final TlsContexts contexts;
  private final TlsContexts challenges;
  private final TlsKeys keys;
  private final Peers proxies;
  private final IdentityHashMap<EventLoop, Porch> porches = new IdentityHashMap<>();

  Front(FrontConfig config, TlsKeys keys, Map<EventLoop, Loop> loops) {
    this.config = config;
    this.keys = keys;
    contexts = new TlsContexts(config, keys, List.of(Entrance.H2, Entrance.HTTP_11));
    challenges = new TlsContexts(config, keys, List.of(ClientHello.ACME));
    proxies = Peers.of(config.proxies());
    loops.forEach((eventLoop, loop) -> porches.put(eventLoop, new Porch(this, loop)));
  }

  FrontConfig config() {
    return config;
  }

  TlsKeys keys() {
    return keys;
  }

  TlsContexts contexts() {
    return contexts;
  }

  TlsContexts challenges() {
    return challenges;
  }

  /** What a listener's channels begin with. */
  ChannelInitializer<SocketChannel> listener(boolean tls) {
    return new ChannelInitializer<>() {
      @Override
      protected void initChannel(SocketChannel channel) {
        var porch = porches.get(channel.eventLoop());
        if (porch == null) {
          throw new IllegalStateException("a channel on a foreign event loop");
        }
        begin(porch, channel, tls);
      }
    };
  }

  private void begin(Porch porch, SocketChannel channel, boolean tls) {
    porch.loop().shared().accepted.incrementAndGet();
    channel.config().setAllocator(porch.loop().buffers());
    boolean announced =
        (tls ? config.tlsProxyProtocol() : config.proxyProtocol())
            && channel.remoteAddress() != null
            && proxies.holds(channel.remoteAddress().getAddress());
    var arrival = Arrival.plain(channel);
    if (!announced && !tls) {
      plain(porch, channel, arrival);
      return;
    }
    var entrance = new Entrance(porch, channel, arrival, tls);
    if (announced) {
      channel.pipeline().addLast(new HAProxyMessageDecoder(Entrance.PROXY_TLV_BYTES_MAX, true));
    } else {
      channel.pipeline().addLast(new TlsGate(this));
    }
    channel.pipeline().addLast(entrance);
  }

  /** A connection that may speak either HTTP, as its first bytes say. */
  static ClientConnection plain(Porch porch, SocketChannel channel, Arrival arrival) {
    var client = new ClientConnection(porch.loop(), channel, arrival);
    channel.pipeline().addLast(new Peek(porch, arrival, client)).addLast(client);
    return client;
  }

  void drain(EventLoop eventLoop) {
    var porch = porches.get(eventLoop);
    if (porch != null) {
      porch.drain();
    }
  }

  void cut(EventLoop eventLoop) {
    var porch = porches.get(eventLoop);
    if (porch != null) {
      porch.cut();
    }
  }

  /** Gives the memory of the TLS contexts back, once nobody shakes hands any more. */
  void close() {
    contexts.close();
    challenges.close();
  }

  /** How a TLS client came, once it has shaken hands. */
  static Arrival secured(Arrival arrival, SslHandler tls, String name) {
    var version = tls.engine().getSession().getProtocol().equals("TLSv1.3") ? "tls1.3" : "tls1.2";
    return arrival.secured(version, name);
  }
}
