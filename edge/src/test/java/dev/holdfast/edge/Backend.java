package dev.holdfast.edge;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** An app that does with every connection what the test says. */
final class Backend implements AutoCloseable {
  private final ServerSocket socket;
  final AtomicInteger connections = new AtomicInteger();
  final List<String> heads = new CopyOnWriteArrayList<>();

  /** What to do with one connection. */
  interface Script {
    void run(Wire wire) throws IOException;
  }

  Backend(Script script) throws IOException {
    socket = new ServerSocket(0, 200, InetAddress.ofLiteral("127.0.0.1"));
    Thread.ofVirtual()
        .start(() -> {
          while (!socket.isClosed()) {
            try {
              var accepted = socket.accept();
              connections.incrementAndGet();
              Thread.ofVirtual().start(() -> serve(script, accepted));
            } catch (IOException e) {
              return;
            }
          }
        });
  }

  private static void serve(Script script, java.net.Socket accepted) {
    try (var wire = new Wire(accepted)) {
      script.run(wire);
    } catch (IOException | NumberFormatException e) {
      // the test sees what the edge makes of it
    }
  }

  /** Answers every request of every connection with these bytes. */
  static Backend answering(String response) throws IOException {
    var self = new Backend[1];
    self[0] =
        new Backend(wire -> {
          while (true) {
            var message = wire.message();
            if (message.head().isEmpty()) {
              return;
            }
            if (self[0] != null) {
              self[0].heads.add(message.head() + message.body());
            }
            wire.send(response);
          }
        });
    return self[0];
  }

  static String ok(String body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
  }

  int port() {
    return socket.getLocalPort();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
