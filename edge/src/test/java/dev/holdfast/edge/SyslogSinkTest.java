package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.limits.Time;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.io.InputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SyslogSinkTest {
  private static final int PATIENCE_MILLIS = 20_000;
  private static final String INFO =
      "<158>1 2026-11-22T01:57:13.042Z \\S+ holdfast router - - at=info n=%s";

  @TempDir private Path directory;

  private static void line(SyslogSink sink, String text, AccessRecord record) {
    var line = new LineBuffer();
    line.text("time ").text(text);
    sink.line(line, "time ".length(), record);
  }

  /** Sends until something arrives: before the name is looked up nothing can. */
  private static void sendUntilTaken(SyslogSink sink, AccessRecord record) throws Exception {
    AccessLogTest.await(() -> {
      long before = sink.dropped();
      line(sink, "at=info n=1", record);
      return sink.dropped() == before;
    });
  }

  @Test
  void sendsOneDatagramEachOverUdp() throws Exception {
    try (var receiver = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      receiver.setSoTimeout(PATIENCE_MILLIS);
      var sink = new SyslogSink(new UdpWire("127.0.0.1", receiver.getLocalPort(), Time.system()));
      sendUntilTaken(sink, AccessLineTest.good());
      var failed = AccessLineTest.good();
      failed.code = Code.H12;
      line(sink, "at=error n=2", failed);
      assertThat(receive(receiver)).matches(INFO.formatted(1));
      assertThat(receive(receiver)).startsWith("<155>1 ").endsWith(" at=error n=2");
      sink.close();
    }
  }

  private static String receive(DatagramSocket receiver) throws IOException {
    var packet = new DatagramPacket(new byte[9000], 9000);
    receiver.receive(packet);
    return new String(packet.getData(), 0, packet.getLength(), UTF_8);
  }

  @Test
  void countsOctetsOverTcpAndComesBackWithWhatWasNotSent() throws Exception {
    try (var server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      server.setSoTimeout(PATIENCE_MILLIS);
      var sink = new SyslogSink(new TcpWire("127.0.0.1", server.getLocalPort(), Time.system()));
      line(sink, "at=info n=1", AccessLineTest.good());
      var stop = new AtomicBoolean();
      var flusher = flusher(sink, stop);
      try (var first = server.accept()) {
        first.setSoTimeout(PATIENCE_MILLIS);
        assertThat(frame(first.getInputStream())).matches(INFO.formatted(1));
      }
      try (var second = server.accept()) { // it noticed the end though it had nothing to say
        second.setSoTimeout(PATIENCE_MILLIS);
        stop.set(true); // an interrupt would close the connection
        flusher.join();
        line(sink, "at=info n=2", AccessLineTest.good());
        line(sink, "at=info n=3", AccessLineTest.good());
        sink.flush();
        assertThat(frame(second.getInputStream())).matches(INFO.formatted(2));
        assertThat(frame(second.getInputStream())).matches(INFO.formatted(3));
      }
      assertThat(sink.dropped()).isZero();
      sink.close();
    }
  }

  private static Thread flusher(SyslogSink sink, AtomicBoolean stop) {
    return Thread.ofPlatform()
        .daemon()
        .start(() -> {
          while (!stop.get()) {
            sink.flush();
            LockSupport.parkNanos(1_000_000);
          }
        });
  }

  private static String frame(InputStream in) throws IOException {
    int length = 0;
    for (int c = in.read(); c != ' '; c = in.read()) {
      assertThat(c).isBetween((int) '0', (int) '9');
      length = 10 * length + c - '0';
    }
    return new String(in.readNBytes(length), UTF_8);
  }

  @Test
  void holdsABoundedAmountForAHostThatDoesNotAnswerAndCountsTheRest() {
    var sink = new SyslogSink(new TcpWire("127.0.0.1", 1, Time.system()));
    var text = "x".repeat(10_000);
    for (int i = 0; i < 200; i++) {
      line(sink, text, AccessLineTest.good());
    }
    assertThat(sink.dropped()).isBetween(90L, 100L);
    sink.close();
  }

  @Test
  void sendsDatagramsToASocketOfTheMachine() throws Exception {
    assumeTrue(Epoll.isAvailable());
    var path = directory.resolve("log");
    var receiver = Socket.newSocketDomainDgram();
    try {
      receiver.bind(new DomainSocketAddress(path.toFile()));
      var sink = new SyslogSink(UnixWire.open(path));
      line(sink, "at=info n=1", AccessLineTest.good());
      assertThat(sink.dropped()).isZero();
      var into = ByteBuffer.allocateDirect(9000);
      int length = receiver.recv(into, 0, into.capacity());
      var bytes = new byte[length];
      into.get(bytes);
      assertThat(new String(bytes, UTF_8)).matches(INFO.formatted(1));
      sink.close();
    } finally {
      receiver.close();
    }
    var nobody = new SyslogSink(UnixWire.open(directory.resolve("nobody")));
    line(nobody, "at=info n=1", AccessLineTest.good());
    assertThat(nobody.dropped()).isEqualTo(1);
    nobody.close();
  }
}
