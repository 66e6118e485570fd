package dev.holdfast.edge;

import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.MetricSource;
import dev.holdfast.limits.RodView;
import dev.holdfast.limits.Supervised;
import dev.holdfast.limits.Time;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannelRecvByteBufAllocator;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A streaming HTTP/1.1 reverse proxy by host name (RFC 9110, RFC 9112): every request goes to where
 * the current {@link Routing} says, and every request leaves one line in the {@link RouterLog}.
 * Thread-safe.
 */
public final class Edge implements AutoCloseable {
  private static final int BACKLOG = 4096;

  /** While descriptors or memory are short, so much of what lies idle goes each second. */
  private static final int CROWDED_PART = 8;

  private static final Duration STOP_WAIT = Duration.ofSeconds(5);
  private static final Duration DEPARTED_WAIT = Duration.ofSeconds(3);
  private static final Duration DRAIN_GLANCE = Duration.ofMillis(10);

  private final Shared shared;
  private final MultiThreadIoEventLoopGroup group;
  private final Map<EventLoop, Loop> loops;
  private final Front front;
  private final Channel listener;
  private final @Nullable Channel tlsListener;
  private final AtomicBoolean closed = new AtomicBoolean();

  private Edge(
      Shared shared,
      MultiThreadIoEventLoopGroup group,
      Map<EventLoop, Loop> loops,
      Front front,
      Channel listener,
      @Nullable Channel tlsListener) {
    this.shared = shared;
    this.group = group;
    this.loops = loops;
    this.front = front;
    this.listener = listener;
    this.tlsListener = tlsListener;
  }

  /**
   * An edge that serves already.
   *
   * @param view the current routing; read once per decision, so it must be one volatile read
   * @throws IOException when it cannot listen, naming the address and what to do
   */
  public static Edge start(EdgeConfig config, Supplier<Routing> view, Time time, RouterLog log)
      throws IOException {
    return start(config, view, time, log, Transport.of(config.transport()));
  }

  static Edge start(
      EdgeConfig config, Supplier<Routing> view, Time time, RouterLog log, Transport transport)
      throws IOException {
    return start(config, view, () -> RodView.NONE, time, log, transport);
  }

  static Edge start(
      EdgeConfig config,
      Supplier<Routing> view,
      Supplier<RodView> rods,
      Time time,
      RouterLog log,
      Transport transport)
      throws IOException {
    return start(config, FrontConfig.defaults(), TlsKeys.NONE, view, rods, time, log, transport);
  }

  /**
   * An edge that serves already, with TLS, HTTP/2 and PROXY protocol as the front's configuration
   * says.
   *
   * @param keys what certificates and session tickets are made of; asked for every handshake
   * @param view the current routing; read once per decision, so it must be one volatile read
   * @param rods the control rods to heed; likewise
   * @throws IOException when it cannot listen, naming the address and what to do
   */
  public static Edge start(
      EdgeConfig config,
      FrontConfig front,
      TlsKeys keys,
      Supplier<Routing> view,
      Supplier<RodView> rods,
      Time time,
      RouterLog log)
      throws IOException {
    return start(config, front, keys, view, rods, time, log, Descriptors.NONE);
  }

  /**
   * An edge that listens on sockets that it was handed, and opens those that it was not.
   *
   * @throws IOException when it cannot listen, or was handed a socket for no address of its own
   */
  public static Edge start(
      EdgeConfig config,
      FrontConfig front,
      TlsKeys keys,
      Supplier<Routing> view,
      Supplier<RodView> rods,
      Time time,
      RouterLog log,
      Descriptors handed)
      throws IOException {
    return start(config, front, keys, view, rods, Owners.NONE, time, log, handed);
  }

  /**
   * An edge that proves for each new connection to an app of this machine whose process took it.
   *
   * @throws IOException when it cannot listen, or was handed a socket for no address of its own
   */
  public static Edge start(
      EdgeConfig config,
      FrontConfig front,
      TlsKeys keys,
      Supplier<Routing> view,
      Supplier<RodView> rods,
      Owners owners,
      Time time,
      RouterLog log,
      Descriptors handed)
      throws IOException {
    var transport = Transport.of(config.transport());
    return start(config, front, keys, view, rods, owners, time, log, transport, handed);
  }

  static Edge start(
      EdgeConfig config,
      FrontConfig front,
      TlsKeys keys,
      Supplier<Routing> view,
      Time time,
      RouterLog log,
      Transport transport)
      throws IOException {
    return start(config, front, keys, view, () -> RodView.NONE, time, log, transport);
  }

