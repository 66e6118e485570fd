package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Stands before a certificate authority and holds one call, before the authority has heard it or
 * after it has answered, so that there is time to kill who asked. Thread-safe.
 */
final class StallingProxy implements AutoCloseable {
  private static final int SOCKET_MILLIS = 30_000;

  /** Which call is held, and whether the authority has heard it by then. */
  record Moment(String path, boolean heard) {}

  private record Held(Moment moment, CountDownLatch reached, CountDownLatch released) {}

  final AtomicInteger orders = new AtomicInteger();
  private final javax.net.ssl.SSLServerSocket listener;
  private final SSLContext tls;
  private final int authority;
  private volatile @Nullable Held held;

  StallingProxy(SSLContext tls, int port, int authority) throws IOException {
    this.tls = tls;
    this.authority = authority;
    listener =
        (javax.net.ssl.SSLServerSocket)
            tls.getServerSocketFactory()
                .createServerSocket(port, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::accept);
  }

  int port() {
    return listener.getLocalPort();
  }

  /** Holds the next call of that kind; what was held before is let go. */
  void hold(Moment moment) {
    release();
    held = new Held(moment, new CountDownLatch(1), new CountDownLatch(1));
  }

  /** Whether the moment comes in time. */
  boolean reached(int seconds) throws InterruptedException {
    var now = held;
    return now != null && now.reached.await(seconds, TimeUnit.SECONDS);
  }

  void release() {
    var now = held;
    held = null;
    if (now != null) {
      now.released.countDown();
    }
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        var client = listener.accept();
        client.setSoTimeout(SOCKET_MILLIS);
        Thread.ofVirtual().start(() -> serve(client));
      } catch (IOException e) {
        // closed
      }
    }
  }

  /** One call per connection. */
  private void serve(Socket client) {
    try (client) {
      var request = request(client.getInputStream());
      if (request.isEmpty()) {
        return;
      }
      var path = request.split(" ", 3)[1];
      var now = held;
      var stalls = now != null && path.startsWith(now.moment.path()) ? now : null;
      if (stalls != null && !stalls.moment.heard()) {
        stall(stalls);
      }
      var answer = ask(request);
      if (path.startsWith("/order-plz") && new String(answer, ISO_8859_1).contains(" 201 ")) {
        orders.incrementAndGet();
      }
      if (stalls != null && stalls.moment.heard()) {
        stall(stalls);
      }
      client.getOutputStream().write(answer);
    } catch (IOException e) {
      // whoever asked was killed
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void stall(Held now) throws InterruptedException {
    now.reached.countDown();
    var _ = now.released.await(SOCKET_MILLIS, TimeUnit.MILLISECONDS);
  }

  private static String request(InputStream in) throws IOException {
    var bytes = new ByteArrayOutputStream();
    while (!bytes.toString(ISO_8859_1).endsWith("\r\n\r\n")) {
      int b = in.read();
      if (b < 0) {
        return "";
      }
      bytes.write(b);
    }
    var head = bytes.toString(ISO_8859_1);
    int at = head.toLowerCase(Locale.ROOT).indexOf("content-length:");
    int length =
        at < 0 ? 0 : Integer.parseInt(head.substring(at + 15, head.indexOf('\r', at)).strip());
    int line = head.indexOf("\r\n") + 2;
    return head.substring(0, line)
        + "Connection: close\r\n"
        + head.substring(line)
        + new String(in.readNBytes(length), ISO_8859_1);
  }

  private byte[] ask(String request) throws IOException {
    try (var socket = tls.getSocketFactory().createSocket("localhost", authority)) {
      socket.setSoTimeout(SOCKET_MILLIS);
      socket.getOutputStream().write(request.getBytes(ISO_8859_1));
      socket.getOutputStream().flush();
      return socket.getInputStream().readAllBytes();
    }
  }

  @Override
  public void close() throws IOException {
    release();
    listener.close();
  }
}
