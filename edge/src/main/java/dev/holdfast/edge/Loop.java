package dev.holdfast.edge;

import dev.holdfast.limits.SlowStart;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.SocketChannel;
import io.netty.resolver.ResolvedAddressTypes;
import io.netty.resolver.dns.DnsNameResolver;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.util.NetUtil;
import io.netty.util.concurrent.Future;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What one event loop owns: its clients, its pool of connections to apps, the requests that it
 * holds, and its resolver. Nothing in it is shared, so nothing in it is locked. Confined to its
 * event loop.
 */
final class Loop {
  /** Largest read at once; with one read per turn this is a connection's buffer. */
  static final int READ_BYTES_MAX = 32 * 1024;

  /** Bounds what the kernel holds of a response that nobody takes. */
  private static final int UPSTREAM_RECEIVE_BYTES = 256 * 1024;

  private static final int READ_BYTES_MIN = 512;
  private static final int READ_BYTES_FIRST = 4096;
  private static final int DNS_TTL_SECONDS_MAX = 30;

  /** Hosts whose places are kept. */
  private static final int PLACES_MAX = 262_144;

  /** Requests and responses that are kept for the next use. */
  private static final int SPARE_MAX = 1024;

  private static final Duration SLOW_START = Duration.ofSeconds(10);
  private static final Duration CROWD_TICK = Duration.ofMillis(2);
  private static final Duration SWEEP = Duration.ofSeconds(1);

  private final Shared shared;
  private final EventLoop eventLoop;
  private final ByteBufAllocator buffers;
  private final Flushes flushes;
  private final Pool pool;
  private final Holds holds;
  private final Pauses pauses;
  private final RandomGenerator random;
  private final Bootstrap bootstrap;
  private final Http2Upstream http2;
  private final Set<ClientConnection> clients = new HashSet<>();
  private final ArrayDeque<Request> requests = new ArrayDeque<>();
  private final ArrayDeque<Response> responses = new ArrayDeque<>();
  private final Scratch scratch = new Scratch();
  private final Encoders encoders = new Encoders();
  private final Returning returning;
  private final byte[] gather = new byte[Outgoing.COPY_BYTES_MAX];
  private final AccessRecord record = new AccessRecord();
  private final AccessLane log;
  private final Meters.Lane meters;
  private final Lane lane;
  private final Candidates candidates = new Candidates(SlowStart.over(SLOW_START));
  private long tickDueNanos;
  private boolean crowdTicking;
  private final Places places;
  private final Quiet quiet;
  private final Wheel wheel;
  private long now;
  private long wallMillis;
  private long wallNanos;
  private @Nullable DnsNameResolver resolver;

