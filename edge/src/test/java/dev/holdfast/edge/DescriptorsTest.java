package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.Route;
import dev.holdfast.limits.RodView;
import dev.holdfast.limits.Time;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DescriptorsTest {
  private static final int AF_INET = 2;
  private static final int SOCK_STREAM = 1;
  private final List<Integer> open = new ArrayList<>();

  @AfterEach
  void closeAll() throws Throwable {
    for (int descriptor : open) {
      libc("close", descriptor, 0, 0);
    }
  }

  @Test
  void whoWaitsInASocketFromOutsideIsServedByTheNextEdge() throws Throwable {
    int held = listening();
    var at = new Socket(held).localAddress();
    try (var backend = Backend.answering(Backend.ok("hello"))) {
      for (int i = 0; i < 2; i++) {
        try (var wire = Wire.to(at)) { // nobody is there yet
          wire.send(Rig.get("/"));
          try (var edge = start(at, null, backend, given(twin(held), ""))) {
            assertThat(edge.address()).isEqualTo(at);
            assertThat(wire.message().body()).isEqualTo("hello");
          }
        }
      }
    }
  }

  @Test
  void aSocketThatOnlyIsBoundListensFromThenOn() throws Throwable {
    int held = listening();
    var at = new Socket(held).localAddress();
    new Socket(held).shutdown();
    assertThatThrownBy(() -> Wire.to(at).close()).isInstanceOf(ConnectException.class);
    try (var backend = Backend.answering(Backend.ok("hello"));
        var _ = start(at, null, backend, given(twin(held), ""));
        var wire = Wire.to(at)) {
      assertThat(wire.send(Rig.get("/")).message().body()).isEqualTo("hello");
    }
  }

  @Test
  void namesTellTwoSocketsApart() throws Throwable {
    int first = listening();
    int second = listening();
    var any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    var handed =
        new Descriptors(
            List.of(
                new Descriptors.Descriptor(twin(first), Descriptors.HTTPS),
                new Descriptors.Descriptor(twin(second), Descriptors.HTTP)));
    try (var backend = Backend.answering(Backend.ok("hello"));
        var edge = start(any, any, backend, handed);
        var wire = Wire.to(edge.address())) {
      assertThat(edge.tlsAddress()).isEqualTo(new Socket(first).localAddress());
      assertThat(edge.address()).isEqualTo(new Socket(second).localAddress());
      assertThat(wire.send(Rig.get("/")).message().body()).isEqualTo("hello");
    }
  }

  @Test
  void aSocketOfAnotherAddressIsRefused() throws Throwable {
    int held = listening();
    var other = new InetSocketAddress(InetAddress.getLoopbackAddress(), 9);
    try (var backend = Backend.answering(Backend.ok("hello"))) {
      assertThatThrownBy(() -> start(other, null, backend, given(held, "web")))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("descriptor " + held + " (web) listens at 127.0.0.1:")
          .hasMessageContaining("http 127.0.0.1:9, each once");
    }
  }

  @Test
  void whatIsNoListeningSocketIsRefused() throws Throwable {
    var other = new InetSocketAddress(InetAddress.getLoopbackAddress(), 9);
    int unbound = libc("socket", AF_INET, SOCK_STREAM, 0);
    open.add(unbound);
    try (var backend = Backend.answering(Backend.ok("hello"))) {
      assertThatThrownBy(() -> start(other, null, backend, given(unbound, "")))
          .hasMessageContaining("descriptor " + unbound + ": no bound TCP socket");
      assertThatThrownBy(() -> start(other, null, backend, given(999_999, "")))
          .hasMessageContaining("descriptor 999999: closed");
    }
  }

  @Test
  void onlyEpollTakesSocketsFromOutside() throws Throwable {
    var handed = given(listening(), "");
    assertThatThrownBy(() -> Transport.nio().checkAdopts(handed))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("edge.transport: nio (expected: epoll");
    Transport.nio().checkAdopts(Descriptors.NONE);
  }

  @Test
  void readsTheProtocolOfSystemd() {
    var two = Map.of("LISTEN_FDS", "2", "LISTEN_PID", "77", "LISTEN_FDNAMES", "edge.http:x");
    assertThat(Descriptors.of(two, 77).sockets())
        .containsExactly(
            new Descriptors.Descriptor(3, "edge.http"), new Descriptors.Descriptor(4, "x"));
    assertThat(Descriptors.of(Map.of("LISTEN_FDS", "1", "LISTEN_PID", "77"), 77).sockets())
        .containsExactly(new Descriptors.Descriptor(3, ""));
    assertThat(Descriptors.of(two, 78)).isEqualTo(Descriptors.NONE);
    assertThat(Descriptors.of(Map.of(), 77)).isEqualTo(Descriptors.NONE);
    for (var wrong : List.of("17", "-1", "many", "")) {
      assertThatThrownBy(() -> Descriptors.of(Map.of("LISTEN_FDS", wrong, "LISTEN_PID", "77"), 77))
          .hasMessageContaining("LISTEN_FDS: " + wrong + " (expected: a number from 0 to 16)");
    }
  }

  private static Edge start(
      InetSocketAddress http,
      @Nullable InetSocketAddress https,
      Backend backend,
      Descriptors handed)
      throws IOException {
    var config = new TestConfig();
    config.listen = http;
    var route = Route.toAddress("app.test", "http://127.0.0.1:" + backend.port());
    var routing =
        Rig.FOLD.apply(Rig.FOLD.start(), Rig.entry(1, Route.key("app.test"), Route.KIND, route));
    return Edge.start(
        config.build(),
        FrontConfig.defaults().withTlsListen(https),
        TlsKeys.NONE,
        () -> routing,
        () -> RodView.NONE,
        Time.system(),
        (_, _) -> {},
        handed);
  }

  private static Descriptors given(int descriptor, String name) {
    return new Descriptors(List.of(new Descriptors.Descriptor(descriptor, name)));
  }

  /** As a shell would have it: it blocks, and its port was asked for. */
  private int listening() throws Throwable {
    int socket = libc("socket", AF_INET, SOCK_STREAM, 0);
    open.add(socket);
    for (int port = 18_000 + (int) (ProcessHandle.current().pid() % 2_000); ; port++) {
      try {
        new Socket(socket).bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        new Socket(socket).listen(100);
        return socket;
      } catch (IOException e) {
        assertThat(port).isLessThan(30_000);
      }
    }
  }

  /** The edge closes what it was handed; the test keeps the other one. */
  private static int twin(int descriptor) throws Throwable {
    return libc("dup", descriptor, 0, 0);
  }

  @SuppressWarnings("restricted")
  private static int libc(String function, int a, int b, int c) throws Throwable {
    var linker = Linker.nativeLinker();
    var handle =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow(function),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT));
    return (int) handle.invokeExact(a, b, c);
  }
}
