package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ledger.Kind;
import dev.holdfast.ledger.Kinds;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.LedgerConfig;
import dev.holdfast.ledger.MemoryStore;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.ManualTime;
import dev.holdfast.limits.RodView;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A follower that does not read is cut off and holds nothing. */
@Timeout(60)
class SlowReaderTest {
  private static final int ENTRIES = 40;
  private static final Kind<Large> LARGE = Kind.open("large", 1, Large.class);

  @TempDir private Path temp;

  @Test
  void aWriteThatTakesTooLongIsInterruptedAndOthersAreNot() throws Exception {
    var time = new ManualTime();
    var outs = new StreamOuts(time, Duration.ofSeconds(10));
    var entered = new CountDownLatch(1);
    var cause = new AtomicReference<Exception>();
    var stuck =
        Thread.ofVirtual()
            .start(() -> {
              try (var out = outs.open(new Stuck(entered))) {
                out.write(new byte[1]);
              } catch (IOException e) {
                cause.set(e);
              }
            });
    entered.await();
    try (var idle = outs.open(OutputStream.nullOutputStream())) {
      idle.write(new byte[1]);
      assertThat(outs.count()).isEqualTo(2);
      time.advance(Duration.ofSeconds(10));
      outs.look();
      assertThat(stuck.join(Duration.ofMillis(50))).isFalse();
      time.advance(Duration.ofMillis(1));
      outs.look();
      assertThat(stuck.join(Duration.ofSeconds(20))).isTrue();
      assertThat(cause.get()).isInstanceOf(InterruptedIOException.class);
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
      assertThat(outs.count()).isEqualTo(1);
    }
  }

  @Test
  void aConnectionThatTakesNothingLosesItsPlace() throws Exception {
    var home = Home.open(temp);
    var kinds = Kinds.of(Token.KIND, LARGE);
    try (var ledger =
            Ledger.open(new MemoryStore(), kinds, LedgerConfig.defaults(), Time.system());
        var tokens = new Tokens(ledger, Time.system());
        var feeds = new LedgerFeeds(ledger, null, home, Duration.ofMillis(300), Time.system())) {
      tokens.start(home);
      var config = ServerConfig.load(temp, Map.of(), Map.of("api", "127.0.0.1:0"));
      try (var api =
              new Api(
                  config,
                  feeds.operations(),
                  tokens,
                  new RodGuard(() -> RodView.NONE, Time.system()));
          var socket = new Socket()) {
        socket.setReceiveBufferSize(4_096);
        socket.connect(api.address());
        var request =
            "GET /v1/ledger?since=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                + home.token()
                + "\r\n\r\n";
        socket.getOutputStream().write(request.getBytes(UTF_8));
        Stage.await("the stream", () -> feeds.open() == 1);
        var large = "x".repeat(500_000);
        for (int i = 0; i < ENTRIES; i++) { // more than sockets hold
          ledger
              .append(
                  Transaction.by("test")
                      .put(LARGE, "large/" + i, new Large(large), Transaction.ANY))
              .orThrow();
        }
        Stage.await("its end", () -> feeds.open() == 0);
      }
    }
  }

  /** What fills a socket. */
  record Large(String text) {}

  /** Takes what is written for ever. */
  private static final class Stuck extends OutputStream {
    private final CountDownLatch entered;

    Stuck(CountDownLatch entered) {
      this.entered = entered;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int length) throws IOException {
      entered.countDown();
      try {
        new CountDownLatch(1).await();
      } catch (InterruptedException e) {
        throw new InterruptedIOException("cut off");
      }
    }
  }
}