  static Edge start(
      EdgeConfig config,
      FrontConfig frontConfig,
      TlsKeys keys,
      Supplier<Routing> view,
      Supplier<RodView> rods,
      Time time,
      RouterLog log,
      Transport transport)
      throws IOException {
    return start(
        config, frontConfig, keys, view, rods, Owners.NONE, time, log, transport, Descriptors.NONE);
  }

  static Edge start(
      EdgeConfig config,
      FrontConfig frontConfig,
      TlsKeys keys,
      Supplier<Routing> view,
      Supplier<RodView> rods,
      Owners owners,
      Time time,
      RouterLog log,
      Transport transport,
      Descriptors handed)
      throws IOException {
    var tlsListen = frontConfig.tlsListen();
    transport.checkAdopts(handed);
    var given = handed.doors(config.listen(), tlsListen);
    var accessLog = AccessLog.start(config.accessLog(), log, time);
    var proofs = Proofs.of(owners, time);
    var shared =
        new Shared(config, frontConfig, keys, view, rods, time, accessLog, proofs, transport);
    var group =
        new MultiThreadIoEventLoopGroup(
            config.eventLoops(), new DefaultThreadFactory("edge"), transport.handlers());
    var loops = new IdentityHashMap<EventLoop, Loop>();
    for (EventExecutor executor : group) {
      var eventLoop = (EventLoop) executor;
      loops.put(eventLoop, new Loop(shared, eventLoop));
    }
    shared.loops.addAll(loops.values());
    var front = new Front(frontConfig, keys, loops);
    var accepts = Doorkeeper.accepts();
    Channel plain;
    Channel tls = null;
    try {
      var bootstrap = bootstrap(shared, group, accepts);
      plain = open(bootstrap.clone(), shared, front.listener(false), config.listen(), given.http());
      if (tlsListen != null) {
        tls = open(bootstrap, shared, front.listener(true), tlsListen, given.https());
      }
    } catch (IOException e) {
      var _ = group.shutdownGracefully(0, 0, TimeUnit.SECONDS);
      proofs.close();
      accessLog.close();
      throw e;
    }
    shared.checkups.start();
    var keeper =
        new Doorkeeper(shared, tls == null ? List.of(plain) : List.of(plain, tls), accepts);
    keeper.start();
    shared.minder.start(open -> {
      keeper.open(open);
      if (!open) {
        loops.forEach(
            (eventLoop, loop) -> eventLoop.execute(() -> loop.quiet().shrink(CROWDED_PART)));
      }
    });
    boolean first = true;
    for (var loop : loops.values()) {
      loop.startSweeping(first);
      first = false;
    }
    return new Edge(shared, group, loops, front, plain, tls);
  }

  private static Channel open(
      ServerBootstrap bootstrap,
      Shared shared,
      ChannelInitializer<SocketChannel> visitors,
      InetSocketAddress address,
      @Nullable Integer handed)
      throws IOException {
    bootstrap.childHandler(visitors);
    var opening =
        handed == null
            ? bootstrap.channel(shared.transport.listening()).bind(address)
            : bootstrap.channelFactory(Transport.adopting(handed, BACKLOG)).register();
    var bound = opening.awaitUninterruptibly();
    if (!bound.isSuccess()) {
      var cause = bound.cause();
      throw new IOException(
          ("cannot listen at %s:%d: %s (expected: an address of this machine and a port that is"
                  + " free and allowed; stop what listens there or configure another)")
              .formatted(
                  address.getHostString(),
                  address.getPort(),
                  cause == null ? "unknown" : cause.getMessage()),
          cause);
    }
    return bound.channel();
  }

