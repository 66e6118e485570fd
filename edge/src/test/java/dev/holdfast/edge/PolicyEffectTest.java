package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.Policy;
import java.io.IOException;
import java.util.EnumMap;
import org.junit.jupiter.api.Test;

/** What a policy does to requests. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class PolicyEffectTest {

  @Test
  void answersForAnAppInMaintenance() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = new Rig().app(backend)) {
      rig.policy(
          "app.test",
          PolicyForm.of("maintenance", true, "maintenancePage", "<p>back {{code}}</p>"));
      var answer = rig.ask("GET / HTTP/1.1\r\nHost: app.test\r\nAccept: text/html\r\n\r\n");
      assertThat(answer.status()).isEqualTo(503);
      assertThat(answer.field("holdfast-error")).isEqualTo("H80");
      assertThat(answer.field("retry-after")).isNotNull();
      assertThat(answer.body()).isEqualTo("<p>back H80</p>");
      assertThat(rig.logged(1)).startsWith("at=info code=H80");
      assertThat(backend.heads).isEmpty();
      rig.policy("app.test", Policy.NONE);
      assertThat(rig.ask(Rig.get("/")).status()).isEqualTo(200);
    }
  }

  @Test
  void sendsPlainRequestsToHttps() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = new Rig().app(backend)) {
      rig.policy("app.test", PolicyForm.of("https", Policy.Https.ON));
      var get = rig.ask("GET /a?b HTTP/1.1\r\nHost: App.test:80\r\n\r\n");
      assertThat(get.status()).isEqualTo(301);
      assertThat(get.field("location")).isEqualTo("https://app.test/a?b");
      var post = rig.ask("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 0\r\n\r\n");
      assertThat(post.status()).isEqualTo(308);
      assertThat(backend.heads).isEmpty();
    }
  }

  @Test
  void refusesBodiesBeyondTheBoundHoweverTheyAreFramed() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = new Rig().app(backend)) {
      rig.policy("app.test", PolicyForm.of("requestBytesMax", 4L));
      var head = "POST / HTTP/1.1\r\nHost: app.test\r\n";
      assertThat(rig.ask(head + "Content-Length: 4\r\n\r\nabcd").status()).isEqualTo(200);
      assertThat(rig.ask(head + "Content-Length: 5\r\n\r\nabcde").status()).isEqualTo(413);
      var chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
      assertThat(rig.ask(chunked + "4\r\nabcd\r\n0\r\n\r\n").status()).isEqualTo(200);
      assertThat(rig.ask(chunked + "5\r\nabcde\r\n0\r\n\r\n").status()).isEqualTo(413);
    }
  }

  @Test
  void neverPutsAPageIntoAnAnswerThatHasBegun() throws IOException {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
              wire.rest();
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      rig.policy("app.test", PolicyForm.of("requestBytesMax", 4L));
      wire.send("POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n");
      assertThat(wire.head()).startsWith("HTTP/1.1 200");
      assertThat(wire.bytes(4)).isEqualTo("half");
      wire.send("5\r\nabcde\r\n");
      assertThatThrownBy(wire::rest).isInstanceOf(IOException.class); // a reset, and no byte more
    }
  }

  @Test
  void hasPatienceOfItsOwn() throws IOException {
    try (var backend = new Backend(Wire::rest);
        var rig = new Rig(TestConfig.patient()).app(backend)) {
      rig.policy("app.test", PolicyForm.of("firstByteTimeoutMillis", 100L));
      assertThat(rig.ask(Rig.get("/")).field("holdfast-error")).isEqualTo("H12");
    }
  }

  @Test
  void endsATunnelThatHasLivedLongEnough() throws IOException {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send(
                  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                      + "Upgrade: websocket\r\n\r\n");
              wire.rest();
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      rig.policy("app.test", PolicyForm.of("tunnelLifetimeMillis", 150L));
      wire.send(
          "GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      assertThat(wire.head()).startsWith("HTTP/1.1 101");
      assertThat(wire.rest()).isEmpty();
      assertThat(rig.logged(1)).startsWith("at=info method=GET").contains("status=101");
    }
  }

  @Test
  void provesToAnAuthorityThatAHostIsOurs() throws IOException {
    var keys = Keys.of("app.test");
    keys.responses.put("new.test tok-1", "tok-1.thumb");
    try (var rig = new FrontRig(new TestConfig(), new TestFront(), keys);
        var wire = rig.plain()) {
      wire.send(
          "GET /.well-known/acme-challenge/tok-1 HTTP/1.1\r\nHost: new.test\r\n\r\n"
              + "GET /.well-known/acme-challenge/other HTTP/1.1\r\nHost: new.test\r\n\r\n");
      var proof = wire.message();
      assertThat(proof.status()).isEqualTo(200);
      assertThat(proof.body()).isEqualTo("tok-1.thumb");
      assertThat(wire.message().status()).isEqualTo(404);
    }
  }

  @Test
  void tellsBrowsersToComeByHttpsOnly() throws IOException {
    var line = "Strict-Transport-Security: max-age=600";
    var own = "Strict-Transport-Security: max-age=9; includeSubDomains";
    var front = new TestFront();
    front.tls = true;
    try (var backend = Backend.answering(Backend.ok("x"));
        var strict =
            Backend.answering("HTTP/1.1 200 OK\r\n" + own + "\r\nContent-Length: 0\r\n\r\n");
        var rig = new FrontRig(front).app(backend).route("strict.test", strict.port());
        var wire = rig.secure("TLSv1.3");
        var plain = rig.plain()) {
      rig.policy("app.test", PolicyForm.of("hstsSeconds", 600L));
      rig.policy("strict.test", PolicyForm.of("hstsSeconds", 600L));
      assertThat(wire.send(Rig.get("/")).message().head()).containsOnlyOnce(line);
      assertThat(plain.send(Rig.get("/")).message().head()).doesNotContain("Strict-Transport");
      var second = wire.send(Rig.get("/").replace("app", "strict")).message().head();
      assertThat(second).contains(own).doesNotContain(line); // the app knows its subdomains
      rig.policy("app.test", PolicyForm.of("hstsSeconds", 600L, "maintenance", true));
      assertThat(wire.send(Rig.get("/")).message().head()).contains("503").contains(line);
      rig.policy("app.test", PolicyForm.of("hstsSeconds", 0L));
      assertThat(wire.send(Rig.get("/")).message().head()).doesNotContain("Strict-Transport");
    }
  }

  @Test
  void showsTheOwnersPageForAnErrorOfTheEdge() throws IOException {
    try (var backend = new Backend(Wire::head);
        var rig = new Rig().app(backend)) {
      rig.policy("app.test", PolicyForm.of("errorPage", "<p>sorry {{code}}</p>"));
      var answer = rig.ask("GET / HTTP/1.1\r\nHost: app.test\r\nAccept: text/html\r\n\r\n");
      assertThat(answer.status()).isEqualTo(503);
      assertThat(answer.body()).isEqualTo("<p>sorry H13</p>");
    }
  }

  @Test
  void cutsAnAnswerThatIsSilentForTooLong() throws IOException {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
              wire.rest();
            });
        var rig = new Rig(TestConfig.patient()).app(backend);
        var wire = rig.connect()) {
      rig.policy("app.test", PolicyForm.of("idleTimeoutMillis", 100L));
      assertThat(wire.send(Rig.get("/")).head()).startsWith("HTTP/1.1 200");
      assertThatThrownBy(wire::rest).isInstanceOf(IOException.class);
      assertThat(rig.logged(1)).contains("code=H15");
    }
  }

  @Test
  void sendsOnlySoManyRequestsToOneEndpoint() throws IOException {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.rest();
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      rig.policy("app.test", PolicyForm.of("requestsPerEndpointMax", 1));
      wire.send(Rig.get("/"));
      Rig.until(() -> rig.edge.requests("app", "e1") == 1);
      assertThat(rig.ask(Rig.get("/")).field("holdfast-error")).isEqualTo("H11");
    }
  }

  /** One request a second for each account or client. */
  private static TestConfig strict(Limiter limiter) {
    var standard = AdmissionConfig.defaults().withAll(Limiter.Mode.OFF);
    var modes = new EnumMap<Limiter, Limiter.Mode>(Limiter.class);
    modes.put(limiter, Limiter.Mode.ENFORCE);
    var config = new TestConfig();
    config.admission =
        new AdmissionConfig(
            modes,
            new AdmissionConfig.Rate(1, 1, 1, 1, 8, 8),
            standard.share(),
            standard.node(),
            standard.app(),
            standard.connect(),
            standard.guard(),
            standard.blame());
    return config;
  }

  private static int status(Rig rig, String host) throws IOException {
    return rig.ask("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n").status();
  }

  @Test
  void letsControlPassWhateverElseIsRefused() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = new Rig(strict(Limiter.CLIENT_RATE)).app(backend)) {
      Rig.until(() -> refused(rig, "app.test"));
      rig.policy("app.test", PolicyForm.of("priority", Policy.Priority.CONTROL));
      for (int i = 0; i < 20; i++) {
        assertThat(status(rig, "app.test")).isEqualTo(200);
      }
    }
  }

  private static boolean refused(Rig rig, String host) {
    try {
      return status(rig, host) == 429;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void countsHostsOfOneAccountTogether() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = new Rig(strict(Limiter.ACCOUNT_RATE))) {
      var first = "http://127.0.0.1:" + backend.port();
      rig.address("a.test", first).policy("a.test", PolicyForm.of("account", "shop"));
      rig.address("other.test", first);
      boolean together = false;
      for (int i = 0; i < 5 && !together; i++) { // a second may pass in between on a busy machine
        var host = "b" + i + ".test";
        rig.address(host, "http://localhost:" + backend.port());
        rig.policy(host, PolicyForm.of("account", "shop"));
        Rig.until(() -> !refused(rig, "a.test"));
        together = refused(rig, host);
      }
      assertThat(together).isTrue();
      assertThat(status(rig, "other.test")).as("of another account").isEqualTo(200);
    }
  }
}
