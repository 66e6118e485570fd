package dev.holdfast.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicBoolean;

/** Stands before a database and, once, cuts the answer to a COMMIT off. */
final class AnswerCutter implements AutoCloseable {
  private final ServerSocket listening;
  private final int target;
  private final AtomicBoolean armed = new AtomicBoolean(true);

  AnswerCutter(int port, int target) throws IOException {
    this.target = target;
    listening = new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::accept);
  }

  int port() {
    return listening.getLocalPort();
  }

  boolean cut() {
    return !armed.get();
  }

  private void accept() {
    try {
      while (true) {
        var client = listening.accept();
        var server = new Socket(InetAddress.getLoopbackAddress(), target);
        var deaf = new AtomicBoolean();
        Thread.ofVirtual().start(() -> pump(client, server, deaf, true));
        Thread.ofVirtual().start(() -> pump(server, client, deaf, false));
      }
    } catch (IOException e) {
      // closed
    }
  }

  private void pump(Socket from, Socket to, AtomicBoolean deaf, boolean asks) {
    var buffer = new byte[1 << 16];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        if (asks
            && new String(buffer, 0, n, ISO_8859_1).contains("COMMIT")
            && armed.compareAndSet(true, false)) {
          deaf.set(true);
        }
        if (!asks && deaf.get()) {
          return; // the answer is lost, and the connection with it
        }
        out.write(buffer, 0, n);
      }
    } catch (IOException e) {
      // closed
    }
  }

  @Override
  public void close() throws IOException {
    listening.close();
  }
}
