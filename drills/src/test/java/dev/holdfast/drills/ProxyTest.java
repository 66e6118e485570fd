package dev.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ProxyTest {
  private static final int SIZE = 20_000;

  private ServerSocket echo;
  private Proxy proxy;

  @BeforeEach
  void open() throws IOException {
    echo = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::accept);
    var to = new InetSocketAddress(echo.getInetAddress(), echo.getLocalPort());
    proxy = new Proxy(Time.system(), to, 1);
  }

  private void accept() {
    while (!echo.isClosed()) {
      try {
        var socket = echo.accept();
        Thread.ofVirtual().start(() -> answer(socket));
      } catch (IOException e) {
        return;
      }
    }
  }

  private static void answer(Socket socket) {
    try (socket) {
      socket.getInputStream().transferTo(socket.getOutputStream());
    } catch (IOException e) {
      // reset
    }
  }

  @AfterEach
  void close() throws IOException {
    proxy.close();
    echo.close();
  }

  private Socket connect() {
    try {
      var socket = new Socket(proxy.address().getAddress(), proxy.address().getPort());
      socket.setSoTimeout(10_000);
      return socket;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Milliseconds until everything that was said came back. */
  private static long echoed(Socket socket, int size) throws IOException {
    long start = System.nanoTime();
    Thread.ofVirtual()
        .start(() -> {
          try {
            socket.getOutputStream().write(new byte[size]);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
    assertThat(socket.getInputStream().readNBytes(size)).hasSize(size);
    return (System.nanoTime() - start) / 1_000_000;
  }

  @Test
  void handsOnWhatIsSaidAndTheEndOfIt() throws IOException {
    try (var socket = connect()) {
      echoed(socket, SIZE);
      socket.shutdownOutput();
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
  }

  @Test
  void delaysBothWaysAndIsSwitchedWhileConnectionsAreOpen() throws IOException {
    try (var socket = connect()) {
      assertThat(echoed(socket, 100)).isLessThan(150);
      proxy.does(new Fault.Latency(Duration.ofMillis(150), Duration.ZERO));
      assertThat(echoed(socket, 100)).isBetween(300L, 1_000L);
      proxy.does(new Fault.None());
      assertThat(echoed(socket, 100)).isLessThan(150);
    }
  }

  @Test
  void carriesNoMoreThanItsBandwidth() throws IOException {
    proxy.does(new Fault.Bandwidth(40_000));
    try (var socket = connect()) {
      assertThat(echoed(socket, SIZE)).isGreaterThan(450); // 20 kB at 40 kB/s
    }
  }

  @Test
  void slicesWhatPasses() throws IOException {
    proxy.does(new Fault.Slices(2_000, Duration.ofMillis(20)));
    try (var socket = connect()) {
      assertThat(echoed(socket, SIZE)).isGreaterThan(180);
    }
  }

  @Test
  void aBlackHoleSwallowsUntilItIsOver() throws IOException {
    try (var socket = connect()) {
      echoed(socket, 1);
      proxy.does(new Fault.BlackHole());
      socket.setSoTimeout(200);
      socket.getOutputStream().write(1);
      assertThatThrownBy(() -> socket.getInputStream().read())
          .isInstanceOf(SocketTimeoutException.class);
      proxy.does(new Fault.None());
      socket.setSoTimeout(10_000);
      assertThat(socket.getInputStream().read()).isEqualTo(1);
    }
  }

  @Test
  void resetsConnections() throws IOException {
    proxy.does(new Fault.Reset());
    try (var socket = connect()) {
      socket.getOutputStream().write(1);
      assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(SocketException.class);
    }
  }

  @Test
  void endsAfterSoManyBytes() throws IOException {
    proxy.does(new Fault.Limit(1_000));
    try (var socket = connect()) {
      socket.getOutputStream().write(new byte[1_000]);
      assertThat(socket.getInputStream().readNBytes(1_000)).hasSize(1_000);
      socket.getOutputStream().write(1);
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
  }

  @Test
  void harmsOnlyItsShareOfTheConnections() throws IOException {
    proxy.does(new Fault.Closed(), 0.5);
    int ended = 0;
    for (int i = 0; i < 40; i++) {
      try (var socket = connect()) {
        socket.getOutputStream().write(1);
        ended += socket.getInputStream().read() < 0 ? 1 : 0;
      } catch (SocketException e) {
        ended++;
      }
    }
    assertThat(ended).isBetween(8, 32);
    assertThat(proxy.connections()).isEqualTo(40);
  }
}
