package dev.holdfast.edge;

import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.MetricSource;
import dev.holdfast.limits.Time;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * A streaming HTTP/1.1 reverse proxy by host name (RFC 9110, RFC 9112): every request goes to where
 * the current {@link Routing} says, and every request leaves one line in the {@link RouterLog}.
 * Thread-safe.
 */
public final class Edge implements AutoCloseable {
  private static final int BACKLOG = 4096;
  private static final Duration STOP_WAIT = Duration.ofSeconds(5);
  private static final Duration DRAIN_GLANCE = Duration.ofMillis(10);

  private final Shared shared;
  private final MultiThreadIoEventLoopGroup group;
  private final Map<EventLoop, Loop> loops;
  private final Channel listener;
  private final AtomicBoolean closed = new AtomicBoolean();

  private Edge(
      Shared shared,
      MultiThreadIoEventLoopGroup group,
      Map<EventLoop, Loop> loops,
      Channel listener) {
    this.shared = shared;
    this.group = group;
    this.loops = loops;
    this.listener = listener;
  }

  /**
   * An edge that serves already.
   *
   * @param view the current routing; read once per decision, so it must be one volatile read
   * @throws IOException when it cannot listen, naming the address and what to do
   */
  public static Edge start(EdgeConfig config, Supplier<Routing> view, Time time, RouterLog log)
      throws IOException {
    return start(config, view, time, log, Transport.best());
  }

  static Edge start(
      EdgeConfig config, Supplier<Routing> view, Time time, RouterLog log, Transport transport)
      throws IOException {
    var shared = new Shared(config, view, time, log, transport);
    var group =
        new MultiThreadIoEventLoopGroup(
            config.eventLoops(), new DefaultThreadFactory("edge"), transport.handlers());
    var loops = new IdentityHashMap<EventLoop, Loop>();
    for (EventExecutor executor : group) {
      var eventLoop = (EventLoop) executor;
      loops.put(eventLoop, new Loop(shared, eventLoop));
    }
    var bound = bootstrap(shared, group, loops).bind(config.listen()).awaitUninterruptibly();
    if (!bound.isSuccess()) {
      var _ = group.shutdownGracefully(0, 0, TimeUnit.SECONDS);
      var cause = bound.cause();
      throw new IOException(
          ("cannot listen at %s:%d: %s (expected: an address of this machine and a port that is"
                  + " free and allowed; stop what listens there or configure another)")
              .formatted(
                  config.listen().getHostString(),
                  config.listen().getPort(),
                  cause == null ? "unknown" : cause.getMessage()),
          cause);
    }
    boolean first = true;
    for (var loop : loops.values()) {
      loop.startSweeping(first);
      first = false;
    }
    return new Edge(shared, group, loops, bound.channel());
  }

  private static ServerBootstrap bootstrap(
      Shared shared, MultiThreadIoEventLoopGroup group, Map<EventLoop, Loop> loops) {
    return new ServerBootstrap()
        .group(group)
        .channel(shared.transport.listening())
        .option(ChannelOption.SO_BACKLOG, BACKLOG)
        .option(ChannelOption.SO_REUSEADDR, true)
        .childOption(ChannelOption.AUTO_READ, false)
        .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
        .childOption(ChannelOption.TCP_NODELAY, true)
        .childOption(ChannelOption.SO_KEEPALIVE, true)
        .childOption(ChannelOption.RECVBUF_ALLOCATOR, Loop.reads())
        .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, Loop.watermarks(shared.config))
        .childHandler(
            new ChannelInitializer<SocketChannel>() {
              @Override
              protected void initChannel(SocketChannel channel) {
                var loop = loops.get(channel.eventLoop());
                if (loop == null) {
                  throw new IllegalStateException("a channel on a foreign event loop");
                }
                channel
                    .pipeline()
                    .addLast("client", new ClientConnection(loop, channel, Arrival.plain(channel)));
              }
            });
  }

  /** Where it listens; the port is the real one when 0 was asked for. */
  public InetSocketAddress address() {
    return (InetSocketAddress) listener.localAddress();
  }

  /** How it talks to the kernel: {@code epoll} or {@code nio}. */
  public String transport() {
    return shared.transport.name();
  }

  /** What it counts, for a scrape. */
  public MetricSource metrics() {
    return shared.meters;
  }

  /**
   * How many requests are under way to that endpoint. Tunnels do not count: a WebSocket ends when
   * its app or its visitor wants, not by itself.
   */
  public int requests(String service, String endpointId) {
    return shared.gauges.requests(service, endpointId);
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
   * cuts the rest (H24). Idempotent; not to be called on an event loop.
   */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    shared.drain();
    listener.close().awaitUninterruptibly(STOP_WAIT.toMillis());
    loops.forEach((eventLoop, loop) -> eventLoop.execute(loop::drain));
    awaitClients(Deadline.after(shared.time, shared.config.drainWait()));
    loops.forEach((eventLoop, loop) -> eventLoop.execute(loop::cut));
    group
        .shutdownGracefully(0, STOP_WAIT.toMillis(), TimeUnit.MILLISECONDS)
        .awaitUninterruptibly(STOP_WAIT.toMillis());
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
