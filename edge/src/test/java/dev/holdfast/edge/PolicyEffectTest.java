package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.Policy;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a policy does to requests. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class PolicyEffectTest {

  private static Policy policy(
      @Nullable Boolean maintenance,
      @Nullable String page,
      Policy.@Nullable Https https,
      @Nullable Long bodyMax,
      @Nullable Long firstByteMillis,
      @Nullable Long tunnelLifeMillis) {
    return new Policy(
        maintenance,
        page,
        null,
        https,
        null,
        bodyMax,
        null,
        firstByteMillis,
        null,
        null,
        tunnelLifeMillis,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null);
  }

  @Test
  void answersForAnAppInMaintenance() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = new Rig().app(backend)) {
      rig.policy("app.test", policy(true, "<p>back {{code}}</p>", null, null, null, null));
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
      rig.policy("app.test", policy(null, null, Policy.Https.ON, null, null, null));
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
      rig.policy("app.test", policy(null, null, null, 4L, null, null));
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
      rig.policy("app.test", policy(null, null, null, 4L, null, null));
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
        var rig = new Rig().app(backend)) {
      rig.policy("app.test", policy(null, null, null, null, 100L, null));
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
      rig.policy("app.test", policy(null, null, null, null, null, 150L));
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
}
