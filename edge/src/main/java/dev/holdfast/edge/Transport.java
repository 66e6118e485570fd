package dev.holdfast.edge;

import dev.holdfast.limits.Check;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.ChannelFactory;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.Socket;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringBufferRingConfig;
import io.netty.channel.uring.IoUringChannelOption;
import io.netty.channel.uring.IoUringDatagramChannel;
import io.netty.channel.uring.IoUringFixedBufferRingAllocator;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringIoHandlerConfig;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.channel.uring.IoUringSocketChannel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * How the edge talks to the kernel: native epoll where it loads, otherwise what the JDK has, and
 * io_uring when it is asked for. Immutable.
 *
 * <p>io_uring is not taken by itself: with this version of Netty the half-closed connections of
 * {@code TunnelTest} lose bytes on it. Its ring of buffers is what makes it affordable for
 * connections that lie idle: the kernel takes a buffer when bytes come, so a connection that waits
 * holds none.
 */
record Transport(
    String name,
    IoHandlerFactory handlers,
    Class<? extends ServerSocketChannel> listening,
    Class<? extends SocketChannel> stream,
    Class<? extends DatagramChannel> datagram) {
  private static final String AUTO = "auto";
  private static final String IO_URING = "io_uring";
  private static final String EPOLL = "epoll";
  private static final short GROUP = 1;
  private static final short RING_BUFFERS = 1024;
  private static final int RING_BATCH = 16;
  private static final int RING_BUFFER_BYTES = 8 * 1024;

  /**
   * What the kernel takes for a client beyond what is on its way to it. Without that bound it takes
   * megabytes for each of those who do not read.
   */
  private static final int UNSENT_BYTES_MAX = 64 * 1024;

  /** The best that can be relied on. */
  static Transport best() {
    return Epoll.isAvailable() ? epoll() : nio();
  }

  /**
   * That one, or the best for {@code auto}.
   *
   * @throws IllegalArgumentException when this machine has none of that name
   */
  static Transport of(String name) {
    if (name.equals(AUTO)) {
      return best();
    }
    for (var transport : all()) {
      if (transport.name.equals(name)) {
        return transport;
      }
    }
    throw new IllegalArgumentException(
        Check.message(
            "transport",
            name,
            "auto, or what this machine has: " + all().stream().map(Transport::name).toList()));
  }

  /** All that this machine has, the best first. */
  static List<Transport> all() {
    var all = new ArrayList<Transport>(3);
    if (Epoll.isAvailable()) {
      all.add(epoll());
    }
    all.add(nio());
    if (IoUring.isAvailable() && IoUring.isRegisterBufferRingSupported()) {
      all.add(uring());
    }
    return all;
  }

  private static Transport uring() {
    var ring =
        IoUringBufferRingConfig.builder()
            .bufferGroupId(GROUP)
            .bufferRingSize(RING_BUFFERS)
            .batchSize(RING_BATCH)
            .allocator(new IoUringFixedBufferRingAllocator(RING_BUFFER_BYTES))
            .build();
    return new Transport(
        IO_URING,
        IoUringIoHandler.newFactory(new IoUringIoHandlerConfig().setBufferRingConfig(ring)),
        IoUringServerSocketChannel.class,
        IoUringSocketChannel.class,
        IoUringDatagramChannel.class);
  }

  static Transport epoll() {
    return new Transport(
        EPOLL,
        EpollIoHandler.newFactory(),
        EpollServerSocketChannel.class,
        EpollSocketChannel.class,
        EpollDatagramChannel.class);
  }

  static Transport nio() {
    return new Transport(
        "nio",
        NioIoHandler.newFactory(),
        NioServerSocketChannel.class,
        NioSocketChannel.class,
        NioDatagramChannel.class);
  }

  /**
   * Makes sure that sockets from outside can be taken over.
   *
   * @throws IOException when there are some and only epoll could
   */
  void checkAdopts(Descriptors handed) throws IOException {
    if (!handed.isEmpty() && !name.equals(EPOLL)) {
      throw new IOException(
          Check.message(
              "edge.transport",
              name,
              EPOLL + ", which alone can listen on sockets that are handed in (LISTEN_FDS)"));
    }
  }

  /**
   * Makes a channel of a socket that somebody else opened. It listens from then on, also if it did
   * not before.
   */
  static ChannelFactory<ServerSocketChannel> adopting(int descriptor, int backlog)
      throws IOException {
    new Socket(descriptor).listen(backlog);
    return () -> new EpollServerSocketChannel(descriptor);
  }

  /** What connections that were accepted need besides. */
  void prepare(ServerBootstrap bootstrap) {
    if (name.equals(EPOLL)) {
      bootstrap.childOption(EpollChannelOption.TCP_NOTSENT_LOWAT, (long) UNSENT_BYTES_MAX);
    }
    if (name.equals(IO_URING)) {
      bootstrap.childOption(IoUringChannelOption.IO_URING_BUFFER_GROUP_ID, GROUP);
    }
  }

  /** What connections to apps need besides. */
  void prepare(Bootstrap bootstrap) {
    if (name.equals(IO_URING)) {
      bootstrap.option(IoUringChannelOption.IO_URING_BUFFER_GROUP_ID, GROUP);
    }
  }
}
