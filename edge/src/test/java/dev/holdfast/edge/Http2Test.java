package dev.holdfast.edge;

import static dev.holdfast.edge.H2Wire.DATA;
import static dev.holdfast.edge.H2Wire.END_HEADERS;
import static dev.holdfast.edge.H2Wire.END_STREAM;
import static dev.holdfast.edge.H2Wire.HEADERS;
import static dev.holdfast.edge.H2Wire.NONE;
import static dev.holdfast.edge.H2Wire.RST_STREAM;
import static dev.holdfast.edge.H2Wire.SETTINGS;
import static dev.holdfast.edge.H2Wire.WHOLE;
import static dev.holdfast.edge.H2Wire.WINDOW_UPDATE;
import static dev.holdfast.edge.H2Wire.number;
import static dev.holdfast.edge.H2Wire.request;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class Http2Test {
  private static final int INTERNAL_ERROR = 2;

  private static FrontRig rig() throws IOException {
    return new FrontRig(new TestFront());
  }

  private static H2Wire wire(FrontRig rig) throws IOException {
    return H2Wire.to(rig.edge.address());
  }

  /** Answers with what it was sent. */
  private static Backend echo() throws IOException {
    var self = new Backend[1];
    self[0] =
        new Backend(wire -> {
          for (var message = wire.message(); !message.head().isEmpty(); message = wire.message()) {
            if (self[0] != null) {
              self[0].heads.add(message.head());
            }
            wire.send(Backend.ok(message.body()));
            if (message.field("content-length") == null && message.body().isEmpty()) {
              return;
            }
          }
        });
    return self[0];
  }

  @ParameterizedTest(name = "native {0}")
  @ValueSource(booleans = {true, false})
  void servesABrowserOverTls(boolean boring) throws Exception {
    var front = new TestFront();
    front.tls = true;
    front.nativeTls = boring;
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = new FrontRig(front);
        var client = HttpClient.newBuilder().sslContext(Keys.trusting()).build()) {
      rig.route("localhost", backend.port());
      var uri = URI.create("https://localhost:" + rig.tlsAddress().getPort() + "/path?q=1");
      rig.keys.identities.put("localhost", Keys.made("app.test"));
      for (int i = 0; i < 5; i++) {
        var answer =
            client.send(
                HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10)).build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("hello");
      }
      assertThat(backend.heads.getFirst())
          .startsWith("GET /path?q=1 HTTP/1.1\r\nhost: localhost:")
          .contains("X-Forwarded-Proto: https\r\n");
      assertThat(rig.logged(1)).contains("protocol=http2").contains("status=200");
    }
  }

  @Test
  void passesBodiesOfBothFramings() throws Exception {
    try (var backend = echo();
        var rig = rig().app(backend);
        var wire = wire(rig)) {
      wire.headers(1, END_HEADERS, request("POST", "/", "content-length", "6"));
      wire.data(1, false, "abc").data(1, true, "def");
      assertThat(wire.answer(1).body()).isEqualTo("abcdef");
      wire.headers(3, END_HEADERS, request("POST", "/")).data(3, false, "abc");
      wire.data(3, false, "").data(3, false, "def").frame(DATA, END_STREAM, 3, NONE);
      assertThat(wire.answer(3).body()).isEqualTo("abcdef");
      assertThat(backend.heads.get(0)).containsIgnoringCase("Content-Length: 6\r\n");
      assertThat(backend.heads.get(1)).contains("Transfer-Encoding: chunked\r\n");
    }
  }

  @Test
  void saysThatABodyWhichCouldBeIsNone() throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = rig().app(backend);
        var wire = wire(rig)) {
      wire.headers(1, WHOLE, request("POST", "/"));
      assertThat(wire.answer(1).body()).isEqualTo("hello");
      assertThat(backend.heads.getFirst()).containsIgnoringCase("Content-Length: 0\r\n");
    }
  }

  @Test
  void joinsTheCrumbsOfACookie() throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = rig().app(backend);
        var wire = wire(rig)) {
      wire.headers(1, WHOLE, request("GET", "/", "cookie", "a=1", "x", "y", "cookie", "b=2"));
      assertThat(wire.answer(1).status()).isEqualTo(200);
      assertThat(backend.heads.getFirst().toLowerCase(java.util.Locale.ROOT))
          .contains("cookie: a=1; b=2\r\n");
    }
  }

  @Test
  void refusesAHostThatContradictsTheAuthority() throws Exception {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = rig().app(backend);
        var wire = wire(rig)) {
      wire.headers(1, WHOLE, request("GET", "/", "host", "other.test"));
      assertThat(wire.answer(1).status()).isEqualTo(400);
      wire.headers(3, WHOLE, request("GET", "/", "host", "APP.test"));
      assertThat(wire.answer(3).status()).isEqualTo(200);
      wire.headers(5, WHOLE, ":method", "GET", ":scheme", "http", ":path", "/");
      assertThat(wire.answer(5).status()).isEqualTo(400);
      wire.headers(7, WHOLE, ":method", "CONNECT", ":authority", "app.test:443");
      assertThat(wire.answer(7).status()).isEqualTo(405);
    }
  }

  @Test
  void passesTrailersAndInterimHeads() throws Exception {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
              wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
              wire.send("5\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n");
            });
        var rig = rig().app(backend);
        var wire = wire(rig)) {
      var answer = wire.get(1, "/").answer(1);
      assertThat(answer.heads()).containsSequence(":status: 103", "link: </a>");
      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.body()).isEqualTo("hello");
      assertThat(answer.trailers()).containsExactly("x-sum: 7");
      assertThat(answer.heads()).noneMatch(field -> field.startsWith("transfer-encoding"));
    }
  }

  @Test
  void continuesAClientThatWaits() throws Exception {
    try (var backend = echo();
        var rig = rig().app(backend);
        var wire = wire(rig)) {
      wire.headers(
          1, END_HEADERS, request("PUT", "/", "expect", "100-continue", "content-length", "2"));
      assertThat(wire.fields(wire.next(HEADERS)).getFirst()).isEqualTo(":status: 100");
      assertThat(wire.data(1, true, "ok").answer(1).body()).isEqualTo("ok");
    }
  }

  @Test
  void answersHeadWithoutBody() throws Exception {
    try (var backend =
            new Backend(wire -> {
              for (var head = wire.head(); !head.isEmpty(); head = wire.head()) {
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
              }
            });
        var rig = rig().app(backend);
        var wire = wire(rig)) {
      var answer = wire.headers(1, WHOLE, request("HEAD", "/")).answer(1);
      assertThat(answer.has("content-length: 500")).isTrue();
      assertThat(answer.body()).isEmpty();
    }
  }

  @Test
  void showsItsOwnPages() throws Exception {
    try (var rig = rig();
        var wire = wire(rig)) {
      assertThat(wire.get(1, "/").answer(1).status()).isEqualTo(404);
      assertThat(wire.get(3, "/").answer(3).status()).isEqualTo(404);
    }
  }

  @Test
  void resetsACutAnswer() throws Exception {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
            });
        var rig = rig().app(backend);
        var wire = wire(rig)) {
      wire.get(1, "/");
      assertThat(wire.next(RST_STREAM).error()).isEqualTo(INTERNAL_ERROR);
      assertThat(rig.logged(1)).contains("code=H18");
    }
  }

  @Test
  void cancelsTheAppsRequestWhenTheClientResets() throws Exception {
    var asked = new CountDownLatch(1);
    var gone = new CountDownLatch(1);
    try (var backend =
            new Backend(wire -> {
              wire.head();
              asked.countDown();
              if (wire.in.read() < 0) {
                gone.countDown();
              }
            });
        var rig = rig().app(backend);
        var wire = wire(rig)) {
      wire.get(1, "/");
      assertThat(asked.await(5, TimeUnit.SECONDS)).isTrue();
      wire.frame(RST_STREAM, 0, 1, number(8));
      assertThat(gone.await(5, TimeUnit.SECONDS)).isTrue();
      assertThat(rig.logged(1)).contains("code=H27");
    }
  }

  @Test
  void cancelsTheAppsRequestsWhenTheConnectionBreaks() throws Exception {
    var gone = new CountDownLatch(2);
    var asked = new CountDownLatch(2);
    try (var backend =
            new Backend(wire -> {
              wire.head();
              asked.countDown();
              try {
                var _ = wire.in.skip(Long.MAX_VALUE);
              } finally {
                gone.countDown();
              }
            });
        var rig = rig().app(backend)) {
      try (var wire = wire(rig)) {
        wire.get(1, "/");
        wire.headers(3, END_HEADERS, request("POST", "/")).data(3, false, "x".repeat(1000));
        assertThat(asked.await(5, TimeUnit.SECONDS)).isTrue();
      }
      assertThat(gone.await(5, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void endsTheStreamAfterAnEarlyAnswer() throws Exception {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
              var _ = wire.in.skip(Long.MAX_VALUE);
            });
        var rig = rig().app(backend);
        var wire = wire(rig)) {
      wire.headers(1, END_HEADERS, request("POST", "/")).data(1, false, "begin");
      assertThat(wire.answer(1).status()).isEqualTo(413);
      assertThat(wire.next(RST_STREAM).error()).isZero();
      assertThat(wire.get(3, "/").answer(3).status()).isEqualTo(413);
    }
  }

  @Test
  void makesTheAppWaitForASlowClient() throws Exception {
    int body = 24 * 1024 * 1024;
    var written = new AtomicLong();
    try (var backend =
            new Backend(wire -> {
              if (wire.head().startsWith("GET /other")) {
                wire.send(Backend.ok("hello"));
                return;
              }
              wire.send("HTTP/1.1 200 OK\r\nContent-Length: " + body + "\r\n\r\n");
              var piece = new byte[16 * 1024];
              for (int sent = 0; sent < body; sent += piece.length) {
                wire.socket.getOutputStream().write(piece);
                written.addAndGet(piece.length);
              }
            });
        var rig = rig().app(backend);
        var wire = wire(rig)) {
      wire.frame(WINDOW_UPDATE, 0, 0, number(1 << 24)).get(1, "/");
      assertThat(settled(written)).isLessThan(12 * 1024 * 1024);
      assertThat(wire.get(3, "/other").answer(3).body()).isEqualTo("hello"); // others go on
      wire.frame(WINDOW_UPDATE, 0, 0, number(1 << 24)).frame(WINDOW_UPDATE, 0, 1, number(body));
      long got = 0;
      while (got < body - 65_535) { // the first window went by in between
        got += wire.next(DATA).payload().length;
      }
      assertThat(rig.logged(2)).contains("bytes=" + body);
    }
  }

  @Test
  void makesTheClientWaitForASlowApp() throws Exception {
    var front = new TestFront();
    var go = new CountDownLatch(1);
    try (var backend =
            new Backend(wire -> {
              wire.head();
              try {
                go.await();
              } catch (InterruptedException e) {
                return;
              }
              var _ = wire.in.transferTo(java.io.OutputStream.nullOutputStream());
            });
        var rig = new FrontRig(front).app(backend);
        var wire = wire(rig)) {
      wire.headers(1, END_HEADERS, request("POST", "/"));
      wire.next(SETTINGS);
      long window = front.build().streamWindowBytes();
      long sent = 0;
      var piece = "x".repeat(16 * 1024);
      wire.socket.setSoTimeout(700);
      try {
        while (sent < 64 * 1024 * 1024) {
          if (sent + piece.length() > window) {
            var frame = wire.next(WINDOW_UPDATE);
            window += frame.stream() == 1 ? frame.number(0) : 0;
          } else {
            wire.data(1, false, piece);
            sent += piece.length();
          }
        }
      } catch (java.net.SocketTimeoutException e) {
        assertThat(sent).isLessThan(24 * 1024 * 1024); // the app's kernel took what it could
      }
      assertThat(sent).isLessThan(64 * 1024 * 1024);
      go.countDown();
      wire.socket.setSoTimeout(Wire.PATIENCE_MILLIS);
      assertThat(wire.next(WINDOW_UPDATE).type()).isEqualTo(WINDOW_UPDATE);
    }
  }

  private static long settled(AtomicLong count) throws InterruptedException {
    long last = -1;
    for (int still = 0; still < 8; ) {
      Thread.sleep(25);
      still = count.get() == last && last > 0 ? still + 1 : 0;
      last = count.get();
    }
    return last;
  }
}
