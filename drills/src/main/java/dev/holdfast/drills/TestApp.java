package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.holdfast.limits.Check;
import dev.holdfast.limits.Time;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Base64;
import java.util.Locale;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * An app of known capacity, and the oracle of what reached it: so many workers, so long for each
 * request, first come first served, and no idea that a visitor may have gone. A worker that wakes
 * late starts its next request earlier by as much, so that the capacity is the same on a busy
 * machine. What it answers: a WebSocket handshake makes a tunnel, {@code /bytes/N} is a body of
 * that size without waiting for a worker, everything else waits for one. Thread-safe.
 */
final class TestApp implements AutoCloseable {
  private static final int BACKLOG = 4096;
  private static final int LINE_BYTES_MAX = 16 * 1024;
  private static final int BODY_BYTES_MAX = 16 << 20;
  private static final int BLOCK = 16 * 1024;
  private static final byte[] NOTHING = new byte[BLOCK];
  // The harness shares the machine with what it measures: the app hands on no more than it must.
  private static final int UNSENT_BYTES_MAX = 64 * 1024;
  private static final String ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

  private final Time time;
  private final Capacity capacity;
  private final ServerSocket listener;
  private final ArrayBlockingQueue<Long> workers;
  private final Semaphore threads;
  private final AtomicInteger inside = new AtomicInteger();
  private final ConcurrentMap<InetAddress, AtomicInteger> shares = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, LongAdder> arrived = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, LongAdder> served = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<Socket, Boolean> sockets = new ConcurrentHashMap<>();
  private volatile int slowness = 1;

  /**
   * What an app can do. Its own defence is there only to try the drills without a platform: an app
   * that stands behind one has none.
   *
   * @param workers requests that are worked on at a time
   * @param service how long each takes
   * @param insideMax requests that may wait or be worked on, else 503; 0 is any number
   * @param shareMax requests of one client address that may, else 429; 0 is any number
   * @param connectionsMax connections that are listened to at a time, as with a thread for each;
   *     the others wait to be accepted
   */
  record Capacity(int workers, Duration service, int insideMax, int shareMax, int connectionsMax) {
    static Capacity of(int workers, int serviceMillis) {
      return new Capacity(workers, Duration.ofMillis(serviceMillis), 0, 0, Integer.MAX_VALUE);
    }

    /** The same with a defence of its own. */
    Capacity defended(int inside, int share) {
      return new Capacity(workers, service, inside, share, connectionsMax);
    }

    /** The same with few threads. */
    Capacity withConnectionsMax(int most) {
      return new Capacity(workers, service, insideMax, shareMax, most);
    }

    /** Requests per second. */
    double perSecond() {
      return workers * 1e9 / service.toNanos();
    }
  }

