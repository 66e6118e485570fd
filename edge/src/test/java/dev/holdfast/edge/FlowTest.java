package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Who may send what and when, and what happens when one of the two ends early. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class FlowTest {
  private static final String HOST = "Host: app.test\r\n";

  private static String post(String headers) {
    return "POST /up HTTP/1.1\r\n" + HOST + headers + "\r\n";
  }

  // Many on one connection

  @Test
  void answersFiftyMixedRequestsInTheirOrder() throws IOException {
    var raw = new StringBuilder();
    var expected = new ArrayList<String>();
    for (int i = 0; i < 50; i++) {
      switch (i % 6) {
        case 0 -> raw.append("GET /" + i + " HTTP/1.1\r\n" + HOST + "\r\n");
        case 1 ->
            raw.append("POST /" + i + " HTTP/1.1\r\n" + HOST + "Content-Length: 3\r\n\r\nabc");
        case 2 ->
            raw.append("PUT /" + i + " HTTP/1.1\r\n" + HOST + "Transfer-Encoding: chunked\r\n\r\n")
                .append("1;x\r\na\r\n2\r\nbc\r\n0\r\nT: u\r\n\r\n");
        case 3 -> raw.append("HEAD /" + i + " HTTP/1.1\r\n" + HOST + "\r\n");
        case 4 -> raw.append("GET /" + i + " HTTP/1.1\r\nHost: nobody.test\r\n\r\n");
        default -> raw.append("\r\nOPTIONS * HTTP/1.1\r\n" + HOST + "\r\n");
      }
      expected.add(
          switch (i % 6) {
            case 0 -> "200 GET /" + i;
            case 1 -> "200 POST /" + i;
            case 2 -> "200 PUT /" + i;
            case 3 -> "200 ";
            case 4 -> "404";
            default -> "200 OPTIONS *";
          });
    }
    try (var judge = new RequestJudge();
        var wire = judge.rig.connect()) {
      wire.send(raw.toString());
      var reader = new StrictReader(wire.in);
      var got = new ArrayList<String>();
      for (int i = 0; i < 50; i++) {
        var answer = reader.answer(i % 6 == 3 ? "HEAD" : "GET");
        got.add(answer.status() + (answer.status() == 404 ? "" : " " + answer.body()));
      }
      assertThat(got).isEqualTo(expected);
      assertThat(judge.app.seen).hasSize(42);
      assertThat(judge.app.broken).isEmpty();
    }
  }

  @Test
  void keepsTheConnectionAcrossItsOwnPages() throws IOException {
    try (var judge = new RequestJudge();
        var wire = judge.rig.connect()) {
      var reader = new StrictReader(wire.in);
      for (int i = 0; i < 3; i++) {
        wire.send("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n");
        assertThat(reader.answer("GET").status()).isEqualTo(404);
        wire.send("HEAD / HTTP/1.1\r\nHost: nobody.test\r\n\r\n");
        assertThat(reader.answer("HEAD").status()).isEqualTo(404);
        wire.send(Rig.get("/" + i));
        assertThat(reader.answer("GET").body()).isEqualTo("GET /" + i);
      }
    }
  }

  @Test
  void closesForOldClientsUnlessTheyAskToStay() throws IOException {
    try (var judge = new RequestJudge();
        var stays = judge.rig.connect();
        var goes = judge.rig.connect()) {
      var old = "GET / HTTP/1.0\r\n" + HOST;
      var reader = new StrictReader(stays.in);
      for (int i = 0; i < 3; i++) {
        stays.send(old + "Connection: Keep-Alive\r\n\r\n");
        assertThat(reader.answer("GET").has("connection", "keep-alive")).isTrue();
      }
      goes.send(old + "\r\n" + old + "\r\n");
      reader = new StrictReader(goes.in);
      assertThat(reader.answer("GET").has("connection", "close")).isTrue();
      assertThat(reader.response("GET")).isNull();
      assertThat(judge.app.seen).hasSize(4);
    }
  }

  // Expect

  @Test
  void answersExpectItselfOnceAndOnlyWhenTheBodyIsMissing() throws IOException {
    try (var judge = new RequestJudge();
        var wire = judge.rig.connect()) {
      var reader = new StrictReader(wire.in);
      for (int i = 0; i < 3; i++) {
        wire.send(post("Expect: 100-continue\r\nContent-Length: 3\r\n"));
        var interim = reader.next("POST");
        assertThat(interim.status()).isEqualTo(100);
        wire.send("abc");
        var answer = reader.next("POST");
        assertThat(answer.status()).isEqualTo(200);
      }
      wire.send(post("Expect: 100-continue\r\nContent-Length: 3\r\n") + "abc");
      var answer = reader.next("POST");
      assertThat(answer.status()).as("no 100 for a body that is there").isEqualTo(200);
      assertThat(judge.app.seen).allMatch(seen -> seen.values("expect").isEmpty());
    }
  }

  @Test
  void sendsNo100AgainWhenTheAppSendsItsOwn() throws IOException {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\n\r\n");
              wire.bytes(3);
              wire.send(Backend.ok("x"));
              wire.rest();
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      wire.send(post("Expect: 100-continue\r\nContent-Length: 3\r\n"));
      assertThat(wire.head()).startsWith("HTTP/1.1 100 ");
      assertThat(wire.head()).startsWith("HTTP/1.1 103 ");
      assertThat(wire.send("abc").message().body()).isEqualTo("x");
    }
  }

  @Test
  void deliversAnEarlyRefusalAndNeverTakesTheBodyForARequest() throws IOException {
    for (int status : new int[] {413, 417, 401, 200}) {
      for (var framing : List.of("Content-Length: 90\r\n", "Transfer-Encoding: chunked\r\n")) {
        for (var expect : List.of("", "Expect: 100-continue\r\n")) {
          refusedEarly(status, framing, expect);
        }
      }
    }
  }

  private static void refusedEarly(int status, String framing, String expect) throws IOException {
    var requests = new AtomicInteger();
    try (var backend =
            new Backend(wire -> {
              if (!wire.head().isEmpty()) {
                requests.incrementAndGet();
                wire.send("HTTP/1.1 " + status + " Early\r\nContent-Length: 2\r\n\r\nno");
                wire.rest();
              }
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      wire.send(post(framing + expect));
      var reader = new StrictReader(wire.in);
      var answer = reader.answer("POST");
      assertThat(answer.status()).isEqualTo(status);
      assertThat(answer.body()).isEqualTo("no");
      assertThat(answer.has("connection", "close")).isTrue();
      wire.send(Rig.get("/smuggled"));
      assertThat(reader.response("GET")).isNull();
      rig.logged(1);
      assertThat(rig.log).hasSize(1);
      assertThat(requests).hasValue(1);
    }
  }

  @Test
  void deliversTheAnswerOfAnAppThatStopsReadingALargeBody() throws IOException {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 413 Big\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
              wire.socket.shutdownOutput();
              wire.rest();
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      wire.send(post("Content-Length: 100000000\r\n"));
      var writer =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  for (int i = 0; i < 1000; i++) {
                    wire.send("a".repeat(100_000));
                  }
                } catch (IOException e) {
                  // the edge takes no more at some time
                }
              });
      var answer = new StrictReader(wire.in).answer("POST");
      assertThat(answer.status()).isEqualTo(413);
      assertThat(answer.body()).isEqualTo("no");
      wire.socket.close();
      join(writer);
    }
  }

  // Ends

  @Test
  void answersAClientThatSentItsEndWithTheRequest() throws IOException {
    try (var judge = new RequestJudge()) {
      for (var raw :
          List.of(
              "GET /x HTTP/1.1\r\n" + HOST + "\r\n",
              "GET /x HTTP/1.0\r\n" + HOST + "\r\n",
              "GET /x HTTP/1.1\r\n" + HOST + "Content-Length: 3\r\n\r\nabc",
              "GET /x HTTP/1.1\r\n" + HOST + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")) {
        try (var wire = judge.rig.connect()) {
          wire.send(raw);
          wire.socket.shutdownOutput();
          var reader = new StrictReader(wire.in);
          assertThat(reader.answer("GET").body()).isEqualTo("GET /x");
          assertThat(reader.response("GET")).isNull();
        }
      }
    }
  }

  @Test
  void answersAllRequestsOfAClientThatSentItsEndAfterThem() throws IOException {
    try (var judge = new RequestJudge();
        var wire = judge.rig.connect()) {
      wire.send(Rig.get("/1") + Rig.get("/2") + Rig.get("/3"));
      wire.socket.shutdownOutput();
      var reader = new StrictReader(wire.in);
      for (int i = 1; i <= 3; i++) {
        assertThat(reader.answer("GET").body()).isEqualTo("GET /" + i);
      }
      assertThat(reader.response("GET")).isNull();
    }
  }

  @Test
  void passesNoRequestThatEndsBeforeItIsWhole() throws IOException {
    for (var raw :
        List.of(
            "GET",
            "GET / HTTP/1.1",
            "GET / HTTP/1.1\r",
            "GET / HTTP/1.1\r\n" + HOST,
            "GET / HTTP/1.1\r\n" + HOST + "\r",
            post("Content-Length: 3\r\n") + "ab",
            post("Transfer-Encoding: chunked\r\n"),
            post("Transfer-Encoding: chunked\r\n") + "3\r\nab",
            post("Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n",
            post("Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n",
            post("Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r",
            post("Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\nA: b\r\n")) {
      try (var judge = new RequestJudge()) {
        try (var wire = judge.rig.connect()) {
          wire.send(raw);
          wire.socket.shutdownOutput();
          var seen = new StrictReader(wire.in).response("GET");
          assertThat(seen == null || seen.status() == 400 || seen.status() == 408)
              .as("%s: %s", raw, seen)
              .isTrue();
        } catch (java.net.SocketException e) {
          // a reset is as good an end of what never was a request
        }
        assertThat(judge.rig.ask(Rig.get("/probe")).status()).isEqualTo(200);
        assertThat(judge.app.seen).as(raw).hasSize(1);
      }
    }
  }

  @Test
  void closesTheAppsConnectionAtOnceWhenTheClientIsGone() throws Exception {
    for (var raw :
        List.of(
            Rig.get("/"),
            post("Content-Length: 9\r\n") + "abc",
            post("Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n")) {
      var reached = new CountDownLatch(1);
      var ended = new CountDownLatch(1);
      try (var backend =
              new Backend(wire -> {
                wire.head();
                reached.countDown();
                try {
                  wire.rest();
                } finally {
                  ended.countDown();
                }
              });
          var rig = new Rig().app(backend)) {
        try (var wire = rig.connect()) {
          wire.send(raw);
          assertThat(reached.await(5, TimeUnit.SECONDS)).isTrue();
          wire.socket.setSoLinger(true, 0);
        }
        assertThat(ended.await(5, TimeUnit.SECONDS)).as(raw).isTrue();
        assertThat(rig.logged(1)).contains("code=H27", "status=499");
      }
    }
  }

  @Test
  void answersForAnAppThatEndsInTheMiddleOfAnUpload() throws IOException {
    for (boolean reset : new boolean[] {false, true}) {
      try (var backend =
              new Backend(wire -> {
                wire.head();
                wire.bytes(3);
                wire.socket.setSoLinger(reset, 0);
              });
          var rig = new Rig().app(backend);
          var wire = rig.connect()) {
        wire.send(post("Content-Length: 9\r\n") + "abc");
        var answer = new StrictReader(wire.in).answer("POST");
        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.values("holdfast-error")).containsAnyOf("H13", "H18");
        rig.logged(1);
      }
    }
  }

  @Test
  void replaysNoPostOnAConnectionThatTheAppClosed() throws IOException {
    var posts = new AtomicInteger();
    try (var backend =
            new Backend(wire -> {
              wire.message();
              wire.send(Backend.ok("first"));
              if (wire.head().startsWith("POST")) { // and closes without a word
                posts.incrementAndGet();
              }
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      wire.send(Rig.get("/"));
      var reader = new StrictReader(wire.in);
      assertThat(reader.answer("GET").body()).isEqualTo("first");
      wire.send("POST / HTTP/1.1\r\n" + HOST + "Content-Length: 3\r\n\r\nabc");
      var answer = reader.answer("POST");
      assertThat(answer.values("holdfast-error")).containsExactly("H13");
      assertThat(posts).hasValue(1);
    }
  }

  @Test
  void repeatsAGetOnceOnAConnectionThatTheAppClosed() throws IOException {
    var connections = new AtomicInteger();
    try (var backend =
            new Backend(wire -> {
              int n = connections.incrementAndGet();
              wire.message();
              wire.send(Backend.ok("on " + n));
              wire.head(); // and closes without a word
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      var reader = new StrictReader(wire.in);
      wire.send(Rig.get("/"));
      assertThat(reader.answer("GET").body()).isEqualTo("on 1");
      wire.send(Rig.get("/"));
      assertThat(reader.answer("GET").body()).isEqualTo("on 2");
    }
  }

  // Slowness

  @Test
  void streamsBothWaysAtTheSameTime() throws IOException {
    var finished = new AtomicBoolean();
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
              for (int i = 0; i < 20; i++) {
                int size = Integer.parseInt(wire.line(), 16);
                wire.send(Integer.toHexString(size) + "\r\n" + wire.bytes(size) + "\r\n");
                wire.line();
              }
              finished.set(wire.line().equals("0"));
              wire.send("0\r\n\r\n");
              wire.rest();
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      wire.send(post("Transfer-Encoding: chunked\r\n"));
      assertThat(wire.head()).startsWith("HTTP/1.1 200 ");
      for (int i = 0; i < 20; i++) {
        wire.send("2\r\n" + (char) ('a' + i) + "!\r\n");
        assertThat(wire.line()).isEqualTo("2");
        assertThat(wire.line()).isEqualTo((char) ('a' + i) + "!");
      }
      wire.send("0\r\n\r\n");
      assertThat(wire.rest()).isEqualTo("0\r\n\r\n");
      assertThat(finished).isTrue();
    }
  }

  private static void join(Thread thread) {
    try {
      assertThat(thread.join(java.time.Duration.ofSeconds(10))).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