  private static ServerBootstrap bootstrap(
      Shared shared, MultiThreadIoEventLoopGroup group, ServerChannelRecvByteBufAllocator accepts) {
    var bootstrap = new ServerBootstrap();
    shared.transport.prepare(bootstrap);
    return bootstrap
        .group(group)
        .option(ChannelOption.SO_BACKLOG, BACKLOG)
        .option(ChannelOption.SO_REUSEADDR, true)
        .option(ChannelOption.RECVBUF_ALLOCATOR, accepts)
        .childOption(ChannelOption.AUTO_READ, false)
        .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
        .childOption(ChannelOption.TCP_NODELAY, true)
        .childOption(ChannelOption.SO_KEEPALIVE, true)
        .childOption(ChannelOption.RECVBUF_ALLOCATOR, Loop.reads())
        .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, Loop.watermarks(shared.config));
  }

  /** Where it listens; the port is the real one when 0 was asked for. */
  public InetSocketAddress address() {
    return (InetSocketAddress) listener.localAddress();
  }

  /** Where it speaks TLS, or null when it does not. */
  public @Nullable InetSocketAddress tlsAddress() {
    return tlsListener == null ? null : (InetSocketAddress) tlsListener.localAddress();
  }

  /** How it talks to the kernel: {@code epoll} or {@code nio}. */
  public String transport() {
    return shared.transport.name();
  }

  /** What it counts, for a scrape. */
  public MetricSource metrics() {
    return shared.meters;
  }

  /** The background parts, for who reports how they are. */
  public List<Supervised> parts() {
    var minder = shared.minder.part();
    return minder == null ? List.of(shared.log.part()) : List.of(shared.log.part(), minder);
  }

  /** Who causes the load, as of the last second. */
  public LoadReport load() {
    return LoadReport.of(shared.admission.attribution());
  }

  /**
   * How many requests are under way to that endpoint. Tunnels do not count: a WebSocket ends when
   * its app or its visitor wants, not by itself.
   */
  public int requests(String service, String endpointId) {
    return shared.gauges.requests(service, endpointId);
  }

  /** WebSockets and event streams at this time, which end only when somebody wants. */
  public int longConnections() {
    return shared.longLived.get();
  }

  /** Connections of clients, and streams of their HTTP/2 connections, at this time. */
  int connections() {
    return shared.connections.get();
  }

  /** Buffers that somebody has not given back; exact once it is closed. */
  int buffersInUse() {
    return loops.values().stream().mapToInt(Loop::buffersInUse).sum();
  }

  /** Endpoints that are left out because they fail their health checks. */
  int sick() {
    return shared.checkups.sick();
  }

  /** HTTP/2 connections to apps at this time; not exact while they change. */
  int http2Links() {
    return loops.values().stream().mapToInt(Loop::http2Links).sum();
  }

  /** Requests and tunnels under way at that endpoint, over all event loops. */
  public int inFlight(String service, String endpointId) {
    return shared.gauges.inFlight(service, endpointId);
  }

  /**
   * Closes the idle connections to that endpoint, and those that are in use as soon as they are
   * idle. Returns at once.
   */
  public void forget(String service, String endpointId) {
    shared.gauges.forget(service, endpointId);
    loops.forEach((eventLoop, loop) -> eventLoop.execute(() -> loop.forget(service, endpointId)));
  }

  /**
   * Takes no more, lets what is under way finish for at most {@link EdgeConfig#drainWait}, then
   * cuts the rest (H24); tunnels and streams are let go one after the other, as {@link
   * EdgeConfig#drain} says. Idempotent; not to be called on an event loop.
   */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    shared.drain();
    listener.close().awaitUninterruptibly(STOP_WAIT.toMillis());
    if (tlsListener != null) {
      tlsListener.close().awaitUninterruptibly(STOP_WAIT.toMillis());
    }
    long departs = shared.departNanos();
    var departed =
        Deadline.after(shared.time, Duration.ofNanos(departs + departs / 4).plus(DEPARTED_WAIT));
    onLoops(Loop::drain, front::drain);
    awaitClients(Deadline.after(shared.time, shared.config.drainWait()));
    if (shared.longLived.get() > 0) {
      onLoops(Loop::cutRequests, _ -> {});
      awaitClients(departed);
    }
    onLoops(Loop::cut, front::cut);
    group
        .shutdownGracefully(0, STOP_WAIT.toMillis(), TimeUnit.MILLISECONDS)
        .awaitUninterruptibly(STOP_WAIT.toMillis());
    front.close();
    shared.minder.close();
    shared.checkups.close();
    shared.proofs.close();
    shared.log.close();
  }

  private void onLoops(Consumer<Loop> step, Consumer<EventLoop> frontStep) {
    loops.forEach((eventLoop, loop) ->
        eventLoop.execute(() -> {
          step.accept(loop);
          frontStep.accept(eventLoop);
        }));
  }

  private void awaitClients(Deadline deadline) {
    try {
      while (shared.connections.get() > 0 && !deadline.passed()) {
        shared.time.sleep(DRAIN_GLANCE);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // whoever interrupts wants the end now
    }
  }
}
