package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ledger.Endpoint;
import dev.holdfast.limits.ManualTime;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ProofsTest {
  private static final InetAddress LOOPBACK = InetAddress.ofLiteral("127.0.0.1");

  private final AtomicInteger asked = new AtomicInteger();
  private volatile Owners.Holder holder = Owners.Holder.ENDPOINT;
  private final Owners owners =
      (_, _, _) -> {
        asked.incrementAndGet();
        return holder;
      };

  @Test
  void theKernelNamesTheSocketThatListens() throws IOException {
    var before = sockets();
    try (var diag = SocketDiag.open();
        var listener = new ServerSocket(0, 1, LOOPBACK)) {
      var opened = sockets();
      opened.removeAll(before);
      long inode = diag.listener(LOOPBACK, listener.getLocalPort());
      assertThat(opened).contains("socket:[" + inode + "]");
      assertThat(diag.listener(LOOPBACK, 1)).as("nobody listens").isZero();
    }
  }

  private static List<String> sockets() throws IOException {
    var all = new ArrayList<String>();
    try (var descriptors = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (var descriptor : descriptors) {
        try {
          all.add(Files.readSymbolicLink(descriptor).toString());
        } catch (IOException e) {
          // The folder's own descriptor is gone by then.
        }
      }
    }
    return all;
  }

  @Test
  void aSocketIsProvenOnceAndAnotherAgain() throws IOException {
    try (var proofs = Proofs.of(owners, Time.system())) {
      int port;
      Gauge gauge;
      try (var first = new ServerSocket(0, 1, LOOPBACK)) {
        port = first.getLocalPort();
        gauge = new Gauge(new Target("app", "e1", "127.0.0.1", port, false), 0);
        assertThat(proofs.proven(gauge, LOOPBACK)).isTrue();
        assertThat(proofs.proven(gauge, LOOPBACK)).isTrue();
        assertThat(asked).hasValue(1);
      }
      assertThat(proofs.proven(gauge, LOOPBACK)).as("nobody listens").isFalse();
      try (var _ = new ServerSocket(port, 1, LOOPBACK)) {
        assertThat(proofs.proven(gauge, LOOPBACK)).isTrue();
        assertThat(asked).hasValue(2);
      }
    }
  }

  @Test
  void aStrangerIsRememberedForASecond() throws IOException {
    var time = new ManualTime();
    try (var proofs = Proofs.of(owners, time);
        var listener = new ServerSocket(0, 1, LOOPBACK)) {
      var gauge =
          new Gauge(new Target("app", "e1", "127.0.0.1", listener.getLocalPort(), false), 0);
      holder = Owners.Holder.STRANGER;
      assertThat(proofs.proven(gauge, LOOPBACK)).isFalse();
      holder = Owners.Holder.ENDPOINT; // such as when it could not be seen for a moment
      assertThat(proofs.proven(gauge, LOOPBACK)).isFalse();
      assertThat(asked).hasValue(1);
      time.advance(Duration.ofSeconds(1));
      assertThat(proofs.proven(gauge, LOOPBACK)).isTrue();
      assertThat(proofs.strangers()).isEqualTo(2);
    }
  }

  @Test
  void whoIsNotKnownIsBelievedAndAskedAboutAgain() throws IOException {
    try (var proofs = Proofs.of(owners, Time.system());
        var listener = new ServerSocket(0, 1, LOOPBACK)) {
      var gauge =
          new Gauge(new Target("app", "e1", "127.0.0.1", listener.getLocalPort(), false), 0);
      holder = Owners.Holder.UNKNOWN;
      assertThat(proofs.proven(gauge, LOOPBACK)).isTrue();
      assertThat(proofs.proven(gauge, LOOPBACK)).isTrue();
      assertThat(asked).hasValue(2);
    }
  }

  @Test
  void whatThePlatformDoesNotRunIsNotAskedAbout() throws IOException {
    holder = Owners.Holder.STRANGER;
    try (var proofs = Proofs.of(owners, Time.system());
        var listener = new ServerSocket(0, 1, LOOPBACK)) {
      var there = "127.0.0.1:" + listener.getLocalPort();
      var gauge = new Gauge(Target.of("http://" + there, false), 0);
      assertThat(proofs.proven(gauge, LOOPBACK)).isTrue();
      assertThat(asked).hasValue(0);
    }
  }

  @Test
  void noByteReachesAStranger() throws IOException {
    holder = Owners.Holder.STRANGER;
    try (var stranger = Backend.answering(Backend.ok("a stranger's page"));
        var rig = new Rig(new TestConfig(), owners)) {
      rig.app(stranger);
      var answer = rig.ask(Rig.get("/"));
      assertThat(answer.status()).isEqualTo(503);
      assertThat(answer.body()).doesNotContain("stranger's page");
      assertThat(rig.logged(1)).contains("code=H21");
      assertThat(stranger.heads).isEmpty();
    }
  }

  @Test
  void whoProvesToBeTheInstanceIsAskedAsAlways() throws IOException {
    try (var app = Backend.answering(Backend.ok("fine"));
        var rig = new Rig(new TestConfig(), owners)) {
      rig.app(app);
      for (int i = 0; i < 3; i++) {
        assertThat(rig.ask(Rig.get("/")).body()).isEqualTo("fine");
      }
      assertThat(asked).hasValue(1);
    }
  }

  @Test
  void anotherInstanceAnswersInsteadOfAStranger() throws IOException {
    try (var stranger = Backend.answering(Backend.ok("a stranger's page"));
        var app = Backend.answering(Backend.ok("fine"));
        var rig =
            new Rig(
                new TestConfig(),
                (_, id, _) -> id.equals("e1") ? Owners.Holder.STRANGER : Owners.Holder.ENDPOINT)) {
      rig.app(stranger).endpoint("app", 2, app.port(), Endpoint.State.UP);
      for (int i = 0; i < 8; i++) {
        assertThat(rig.ask(Rig.get("/")).body()).isEqualTo("fine");
      }
      assertThat(stranger.heads).isEmpty();
    }
  }

  @Test
  void aProbeIsProvenToo() throws IOException {
    holder = Owners.Holder.STRANGER;
    try (var proofs = Proofs.of(owners, Time.system());
        var stranger = Backend.answering(Backend.ok("fine"))) {
      var gauge = new Gauge(new Target("app", "e1", "127.0.0.1", stranger.port(), false), 0);
      assertThat(Probe.passes(gauge, proofs, "app.test", "/", Duration.ofSeconds(2))).isFalse();
      assertThat(stranger.heads).isEmpty();
    }
  }
}
