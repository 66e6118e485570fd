package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Raw requests and what they are answered: everything that two readers could read differently. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class RequestRefusalTest {
  private static final String HOST = "Host: app.test\r\n";
  private static final String BODY = "\r\n0\r\n\r\n";
  private static Backend backend;
  private static Rig rig;

  @BeforeAll
  static void start() throws IOException {
    backend = Backend.answering(Backend.ok("hello"));
    rig = new Rig().app(backend);
  }

  @AfterAll
  static void stop() throws IOException {
    rig.close();
    backend.close();
  }

  private static Arguments row(String name, int status, String raw) {
    return Arguments.of(name, status, raw);
  }

  private static String post(String headers, String body) {
    return "POST / HTTP/1.1\r\n" + HOST + headers + "\r\n" + body;
  }

  private static String many(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "x" + i + ": y\r\n")
        .collect(Collectors.joining());
  }

  static Stream<Arguments> requests() {
    var te = "Transfer-Encoding: chunked\r\n";
    return Stream.of(
        row("plain", 200, "GET / HTTP/1.1\r\n" + HOST + "\r\n"),
        row("one leading line", 200, "\r\nGET / HTTP/1.1\r\n" + HOST + "\r\n"),
        row("two leading lines", 400, "\r\n\r\nGET / HTTP/1.1\r\n" + HOST + "\r\n"),
        row("upper case host, dot, port", 200, "GET / HTTP/1.1\r\nHost: APP.Test.:81\r\n\r\n"),
        row("absolute form wins", 200, "GET http://app.test/x HTTP/1.1\r\nHost: other\r\n\r\n"),
        row("absolute form unknown", 404, "GET http://other/x HTTP/1.1\r\n" + HOST + "\r\n"),
        row("absolute form userinfo", 400, "GET http://a@app.test/ HTTP/1.1\r\n" + HOST + "\r\n"),
        row("asterisk", 200, "OPTIONS * HTTP/1.1\r\n" + HOST + "\r\n"),
        row("asterisk GET", 400, "GET * HTTP/1.1\r\n" + HOST + "\r\n"),
        row("no slash", 400, "GET x HTTP/1.1\r\n" + HOST + "\r\n"),
        row("fragment", 400, "GET /#x HTTP/1.1\r\n" + HOST + "\r\n"),
        row("1.0 with host", 200, "GET / HTTP/1.0\r\n" + HOST + "\r\n"),
        row("1.0 without host", 400, "GET / HTTP/1.0\r\n\r\n"),
        row("no host", 400, "GET / HTTP/1.1\r\n\r\n"),
        row("two hosts", 400, "GET / HTTP/1.1\r\n" + HOST + HOST + "\r\n"),
        row("empty host", 400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        row("host with blank", 400, "GET / HTTP/1.1\r\nHost: app test\r\n\r\n"),
        row("host with slash", 400, "GET / HTTP/1.1\r\nHost: app.test/x\r\n\r\n"),
        row("host with at", 400, "GET / HTTP/1.1\r\nHost: x@app.test\r\n\r\n"),
        row("host with bad port", 400, "GET / HTTP/1.1\r\nHost: app.test:8x\r\n\r\n"),
        row("host with big port", 400, "GET / HTTP/1.1\r\nHost: app.test:65536\r\n\r\n"),
        row("literal host", 404, "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
        row("bad literal host", 400, "GET / HTTP/1.1\r\nHost: [::x]:80\r\n\r\n"),
        row("unknown host", 404, "GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n"),
        row("0.9", 400, "GET /\r\n\r\n"),
        row("version 2", 505, "GET / HTTP/2.0\r\n" + HOST + "\r\n"),
        row("version 1.2", 200, "GET / HTTP/1.2\r\n" + HOST + "\r\n"),
        row("version 1.10", 400, "GET / HTTP/1.10\r\n" + HOST + "\r\n"),
        row("version lower", 400, "GET / http/1.1\r\n" + HOST + "\r\n"),
        row("two blanks before target", 400, "GET  / HTTP/1.1\r\n" + HOST + "\r\n"),
        row("two blanks after target", 400, "GET /  HTTP/1.1\r\n" + HOST + "\r\n"),
        row("blank after version", 400, "GET / HTTP/1.1 \r\n" + HOST + "\r\n"),
        row("tab in line", 400, "GET\t/ HTTP/1.1\r\n" + HOST + "\r\n"),
        row("leading blank", 400, " GET / HTTP/1.1\r\n" + HOST + "\r\n"),
        row("bad method", 400, "GE(T / HTTP/1.1\r\n" + HOST + "\r\n"),
        row("long method", 400, "G".repeat(128) + " / HTTP/1.1\r\n" + HOST + "\r\n"),
        row("odd method", 200, "BREW / HTTP/1.1\r\n" + HOST + "\r\n"),
        row("connect", 405, "CONNECT app.test:80 HTTP/1.1\r\n" + HOST + "\r\n"),
        row("bare LF in line", 400, "GET / HTTP/1.1\n" + HOST + "\r\n"),
        row("bare LF in header", 400, "GET / HTTP/1.1\r\nHost: app.test\n\r\n"),
        row("bare LF at end", 400, "GET / HTTP/1.1\r\n" + HOST + "\n"),
        row("bare CR in value", 400, "GET / HTTP/1.1\r\n" + HOST + "a: b\rc\r\n\r\n"),
        row("NUL in value", 400, "GET / HTTP/1.1\r\n" + HOST + "a: b\0c\r\n\r\n"),
        row("DEL in value", 400, "GET / HTTP/1.1\r\n" + HOST + "a: b\u007fc\r\n\r\n"),
        row("tab in value", 200, "GET / HTTP/1.1\r\n" + HOST + "a: b\tc\r\n\r\n"),
        row("obs-text in value", 200, "GET / HTTP/1.1\r\n" + HOST + "a: \u00e4\r\n\r\n"),
        row("blank before colon", 400, "GET / HTTP/1.1\r\n" + HOST + "a : b\r\n\r\n"),
        row("no colon", 400, "GET / HTTP/1.1\r\n" + HOST + "a\r\n\r\n"),
        row("no name", 400, "GET / HTTP/1.1\r\n" + HOST + ": b\r\n\r\n"),
        row("bad name", 400, "GET / HTTP/1.1\r\n" + HOST + "a@: b\r\n\r\n"),
        row("fold", 400, "GET / HTTP/1.1\r\n" + HOST + "a: b\r\n c\r\n\r\n"),
        row("fold first", 400, "GET / HTTP/1.1\r\n a: b\r\n" + HOST + "\r\n"),
        row("TLS hello", 400, "\u0016\u0003\u0001"),
        row("length", 200, post("Content-Length: 3\r\n", "abc")),
        row("equal lengths", 200, post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")),
        row("differing lengths", 400, post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc")),
        row("list of lengths", 400, post("Content-Length: 3, 3\r\n", "abc")),
        row("signed length", 400, post("Content-Length: +3\r\n", "abc")),
        row("negative length", 400, post("Content-Length: -3\r\n", "abc")),
        row("hex length", 400, post("Content-Length: 0x3\r\n", "abc")),
        row("empty length", 400, post("Content-Length:\r\n", "abc")),
        row("huge length", 400, post("Content-Length: 99999999999999999999\r\n", "abc")),
        row("chunked", 200, post(te, "3\r\nabc\r\n0\r\n\r\n")),
        row("chunked upper", 200, post("Transfer-Encoding: CHUNKED\r\n", "3\r\nabc" + BODY)),
        row("chunk extension", 200, post(te, "3;a=b\r\nabc" + BODY)),
        row("length and chunked", 400, post(te + "Content-Length: 3\r\n", "3\r\nabc" + BODY)),
        row("chunked twice", 400, post(te + te, "3\r\nabc" + BODY)),
        row(
            "chunked, chunked",
            400,
            post("Transfer-Encoding: chunked, chunked\r\n", "3\r\nabc" + BODY)),
        row("gzip, chunked", 501, post("Transfer-Encoding: gzip, chunked\r\n", "3\r\nabc" + BODY)),
        row("identity", 501, post("Transfer-Encoding: identity\r\n", "")),
        row("xchunked", 501, post("Transfer-Encoding: xchunked\r\n", "")),
        row("chunked on 1.0", 400, "POST / HTTP/1.0\r\n" + HOST + te + "\r\n3\r\nabc" + BODY),
        row("chunk 0x", 400, post(te, "0x3\r\nabc" + BODY)),
        row("chunk sign", 400, post(te, "+3\r\nabc" + BODY)),
        row("chunk blank", 400, post(te, "3 \r\nabc" + BODY)),
        row("chunk underscore", 400, post(te, "0_3\r\nabc" + BODY)),
        row("chunk overflow", 400, post(te, "10000000000000003\r\nabc" + BODY)),
        row("chunk bare LF", 400, post(te, "3\nabc" + BODY)),
        row("chunk data too long", 400, post(te, "3\r\nabcd" + BODY)),
        row("chunk end bare LF", 400, post(te, "3\r\nabc\n0\r\n\r\n")),
        row("chunk no size", 400, post(te, "\r\nabc" + BODY)),
        row("bad trailer", 400, post(te, "0\r\na : b\r\n\r\n")),
        row("expect other", 417, post("Expect: 200-ok\r\nContent-Length: 3\r\n", "abc")),
        row("line fits", 200, "GET /" + "a".repeat(8177) + " HTTP/1.1\r\n" + HOST + "\r\n"),
        row("line too long", 414, "GET /" + "a".repeat(8180) + " HTTP/1.1\r\n" + HOST + "\r\n"),
        row("line without end", 414, "GET /" + "a".repeat(9000)),
        row(
            "header fits",
            200,
            "GET / HTTP/1.1\r\n" + HOST + "a: " + "b".repeat(8189) + "\r\n\r\n"),
        row(
            "header too long",
            431,
            "GET / HTTP/1.1\r\n" + HOST + "a: " + "b".repeat(8190) + "\r\n\r\n"),
        row("name too long", 431, "GET / HTTP/1.1\r\n" + HOST + "a".repeat(1001) + ": b\r\n\r\n"),
        row("headers fit", 200, "GET / HTTP/1.1\r\n" + HOST + many(999) + "\r\n"),
        row("too many headers", 431, "GET / HTTP/1.1\r\n" + HOST + many(1000) + "\r\n"));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("requests")
  void answersWithTheRightStatus(String name, int status, String raw) throws IOException {
    int before = backend.heads.size();
    var answer = rig.ask(raw);
    assertThat(answer.status()).as(name).isEqualTo(status);
    if (status != 200 && !name.startsWith("chunk") && !name.equals("bad trailer")) {
      assertThat(backend.heads).as("nothing of it reaches the app").hasSize(before);
    }
  }
}