  /** Starts it on a port. */
  TestApp(Time time, Capacity capacity, int port) throws IOException {
    this.time = time;
    this.capacity = capacity;
    threads = new Semaphore(capacity.connectionsMax());
    workers = new ArrayBlockingQueue<>(capacity.workers(), true);
    for (int i = 0; i < capacity.workers(); i++) {
      workers.add(time.nanos());
    }
    listener = new ServerSocket(port, BACKLOG, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().name("app").start(this::accept);
  }

  InetSocketAddress address() {
    return new InetSocketAddress(listener.getInetAddress(), listener.getLocalPort());
  }

  Capacity capacity() {
    return capacity;
  }

  /** From now on everything takes so many times as long; 1 is as ever. */
  void slow(int times) {
    slowness = times;
  }

  /** Requests that reached the app for a path. */
  long arrived(String path) {
    return count(arrived, path);
  }

  /** Requests of a path that the app worked on to the end. */
  long served(String path) {
    return count(served, path);
  }

  /** Connections that are open now. */
  int connections() {
    return sockets.size();
  }

  private static long count(ConcurrentMap<String, LongAdder> counts, String path) {
    var count = counts.get(path);
    return count == null ? 0 : count.sum();
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        threads.acquireUninterruptibly();
        var socket = listener.accept();
        sockets.put(socket, true);
        Thread.ofVirtual().start(() -> talk(socket));
      } catch (IOException e) {
        if (!listener.isClosed()) {
          throw new IllegalStateException("the app cannot accept", e);
        }
      }
    }
  }

  private void talk(Socket socket) {
    try (socket) {
      socket.setTcpNoDelay(true);
      socket.setSendBufferSize(UNSENT_BYTES_MAX);
      var in = new BufferedInputStream(socket.getInputStream(), 2048);
      var out = socket.getOutputStream();
      while (exchange(socket, in, out)) {
        // one after the other
      }
    } catch (IOException e) {
      // the other side went: what the app did for it was done for nobody
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      threads.release();
      sockets.remove(socket);
    }
  }

  private boolean exchange(Socket socket, InputStream in, OutputStream out)
      throws IOException, InterruptedException {
    var first = line(in);
    if (first.isEmpty()) {
      return false;
    }
    var words = first.split(" ", 3);
    if (words.length != 3) {
      throw new IOException(Check.message("request line", first, "three words"));
    }
    var head = head(in);
    var path = words[1];
    arrived.computeIfAbsent(path, _ -> new LongAdder()).increment();
    skipBody(in, head);
    if (!head.upgradeKey.isEmpty()) {
      tunnel(in, out, head.upgradeKey);
      return false;
    }
    if (path.equals(Front.HEALTH)) {
      answer(out, "200 OK", 2);
    } else if (path.startsWith("/bytes/")) {
      int size = Math.min(BODY_BYTES_MAX, Integer.parseInt(path.substring("/bytes/".length())));
      answer(out, "200 OK", size);
    } else {
      work(socket, out, path);
    }
    return !head.close;
  }

  private void work(Socket socket, OutputStream out, String path)
      throws IOException, InterruptedException {
    var share = shares.computeIfAbsent(socket.getInetAddress(), _ -> new AtomicInteger());
    boolean tooMany = share.incrementAndGet() > capacity.shareMax() && capacity.shareMax() > 0;
    boolean full = inside.incrementAndGet() > capacity.insideMax() && capacity.insideMax() > 0;
    try {
      if (tooMany || full) {
        answer(out, tooMany ? "429 Too Many Requests" : "503 Service Unavailable", 0);
        return;
      }
      long arrival = time.nanos();
      long free = workers.take();
      long done = Math.max(free, arrival) + slowness * capacity.service().toNanos();
      try {
        time.sleep(Duration.ofNanos(Math.max(0, done - time.nanos())));
      } finally {
        workers.add(done);
      }
    } finally {
      inside.decrementAndGet();
      share.decrementAndGet();
    }
    served.computeIfAbsent(path, _ -> new LongAdder()).increment();
    answer(out, "200 OK", 32);
  }

  private static void answer(OutputStream out, String status, int size) throws IOException {
    var head = "HTTP/1.1 " + status + "\r\nContent-Length: " + size + "\r\n\r\n";
    int first = Math.min(size, BLOCK);
    var bytes = new byte[head.length() + first];
    System.arraycopy(head.getBytes(ISO_8859_1), 0, bytes, 0, head.length());
    out.write(bytes);
    for (int left = size - first; left > 0; left -= BLOCK) {
      out.write(NOTHING, 0, Math.min(left, BLOCK));
    }
  }

  /** Says yes to a WebSocket handshake (RFC 6455, 4.2.2) and listens until the end. */
  private static void tunnel(InputStream in, OutputStream out, String key) throws IOException {
    out.write(
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: "
                + accept(key)
                + "\r\n\r\n")
            .getBytes(ISO_8859_1));
    var byteWise = new byte[1];
    while (in.read(byteWise) > 0) {
      // idle: what little is said is nobody's business
    }
  }

  static String accept(String key) {
    try {
      var digest =
          MessageDigest.getInstance("SHA-1").digest((key + ACCEPT_GUID).getBytes(ISO_8859_1));
      return Base64.getEncoder().encodeToString(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The fields of a head that matter here. */
  private static final class Head {
    long length;
    boolean chunked;
    boolean close;
    String upgradeKey = "";
  }

  private static Head head(InputStream in) throws IOException {
    var head = new Head();
    for (var line = line(in); !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      if (colon < 0) {
        continue;
      }
      var value = line.substring(colon + 1).strip();
      switch (line.substring(0, colon).toLowerCase(Locale.ROOT)) {
        case "content-length" -> head.length = Long.parseLong(value);
        case "transfer-encoding" -> head.chunked = true;
        case "connection" -> head.close = value.equalsIgnoreCase("close");
        case "sec-websocket-key" -> head.upgradeKey = value;
        default -> {}
      }
    }
    return head;
  }

  private static void skipBody(InputStream in, Head head) throws IOException {
    if (!head.chunked) {
      in.skipNBytes(head.length);
      return;
    }
    for (long size = chunkSize(in); size > 0; size = chunkSize(in)) {
      in.skipNBytes(size + 2);
    }
    while (!line(in).isEmpty()) {
      // trailers
    }
  }

  /** The size that a chunk begins with, without objects: floods of chunks pass here. */
  private static long chunkSize(InputStream in) throws IOException {
    long size = 0;
    boolean digits = true;
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw new EOFException("a chunk without an end");
      }
      int digit = Character.digit(b, 16);
      digits &= digit >= 0;
      size = digits ? 16 * size + digit : size;
    }
    return size;
  }

  /** A line without its end; empty at the end of the stream. */
  private static String line(InputStream in) throws IOException {
    var line = new ByteArrayOutputStream(64);
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0 && line.size() == 0) {
        return "";
      }
      if (b < 0 || line.size() == LINE_BYTES_MAX) {
        throw new EOFException("a line of " + line.size() + " bytes without an end");
      }
      if (b != '\r') {
        line.write(b);
      }
    }
    return line.toString(ISO_8859_1);
  }

  /**
   * An app in a process of its own, until its standard input ends: WORKERS SERVICE-MILLIS. Says its
   * port in one line.
   */
  public static void main(String[] arguments) throws IOException {
    var capacity = Capacity.of(Integer.parseInt(arguments[0]), Integer.parseInt(arguments[1]));
    try (var app = new TestApp(Time.system(), capacity, 0)) {
      System.out.println(app.address().getPort());
      while (System.in.read() >= 0) {
        // nothing is said: the end matters
      }
    }
  }

  /** Ends it with all its connections. */
  @Override
  public void close() throws IOException {
    listener.close();
    for (var socket : sockets.keySet()) {
      socket.close();
    }
  }
}
