package dev.holdfast.drills;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Stands between two parties that speak TCP and does harm to what passes, which can be switched
 * while it runs; connections that are open feel it, too. Thread-safe.
 */
final class Proxy implements AutoCloseable {
  private static final int BACKLOG = 1024;
  private static final int BLOCK = 16 * 1024;
  private static final int BLOCKS_MAX = 64; // read ahead of each direction
  private static final int CONNECT_MILLIS = 5_000;
  private static final Duration LOOK_AGAIN = Duration.ofMillis(5);

  private final Time time;
  private final InetSocketAddress to;
  private final ServerSocket listener;
  private final Random random;
  private final ReentrantLock chance = new ReentrantLock();
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final AtomicLong connections = new AtomicLong();
  private volatile Fault fault = new Fault.None();
  private volatile double share = 1;

  /** Listens on a free port and hands on to an address. */
  Proxy(Time time, InetSocketAddress to, long seed) throws IOException {
    this.time = time;
    this.to = to;
    random = new Random(seed);
    listener = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().name("proxy").start(this::accept);
  }

  InetSocketAddress address() {
    return new InetSocketAddress(listener.getInetAddress(), listener.getLocalPort());
  }

  /** From now on everything that passes is harmed so. */
  void does(Fault harm) {
    does(harm, 1);
  }

  /** From now on this share of the connections is harmed so, the others are not. */
  void does(Fault harm, double ofConnections) {
    share = ofConnections;
    fault = harm;
  }

  /** How many connections were opened so far. */
  long connections() {
    return connections.get();
  }

  /** Resets every connection that is open. */
  void resetAll() {
    sockets.forEach(Proxy::reset);
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        var client = listener.accept();
        connections.incrementAndGet();
        if (fault instanceof Fault.Closed && chosen() < share) {
          client.close();
        } else {
          Thread.ofVirtual().start(() -> connect(client));
        }
      } catch (IOException e) {
        // closed, or gone before it was taken
      }
    }
  }

  private double chosen() {
    chance.lock();
    try {
      return random.nextDouble();
    } finally {
      chance.unlock();
    }
  }

  private void connect(Socket client) {
    var server = new Socket();
    sockets.add(client);
    sockets.add(server);
    try {
      server.connect(to, CONNECT_MILLIS);
      client.setTcpNoDelay(true);
      server.setTcpNoDelay(true);
      double lot = chosen();
      pass(new Direction(client, server, lot));
      pass(new Direction(server, client, lot));
    } catch (IOException e) {
      end(client, server);
    }
  }

  /** One way of a connection, whose lot says whether a share of connections includes it. */
  private record Direction(
      Socket from, Socket into, double lot, ArrayBlockingQueue<Block> waiting) {
    Direction(Socket from, Socket into, double lot) {
      this(from, into, lot, new ArrayBlockingQueue<>(BLOCKS_MAX));
    }
  }

  /** Bytes and when they came; none at the end. */
  @SuppressWarnings("ArrayRecordComponent") // handed on once, never compared
  private record Block(byte[] bytes, long arrival) {}

  private void pass(Direction way) {
    Thread.ofVirtual().start(() -> read(way));
    Thread.ofVirtual().start(() -> write(way));
  }

  private void read(Direction way) {
    var buffer = new byte[BLOCK];
    try {
      var in = way.from.getInputStream();
      while (true) {
        int count = in.read(buffer);
        int length = Math.max(0, count);
        way.waiting.put(new Block(Arrays.copyOf(buffer, length), time.nanos()));
        if (count < 0) {
          return;
        }
      }
    } catch (IOException e) {
      end(way.from, way.into);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void write(Direction way) {
    long passed = 0;
    try {
      while (true) {
        var block = way.waiting.poll();
        if (block == null) {
          if (way.into.isClosed()) {
            return;
          }
          block = way.waiting.poll(1, TimeUnit.SECONDS);
          if (block == null) {
            continue;
          }
        }
        awaitTurn(way, block);
        if (block.bytes.length == 0) {
          way.into.shutdownOutput();
          if (way.from.isOutputShutdown()) {
            end(way.from, way.into);
          }
          return;
        }
        passed += hand(way, block, passed);
        if (way.into.isClosed()) {
          return;
        }
      }
    } catch (IOException e) {
      end(way.from, way.into);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** What is done to this connection now. */
  private Fault to(Direction way) {
    return way.lot < share ? fault : new Fault.None();
  }

  private void awaitTurn(Direction way, Block block) throws InterruptedException {
    if (to(way) instanceof Fault.Latency(var delay, var jitter)) {
      long later = delay.toNanos() + (long) ((2 * chosen() - 1) * jitter.toNanos());
      time.sleep(Duration.ofNanos(Math.max(0, block.arrival + later - time.nanos())));
    }
    while (to(way) instanceof Fault.BlackHole && !way.into.isClosed()) {
      time.sleep(LOOK_AGAIN);
    }
  }

  private int hand(Direction way, Block block, long passed)
      throws IOException, InterruptedException {
    var out = way.into.getOutputStream();
    var bytes = block.bytes;
    switch (to(way)) {
      case Fault.None _, Fault.Latency _, Fault.BlackHole _, Fault.Closed _ -> out.write(bytes);
      case Fault.Bandwidth(long perSecond) -> {
        int piece = Math.clamp(perSecond / 50, 1, BLOCK);
        for (int i = 0; i < bytes.length; i += piece) {
          int length = Math.min(piece, bytes.length - i);
          out.write(bytes, i, length);
          time.sleep(Duration.ofNanos(length * Duration.ofSeconds(1).toNanos() / perSecond));
        }
      }
      case Fault.Slices(int size, var pause) -> {
        for (int i = 0; i < bytes.length; i += size) {
          out.write(bytes, i, Math.min(size, bytes.length - i));
          time.sleep(pause);
        }
      }
      case Fault.Reset _ -> {
        reset(way.from);
        reset(way.into);
      }
      case Fault.Limit(long most) -> {
        int room = Math.clamp(most - passed, 0, bytes.length);
        out.write(bytes, 0, room);
        if (room < bytes.length) {
          end(way.from, way.into);
        }
      }
    }
    return bytes.length;
  }

  private void end(Socket one, Socket other) {
    for (var socket : new Socket[] {one, other}) {
      sockets.remove(socket);
      try {
        socket.close();
      } catch (IOException e) {
        // it is gone
      }
    }
  }

  private static void reset(Socket socket) {
    try {
      socket.setSoLinger(true, 0);
      socket.close();
    } catch (IOException e) {
      // it is gone
    }
  }

  /** Ends everything. */
  @Override
  public void close() throws IOException {
    listener.close();
    for (var socket : sockets) {
      socket.close();
    }
  }
}
