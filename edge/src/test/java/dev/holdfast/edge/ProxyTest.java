package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ledger.Endpoint;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** What passes, in which form, on a good day. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class ProxyTest {

  @Test
  void passesRequestAndResponseOn() throws IOException {
    try (var backend =
            Backend.answering("HTTP/1.1 201 Made\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok");
        var rig = new Rig().app(backend)) {
      var answer =
          rig.ask(
              "POST /p?q=1 HTTP/1.1\r\nHost: App.test\r\nContent-Length: 4\r\nX-C: d\r\n\r\nbody");
      assertThat(answer.status()).isEqualTo(201);
      assertThat(answer.head()).startsWith("HTTP/1.1 201 Made\r\n");
      assertThat(answer.body()).isEqualTo("ok");
      assertThat(answer.field("x-a")).isEqualTo("b");
      assertThat(answer.field("via")).isEqualTo("1.1 holdfast");
      var head = backend.heads.getFirst();
      assertThat(head).startsWith("POST /p?q=1 HTTP/1.1\r\nHost: App.test\r\n").endsWith("body");
      assertThat(Wire.field(head, "x-c")).isEqualTo("d");
      assertThat(Wire.field(head, "x-forwarded-for")).isEqualTo("127.0.0.1");
      assertThat(Wire.field(head, "x-forwarded-proto")).isEqualTo("http");
      assertThat(Wire.field(head, "x-forwarded-port"))
          .isEqualTo(Integer.toString(rig.edge.address().getPort()));
      assertThat(Wire.field(head, "x-request-id")).matches("[0-9a-f-]{36}");
      assertThat(Wire.field(head, "x-request-start")).matches("\\d{13}");
      assertThat(Wire.field(head, "via")).isEqualTo("1.1 holdfast");
      assertThat(rig.logged(1))
          .matches(
              "at=info method=POST path=\"/p\\?q=1\" host=App\\.test request_id=[0-9a-f-]{36}"
                  + " fwd=\"127\\.0\\.0\\.1\" dyno=web\\.1 connect=\\d+ms service=\\d+ms"
                  + " status=201 bytes=2 protocol=http1\\.1 tls=false");
    }
  }

  @Test
  void removesWhatIsNotForTheApp() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = new Rig().app(backend)) {
      rig.ask(
          "GET / HTTP/1.1\r\n"
              + "Host: app.test\r\n"
              + "Connection: X-Secret, Host, X-Forwarded-For, close\r\n"
              + "X-Secret: 1\r\n"
              + "Keep-Alive: 5\r\n"
              + "Proxy-Connection: x\r\n"
              + "TE: gzip\r\n"
              + "Upgrade: h2c\r\n"
              + "HTTP2-Settings: AA\r\n"
              + "X-Forwarded-For: 1.2.3.4\r\n"
              + "X-Forwarded-Host: evil\r\n"
              + "X_Forwarded_Proto: https\r\n"
              + "Forwarded: for=x\r\n"
              + "Via: 1.0 fred\r\n"
              + "X-Request-Id: 0123456789abcdefghij\r\n\r\n");
      var head = backend.heads.getFirst();
      assertThat(head.toLowerCase(java.util.Locale.ROOT))
          .doesNotContain(
              "secret", "keep-alive", "proxy-", "te:", "upgrade", "http2", "evil", "x_");
      assertThat(head).doesNotContain("\r\nForwarded:");
      assertThat(Wire.field(head, "x-forwarded-for")).isEqualTo("1.2.3.4, 127.0.0.1");
      assertThat(Wire.field(head, "via")).isEqualTo("1.0 fred, 1.1 holdfast");
      assertThat(Wire.field(head, "x-request-id")).isEqualTo("0123456789abcdefghij");
    }
  }

  @Test
  void removesWhatIsNotForTheClient() throws IOException {
    try (var backend =
            Backend.answering(
                "HTTP/1.1 200 OK\r\n"
                    + "Connection: X-Secret\r\n"
                    + "X-Secret: 1\r\n"
                    + "Keep-Alive: timeout=5\r\n"
                    + "Content-Length: 1\r\n"
                    + "Content-Length: 1\r\n\r\n"
                    + "x");
        var rig = new Rig().app(backend)) {
      var answer = rig.ask(Rig.get("/"));
      assertThat(answer.head()).doesNotContain("Secret", "Keep-Alive");
      assertThat(answer.head().split("Content-Length", -1)).hasSize(2);
    }
  }

  @Test
  void answersPipelinedRequestsInOrderOverOneConnectionToTheApp() throws IOException {
    try (var backend = new Backend(ProxyTest::echoPath);
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      var all = new StringBuilder();
      for (int i = 0; i < 50; i++) {
        all.append("POST /").append(i).append(" HTTP/1.1\r\nHost: app.test\r\n");
        all.append("Content-Length: 3\r\n\r\nabc");
      }
      wire.send(all.toString());
      for (int i = 0; i < 50; i++) {
        assertThat(wire.message().body()).isEqualTo("/" + i);
      }
      assertThat(backend.connections).hasValue(1);
    }
  }

  private static void echoPath(Wire wire) throws IOException {
    while (true) {
      var head = wire.message().head();
      if (head.isEmpty()) {
        return;
      }
      wire.send(Backend.ok(head.split(" ", 3)[1]));
    }
  }

  @Test
  void turnsCloseDelimitedIntoChunksFor11AndLeavesItFor10() throws IOException {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 200 OK\r\n\r\nuntil the end");
            });
        var rig = new Rig().app(backend)) {
      var modern = rig.ask(Rig.get("/"));
      assertThat(modern.field("transfer-encoding")).isEqualTo("chunked");
      assertThat(modern.body()).isEqualTo("until the end");
      var old = rig.ask("GET / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n");
      assertThat(old.field("transfer-encoding")).isNull();
      assertThat(old.field("connection")).isEqualTo("close");
      assertThat(old.body()).isEqualTo("until the end");
    }
  }

  @Test
  void passesChunksAndTrailersBothWays() throws IOException {
    try (var backend =
            Backend.answering(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                    + "5;x=y\r\nhello\r\n0\r\nX-Sum: 7\r\nContent-Length: 9\r\n\r\n");
        var rig = new Rig().app(backend)) {
      var answer =
          rig.ask(
              "POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n"
                  + "3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-In: 1\r\nHost: evil\r\n\r\n");
      assertThat(answer.body()).isEqualTo("hello");
      assertThat(answer.head()).contains("X-Sum: 7").doesNotContain("Content-Length");
      assertThat(backend.heads.getFirst()).contains("X-In: 1").contains("abcde");
      assertThat(backend.heads.getFirst()).doesNotContain("evil");
      var old = rig.ask("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n");
      assertThat(old.body()).isEqualTo("hello");
    }
  }

  @Test
  void keepsAnOldClientsConnectionWhenItAsks() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      for (int i = 0; i < 2; i++) {
        wire.send("GET / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n");
        assertThat(wire.message().field("connection")).isEqualTo("keep-alive");
      }
    }
  }

  @Test
  void givesNoBodyToHeadAnd204And304() throws IOException {
    try (var backend =
            new Backend(wire -> {
              while (true) {
                var head = wire.head();
                if (head.isEmpty()) {
                  return;
                }
                var path = head.split(" ", 3)[1];
                wire.send(
                    switch (path) {
                      case "/204" -> "HTTP/1.1 204 No\r\n\r\n";
                      case "/304" -> "HTTP/1.1 304 Not\r\nContent-Length: 9\r\n\r\n";
                      default -> "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n";
                    });
              }
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      assertThat(wire.send(Rig.get("/204")).message(true).status()).isEqualTo(204);
      assertThat(wire.send(Rig.get("/304")).message(true).field("content-length")).isEqualTo("9");
      wire.send("HEAD / HTTP/1.1\r\nHost: app.test\r\n\r\n");
      assertThat(wire.message(true).field("content-length")).isEqualTo("7");
      assertThat(wire.send(Rig.get("/204")).message(true).status()).isEqualTo(204);
      assertThat(backend.connections).hasValue(1);
    }
  }

  @Test
  void passesInterimResponsesButNotToOldClients() throws IOException {
    try (var backend =
            Backend.answering(
                "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 P\r\n\r\n"
                    + Backend.ok("x"));
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      wire.send(Rig.get("/"));
      assertThat(wire.head()).startsWith("HTTP/1.1 103").contains("Link: </a>");
      assertThat(wire.head()).startsWith("HTTP/1.1 102");
      assertThat(wire.message().status()).isEqualTo(200);
      assertThat(rig.ask("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n").status()).isEqualTo(200);
    }
  }

  @Test
  void answersExpectItself() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      wire.send(
          "POST / HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
      assertThat(wire.head()).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
      assertThat(wire.send("abc").message().status()).isEqualTo(200);
      assertThat(backend.heads.getFirst()).doesNotContain("Expect").endsWith("abc");
    }
  }

  @Test
  void deliversAnEarlyAnswerAndNeverReadsTheBodyAsARequest() throws IOException {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 413 Big\r\nContent-Length: 2\r\n\r\nno");
              wire.rest();
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      wire.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000\r\n\r\n");
      var answer = wire.message();
      assertThat(answer.status()).isEqualTo(413);
      assertThat(answer.field("connection")).isEqualTo("close");
      wire.send(Rig.get("/smuggled"));
      assertThat(wire.rest()).isEmpty();
      assertThat(backend.connections).hasValue(1);
      Rig.until(() -> rig.log.size() == 1);
    }
  }

  @Test
  void answersAClientThatClosedItsSendingSide() throws IOException {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              Rig.until(() -> true);
              wire.send(Backend.ok("late"));
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      wire.send(Rig.get("/"));
      wire.socket.shutdownOutput();
      assertThat(wire.message().body()).isEqualTo("late");
      assertThat(wire.rest()).isEmpty();
    }
  }

  @Test
  void sendsToAnAddressByLiteralAndByName() throws IOException {
    try (var backend = Backend.answering(Backend.ok("out there"));
        var rig = new Rig()) {
      rig.address("literal.test", "http://127.0.0.1:" + backend.port());
      rig.address("name.test", "http://localhost:" + backend.port());
      assertThat(rig.ask("GET / HTTP/1.1\r\nHost: literal.test\r\n\r\n").body())
          .isEqualTo("out there");
      assertThat(rig.ask("GET / HTTP/1.1\r\nHost: name.test\r\n\r\n").body())
          .isEqualTo("out there");
      assertThat(rig.logged(2)).contains("dyno= connect=");
    }
  }

  @Test
  void worksOnTheJdksTransportToo() throws IOException {
    try (var backend = Backend.answering(Backend.ok("nio"));
        var rig = new Rig(new TestConfig(), Transport.nio()).app(backend)) {
      assertThat(rig.edge.transport()).isEqualTo("nio");
      assertThat(rig.ask(Rig.get("/")).body()).isEqualTo("nio");
    }
  }

  @Test
  void prefersTheEndpointThatHasLessToDo() throws IOException {
    try (var slow = new Backend(wire -> wire.rest());
        var quick = Backend.answering(Backend.ok("quick"));
        var rig = new Rig().app(slow)) {
      try (var busy = rig.connect()) {
        busy.send(Rig.get("/"));
        Rig.until(() -> rig.edge.inFlight("app", "e1") == 1);
        rig.endpoint("app", 2, quick.port(), Endpoint.State.UP);
        for (int i = 0; i < 10; i++) {
          assertThat(rig.ask(Rig.get("/")).body()).isEqualTo("quick");
        }
      }
      assertThat(rig.edge.inFlight("app", "e2")).isZero();
    }
  }
}
