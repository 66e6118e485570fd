package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Clients that hold a WebSocket each, say nothing, and note when it ends and how. Thread-safe. */
final class Tunnels implements AutoCloseable {
  private static final int ADDRESSES = 100;
  private static final int NETWORK = 3;
  private static final int OPENED_PER_TICK = 2;

  /** 180 in a second: what comes faster than 200 is a storm, which waits, and another drill. */
  private static final Duration TICK = Duration.ofMillis(11);

  private static final Duration WAIT = Duration.ofSeconds(30);
  private static final int TIMEOUT_MILLIS = 10_000;
  private static final int HEAD_BYTES_MAX = 4096;
  private static final String KEY = "dGhlIHNhbXBsZSBub25jZQ==";
  private static final int CLOSE_FRAME = 0x88;

  /** An empty ping: the edge cuts tunnels in which nothing moved for 55 s (H15), by design. */
  private static final byte[] PING = {(byte) 0x89, (byte) 0x80, 0, 0, 0, 0};

  private static final Duration PING_EVERY = Duration.ofSeconds(25);

  private final Time time;
  private final ConcurrentMap<Socket, Boolean> sockets = new ConcurrentHashMap<>();
  private final ConcurrentMap<Socket, Boolean> watched = new ConcurrentHashMap<>();
  private final ConcurrentLinkedQueue<Long> endedAt = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<String> refused = new ConcurrentLinkedQueue<>();
  private final AtomicInteger open = new AtomicInteger();
  private final AtomicInteger tried = new AtomicInteger();
  private final AtomicInteger closeFrames = new AtomicInteger();
  private final AtomicInteger resets = new AtomicInteger();
  private volatile boolean over;

  Tunnels(Time time) {
    this.time = time;
    Thread.ofVirtual().name("tunnels-ping").start(this::ping);
  }

  private void ping() {
    try {
      while (!over) {
        time.sleep(PING_EVERY);
        for (var socket : watched.keySet()) {
          try {
            socket.getOutputStream().write(PING);
          } catch (IOException e) {
            watched.remove(socket); // it ended, which whoever reads it finds, too
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Opens so many more, at a pace, and waits until each is open or was refused. */
  void open(InetSocketAddress to, int count) throws InterruptedException {
    int target = tried.get() + count;
    for (int i = 0; i < count; i++) {
      int number = i;
      Thread.ofVirtual().start(() -> hold(to, number));
      if (i % OPENED_PER_TICK == OPENED_PER_TICK - 1) {
        time.sleep(TICK);
      }
    }
    var deadline = Deadline.after(time, WAIT);
    while (tried.get() < target && !deadline.passed()) {
      time.sleep(TICK);
    }
  }

  int open() {
    return open.get();
  }

  /** Why the first was refused; empty when none was. */
  String refusal() {
    var first = refused.peek();
    return first == null ? "" : first;
  }

  /** How many ended with a close frame, how many with a reset. */
  String ends() {
    return "%d ended, %d of them with a close frame, %d with a reset"
        .formatted(endedAt.size(), closeFrames.get(), resets.get());
  }

  /** Most tunnels that ended within one second. */
  int busiestSecond() {
    var times = endedAt.stream().mapToLong(Long::longValue).sorted().toArray();
    int most = 0;
    long second = Duration.ofSeconds(1).toNanos();
    for (int from = 0, to = 0; to < times.length; to++) {
      while (times[to] - times[from] >= second) {
        from++;
      }
      most = Math.max(most, to - from + 1);
    }
    return most;
  }

  int ended() {
    return endedAt.size();
  }

  private void hold(InetSocketAddress to, int number) {
    boolean opened = false;
    try (var socket = new Socket()) {
      sockets.put(socket, true);
      socket.setReuseAddress(true);
      socket.bind(Visitors.address(NETWORK, number % ADDRESSES));
      socket.connect(to, TIMEOUT_MILLIS);
      socket.setSoTimeout(TIMEOUT_MILLIS);
      socket
          .getOutputStream()
          .write(
              ("GET /ws HTTP/1.1\r\nHost: "
                      + Front.HOST
                      + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
                      + KEY
                      + "\r\n\r\n")
                  .getBytes(ISO_8859_1));
      var in = socket.getInputStream();
      var head = head(in);
      opened = head.startsWith("HTTP/1.1 101 ") && head.contains(TestApp.accept(KEY));
      if (!opened) {
        refused.add(head.lines().findFirst().orElse("nothing"));
        return;
      }
      open.incrementAndGet();
      tried.incrementAndGet();
      socket.setSoTimeout(0);
      watched.put(socket, true);
      watch(in);
    } catch (IOException e) {
      if (!opened) {
        refused.add(e.toString());
      } else if (!over) {
        resets.incrementAndGet();
      }
    } finally {
      if (!opened) {
        tried.incrementAndGet();
      } else {
        open.decrementAndGet();
        if (!over) {
          endedAt.add(time.nanos());
        }
      }
    }
  }

  private void watch(InputStream in) throws IOException {
    boolean first = true;
    for (int b = in.read(); b >= 0; b = in.read()) {
      if (first && b == CLOSE_FRAME) {
        closeFrames.incrementAndGet();
      }
      first = false;
    }
  }

  private static String head(InputStream in) throws IOException {
    var head = new StringBuilder();
    while (head.length() < HEAD_BYTES_MAX && !head.toString().endsWith("\r\n\r\n")) {
      int b = in.read();
      if (b < 0) {
        break;
      }
      head.append((char) b);
    }
    return head.toString();
  }

  /** Ends all of them. */
  @Override
  public void close() throws IOException {
    over = true;
    for (var socket : sockets.keySet()) {
      socket.close();
    }
  }
}