  Loop(Shared shared, EventLoop eventLoop) {
    this.shared = shared;
    this.eventLoop = eventLoop;
    buffers = Buffers.of(eventLoop);
    flushes = new Flushes(eventLoop);
    now = shared.time.nanos();
    pool = new Pool(shared.config.idlePerEndpointMax(), shared.config.idlePerLoopMax());
    holds = new Holds(this);
    pauses = new Pauses(this);
    places = new Places(shared.gauges, PLACES_MAX);
    log = shared.log.lane();
    meters = shared.meters.lane();
    wheel = new Wheel(now);
    setWallClock();
    random = new SplittableRandom(shared.time.random().nextLong());
    lane = shared.admission.lane(random, now);
    returning = new Returning(shared.keys, shared.stickyKeys);
    quiet = new Quiet(shared, random);
    bootstrap =
        new Bootstrap()
            .group(eventLoop)
            .channel(shared.transport.stream())
            .option(ChannelOption.ALLOCATOR, buffers)
            .option(ChannelOption.AUTO_READ, false)
            .option(ChannelOption.AUTO_CLOSE, false) // a failed write must not hide an answer
            .option(ChannelOption.ALLOW_HALF_CLOSURE, true)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.SO_RCVBUF, UPSTREAM_RECEIVE_BYTES)
            .option(ChannelOption.RECVBUF_ALLOCATOR, reads())
            .option(ChannelOption.WRITE_BUFFER_WATER_MARK, watermarks(shared.config))
            .option(
                ChannelOption.CONNECT_TIMEOUT_MILLIS,
                (int) Math.max(1, shared.config.connectTimeout().toMillis()));
    shared.transport.prepare(bootstrap);
    http2 = new Http2Upstream(this, bootstrap);
  }

  static AdaptiveRecvByteBufAllocator reads() {
    var allocator =
        new AdaptiveRecvByteBufAllocator(READ_BYTES_MIN, READ_BYTES_FIRST, READ_BYTES_MAX);
    allocator.maxMessagesPerRead(1);
    return allocator;
  }

  static WriteBufferWaterMark watermarks(EdgeConfig config) {
    return new WriteBufferWaterMark(config.writeBufferLowBytes(), config.writeBufferHighBytes());
  }

  Shared shared() {
    return shared;
  }

  EventLoop eventLoop() {
    return eventLoop;
  }

  /** How many of its buffers are in use; exact when the event loop has ended. */
  int buffersInUse() {
    return buffers instanceof Buffers ours ? ours.inUse() : 0;
  }

  Flushes flushes() {
    return flushes;
  }

  /** Where its connections get their buffers. */
  ByteBufAllocator buffers() {
    return buffers;
  }

  Pool pool() {
    return pool;
  }

  Holds holds() {
    return holds;
  }

  Pauses pauses() {
    return pauses;
  }

  RandomGenerator random() {
    return random;
  }

  Set<ClientConnection> clients() {
    return clients;
  }

  Places places() {
    return places;
  }

  Quiet quiet() {
    return quiet;
  }

  /** Where tiny chunks are put together, within one turn. */
  byte[] gather() {
    return gather;
  }

  /** Where heads are written together; whoever clears it has it to itself until it is added. */
  Scratch scratch() {
    return scratch;
  }

  Returning returning() {
    return returning;
  }

  Encoders encoders() {
    return encoders;
  }

  /** The record that whoever ends a request fills and hands to the log. */
  AccessRecord record() {
    return record;
  }

  AccessLane log() {
    return log;
  }

  Lane lane() {
    return lane;
  }

  Candidates candidates() {
    return candidates;
  }

  /** A request waits for its app: its turn is looked for every few milliseconds. */
  void crowd() {
    if (!crowdTicking) {
      crowdTicking = true;
      var _ = eventLoop.schedule(this::crowdTick, CROWD_TICK.toNanos(), TimeUnit.NANOSECONDS);
    }
  }

  private void crowdTick() {
    crowdTicking = false;
    stamp();
    lane.tick(now);
    if (lane.crowded()) {
      crowd();
    }
  }

  Meters.Lane meters() {
    return meters;
  }

  Wheel wheel() {
    return wheel;
  }

  /** The monotonic time at which the event loop turned to what it does now. */
  long now() {
    return now;
  }

  /** Looks at the clock. */
  void stamp() {
    now = shared.time.nanos();
  }

  /** Wall-clock time of now. */
  long millis() {
    return wallMillis + (now - wallNanos) / 1_000_000;
  }

  Request takeRequest() {
    var spare = requests.pollLast();
    return (spare == null ? new Request() : spare).reset(shared.requestLimits);
  }

  void give(Request request) {
    if (requests.size() < SPARE_MAX && request.head.handy()) {
      requests.addLast(request);
    }
  }

  Response takeResponse() {
    var spare = responses.pollLast();
    return (spare == null ? new Response() : spare).reset(shared.responseLimits);
  }

  void give(Response response) {
    if (responses.size() < SPARE_MAX && response.head.handy()) {
      responses.addLast(response);
    }
  }

  private void setWallClock() {
    wallNanos = now;
    wallMillis = shared.time.now().toEpochMilli();
  }

  private void tick() {
    stamp();
    setWallClock();
    long lag = Math.max(0, now - tickDueNanos);
    tickDueNanos =
        lag > Wheel.TICK_NANOS ? now + Wheel.TICK_NANOS : tickDueNanos + Wheel.TICK_NANOS;
    lane.probe(lag, now);
    wheel.advance(now);
  }

  boolean keep(UpstreamConnection connection) {
    return !shared.draining() && pool.put(connection);
  }

  void startSweeping(boolean gauges) {
    tickDueNanos = shared.time.nanos() + Wheel.TICK_NANOS;
    var _ =
        eventLoop.scheduleAtFixedRate(
            this::tick, Wheel.TICK_NANOS, Wheel.TICK_NANOS, TimeUnit.NANOSECONDS);
    var _ =
        eventLoop.scheduleAtFixedRate(
            () -> sweep(gauges), SWEEP.toNanos(), SWEEP.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** The host's addresses; the callback comes at once for a literal. */
  void resolve(Target target, Resolved then) {
    var host = target.bareHost();
    var literal = NetUtil.createByteArrayFromIpAddressString(host);
    if (literal != null) {
      try {
        then.resolved(List.of(InetAddress.getByAddress(literal)), null);
      } catch (UnknownHostException e) {
        then.resolved(List.of(), e);
      }
      return;
    }
    var _ =
        resolver()
            .resolveAll(host)
            .addListener((Future<List<InetAddress>> future) ->
                then.resolved(future.isSuccess() ? future.getNow() : List.of(), future.cause()));
  }

  /** Called with the addresses, or with none and the cause. */
  @FunctionalInterface
  interface Resolved {
    void resolved(List<InetAddress> addresses, @Nullable Throwable cause);
  }

  /** Called with the connection, or with the cause why there is none. */
  @FunctionalInterface
  interface Connected {
    void connected(@Nullable UpstreamConnection connection, @Nullable Throwable cause);
  }

  /** HTTP/2 connections to apps, as far as another thread can see. */
  int http2Links() {
    return http2.size();
  }

  /**
   * A connection to the app, or a stream of one that it may share with other requests.
   *
   * @param max connections to the app over all event loops; of connections that are shared each
   *     event loop has its part, one at least
   */
  void connect(Gauge gauge, InetAddress address, int max, Connected then) {
    var target = gauge.target;
    int generation = gauge.generation();
    if (target.http2()) {
      http2.connect(gauge, address, Math.max(1, max / shared.loops.size()), then);
      return;
    }
    var _ =
        bootstrap
            .clone()
            .handler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel channel) {
                    channel
                        .pipeline()
                        .addLast(
                            "upstream",
                            new UpstreamConnection(Loop.this, target, generation, channel));
                  }
                })
            .connect(new InetSocketAddress(address, target.port()))
            .addListener((io.netty.channel.ChannelFuture future) -> {
              if (future.isSuccess()) {
                shared.proofs.prove(
                    gauge, address, eventLoop, own -> proven(own, gauge, future.channel(), then));
              } else {
                then.connected(null, future.cause());
              }
            });
  }

  private static void proven(boolean own, Gauge gauge, Channel channel, Connected then) {
    if (own && channel.isActive()) {
      then.connected(channel.pipeline().get(UpstreamConnection.class), null);
      return;
    }
    Sockets.close(channel);
    then.connected(
        null,
        own
            ? new ConnectException("closed by " + gauge.target + " while it was proven")
            : new Proofs.StrangerException(gauge.target));
  }

  /** Other event loops give up an idle connection to the app each, if they have one. */
  void makeRoom(Gauge gauge) {
    for (var other : shared.loops) {
      if (other != this) {
        other.eventLoop.execute(() -> {
          var idle = other.pool.take(gauge.target, gauge.generation(), shared.time.nanos());
          if (idle != null) {
            idle.close();
          }
        });
      }
    }
  }

  void forget(String service, String id) {
    pool.closeIf(c -> c.target().service().equals(service) && c.target().id().equals(id));
    http2.forget(service, id);
  }

  /**
   * Ends what waits for nothing; what is under way may finish, and what never would is asked to.
   */
  void drain() {
    pool.closeIf(_ -> true);
    http2.drain();
    List.copyOf(clients).forEach(ClientConnection::drain);
    var staying = clients.stream().filter(Loop::longLived).toList();
    new Departures(this, staying, shared.departNanos()).start();
  }

  /** Ends what had its time to finish, but for what is asked to go one after the other. */
  void cutRequests() {
    List.copyOf(clients).stream().filter(c -> !longLived(c)).forEach(ClientConnection::cut);
  }

  private static boolean longLived(ClientConnection client) {
    var exchange = client.exchange();
    return exchange != null && exchange.longLived();
  }

  /** Ends everything. */
  void cut() {
    List.copyOf(clients).forEach(ClientConnection::cut);
    pool.closeIf(_ -> true);
    http2.cut();
    if (resolver != null) {
      resolver.close();
    }
  }

  private DnsNameResolver resolver() {
    var ready = resolver;
    if (ready == null) {
      ready =
          new DnsNameResolverBuilder(eventLoop)
              .datagramChannelType(shared.transport.datagram())
              .socketChannelType(shared.transport.stream())
              .resolvedAddressTypes(ResolvedAddressTypes.IPV4_PREFERRED)
              .queryTimeoutMillis(Math.max(1, shared.config.connectTimeout().toMillis()))
              .ttl(0, DNS_TTL_SECONDS_MAX)
              .build();
      resolver = ready;
    }
    return ready;
  }

  private void sweep(boolean gauges) {
    long now = shared.time.nanos();
    pool.closeIf(connection -> !connection.fresh(now));
    meters.sweep();
    if (gauges) {
      var view = shared.view.get();
      shared.gauges.sweep(view);
      shared.meters.retire(service -> view.service(service) != null);
    }
  }
}
