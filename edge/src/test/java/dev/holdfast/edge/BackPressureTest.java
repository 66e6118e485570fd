package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Whoever is slow makes the other side wait; nothing piles up in between. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class BackPressureTest {
  private static final int BODY_BYTES = 64 * 1024 * 1024;

  /** Buffers of both kernels and of the edge, generously: far below the body. */
  private static final int TAKEN_BYTES_MAX = 24 * 1024 * 1024;

  private static void pump(Socket socket, AtomicLong written) throws IOException {
    var piece = new byte[16 * 1024];
    var out = socket.getOutputStream();
    for (int sent = 0; sent < BODY_BYTES; sent += piece.length) {
      out.write(piece);
      written.addAndGet(piece.length);
    }
  }

  /** The count once it has stood still for a while. */
  private static long settled(AtomicLong count) throws InterruptedException {
    long last = -1;
    for (int still = 0; still < 10; ) {
      Thread.sleep(30);
      still = count.get() == last && last > 0 ? still + 1 : 0;
      last = count.get();
    }
    return last;
  }

  @Test
  void makesTheAppWaitForASlowClient() throws Exception {
    var written = new AtomicLong();
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 200 OK\r\nContent-Length: " + BODY_BYTES + "\r\n\r\n");
              pump(wire.socket, written);
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      wire.send(Rig.get("/"));
      assertThat(wire.head()).startsWith("HTTP/1.1 200");
      assertThat(settled(written)).isLessThan(TAKEN_BYTES_MAX);
      wire.in.skipNBytes(BODY_BYTES);
      assertThat(rig.logged(1)).contains("bytes=" + BODY_BYTES);
    }
  }

  @Test
  void makesTheClientWaitForASlowApp() throws Exception {
    var written = new AtomicLong();
    try (var listener = new ServerSocket(0, 5, InetAddress.ofLiteral("127.0.0.1"));
        var rig = new Rig();
        var wire = rig.connect()) {
      rig.address("app.test", "http://127.0.0.1:" + listener.getLocalPort());
      wire.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: " + BODY_BYTES + "\r\n\r\n");
      try (var app = new Wire(listener.accept())) {
        var sender =
            Thread.ofVirtual()
                .start(() -> {
                  try {
                    pump(wire.socket, written);
                  } catch (IOException e) {
                    written.set(Long.MIN_VALUE);
                  }
                });
        app.head();
        assertThat(settled(written)).isLessThan(TAKEN_BYTES_MAX);
        app.in.skipNBytes(BODY_BYTES);
        app.send(Backend.ok("thanks"));
        assertThat(wire.message().body()).isEqualTo("thanks");
        sender.join();
      }
    }
  }
}
