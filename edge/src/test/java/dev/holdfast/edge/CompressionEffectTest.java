package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.ledger.Policy;
import dev.holdfast.ledger.Policy.Encoding;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What visitors get of an app whose policy compresses. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class CompressionEffectTest {
  private static final String TEXT = "All work and no play makes Jack a dull boy.\n".repeat(100);
  private static final Policy GZIP = PolicyForm.of("compression", List.of(Encoding.GZIP));
  private static final int GZIP_HEADER = 10;

  private static String asking(String accept) {
    return "GET / HTTP/1.1\r\nHost: app.test\r\nAccept-Encoding: " + accept + "\r\n\r\n";
  }

  private static String page(String more) {
    return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
        + more
        + "Content-Length: "
        + TEXT.length()
        + "\r\n\r\n"
        + TEXT;
  }

  private static String decoded(Encoding encoding, String body) throws IOException {
    var in = new ByteArrayInputStream(body.getBytes(ISO_8859_1));
    try (var decoder = CompressionTest.decoder(encoding, in)) {
      return new String(decoder.readAllBytes(), ISO_8859_1);
    }
  }

  @ParameterizedTest
  @EnumSource(Encoding.class)
  void compressesForWhomTakesIt(Encoding encoding) throws IOException {
    assumeTrue(Compression.available(encoding));
    var more = "ETag: \"v1\"\r\nAccept-Ranges: bytes\r\nVary: Cookie\r\nX-Own: 1\r\n";
    try (var backend = Backend.answering(page(more));
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      rig.policy("app.test", PolicyForm.of("compression", List.of(encoding)));
      for (int i = 0; i < 2; i++) { // and the connection goes on
        var answer = wire.send(asking("gzip, br, zstd")).message();
        assertThat(answer.field("content-encoding")).isEqualTo(Compression.name(encoding));
        assertThat(answer.head())
            .contains("\r\nVary: Cookie\r\n", "\r\nVary: Accept-Encoding\r\n", "\r\nX-Own: 1\r\n")
            .contains("\r\nETag: W/\"v1\"\r\n")
            .doesNotContain("Content-Length", "Accept-Ranges", "ETag: \"v1\"");
        assertThat(answer.field("transfer-encoding")).isEqualTo("chunked");
        assertThat(answer.body().length()).isLessThan(TEXT.length() / 10);
        assertThat(decoded(encoding, answer.body())).isEqualTo(TEXT);
        assertThat(rig.logged(i + 1)).contains(" bytes=" + answer.body().length() + " ");
      }
      assertThat(backend.connections).hasValue(1);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "gzip                    | gzip",
        "gzip;q=0.5, br;q=0.9    | br",
        "br;q=0.5, gzip;q=0.50   | br",
        "*                       | br",
        "gzip;q=0.2, identity    | none",
        "gzip;q=0, br;q=0        | none",
        "deflate                 | none"
      })
  void letsTheClientChoose(String accept, String coding) throws IOException {
    assumeTrue(Compression.available(Encoding.BR));
    try (var backend = Backend.answering(page(""));
        var rig = new Rig().app(backend)) {
      rig.policy("app.test", PolicyForm.of("compression", List.of(Encoding.BR, Encoding.GZIP)));
      var answer = rig.ask(asking(accept));
      assertThat(String.valueOf(answer.field("content-encoding")))
          .isEqualTo(coding.equals("none") ? "null" : coding);
      assertThat(answer.field("vary")).isEqualTo("Accept-Encoding");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Cache-Control: no-transform      | no  | ",
        "Cache-Control: max-age=1, NO-transform | no | ",
        "Content-Encoding: br             | no  | ",
        "Content-Digest: sha-256=:YQ==:   | no  | ",
        "Content-Range: bytes 0-9/10      | no  | ",
        "X: 1                             | yes | Range: bytes=0-9",
        "X: 1                             | yes | Cache-Control: no-transform",
      })
  void leavesAloneWhatNobodyMayTouch(String said, String varies, String asked) throws IOException {
    try (var backend = Backend.answering(page(said + "\r\n"));
        var rig = new Rig().app(backend)) {
      rig.policy("app.test", GZIP);
      var more = asked == null ? "" : asked + "\r\n";
      var answer = rig.ask(asking("gzip").replace("\r\n\r\n", "\r\n" + more + "\r\n"));
      assertThat(answer.body()).isEqualTo(TEXT);
      assertThat(answer.field("content-length")).isEqualTo("" + TEXT.length());
      assertThat(answer.head().contains("Vary: Accept-Encoding")).isEqualTo(varies.equals("yes"));
    }
  }

  @Test
  void leavesAloneWhatIsSmallOrNoTextOrForAnOldClient() throws IOException {
    try (var small =
            Backend.answering(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi");
        var image = Backend.answering(page("").replace("text/html", "image/png"));
        var text = Backend.answering(page(""));
        var rig = new Rig()) {
      rig.address("small.test", "http://127.0.0.1:" + small.port()).policy("small.test", GZIP);
      rig.address("image.test", "http://127.0.0.1:" + image.port()).policy("image.test", GZIP);
      rig.address("app.test", "http://127.0.0.1:" + text.port());
      assertThat(rig.ask(asking("gzip").replace("app", "small")).body()).isEqualTo("hi");
      assertThat(rig.ask(asking("gzip").replace("app", "image")).body()).isEqualTo(TEXT);
      var unasked = rig.ask(asking("gzip"));
      assertThat(unasked.body()).isEqualTo(TEXT);
      assertThat(unasked.head()).doesNotContain("Vary");
      rig.policy("app.test", GZIP);
      assertThat(rig.ask(asking("gzip")).field("content-encoding")).isEqualTo("gzip");
      assertThat(rig.ask(asking("gzip").replace("HTTP/1.1", "HTTP/1.0")).body()).isEqualTo(TEXT);
    }
  }

  private static String head(Rig rig, String raw) throws IOException {
    try (var wire = rig.connect()) {
      return wire.send(raw).head();
    }
  }

  @Test
  void touchesNoAnswerWithoutABody() throws IOException {
    var head = page("ETag: \"v\"\r\n").substring(0, page("ETag: \"v\"\r\n").indexOf(TEXT));
    var same = "HTTP/1.1 304 Not Modified\r\nETag: \"v\"\r\n\r\n";
    try (var headed = Backend.answering(head);
        var unchanged = Backend.answering(same);
        var none = Backend.answering("HTTP/1.1 204 No Content\r\nContent-Type: text/html\r\n\r\n");
        var rig = new Rig()) {
      rig.address("app.test", "http://127.0.0.1:" + headed.port()).policy("app.test", GZIP);
      rig.address("same.test", "http://127.0.0.1:" + unchanged.port()).policy("same.test", GZIP);
      rig.address("none.test", "http://127.0.0.1:" + none.port()).policy("none.test", GZIP);
      var asked = rig.ask(asking("gzip").replace("GET", "HEAD"));
      assertThat(asked.head())
          .contains("Content-Length: " + TEXT.length(), "ETag: \"v\"", "Vary: Accept-Encoding")
          .doesNotContain("Content-Encoding");
      assertThat(head(rig, asking("gzip").replace("app", "none")))
          .doesNotContain("Content-Encoding", "chunked", "Vary");
      var known = asking("gzip\r\nIf-None-Match: W/\"v\"").replace("app", "same");
      assertThat(head(rig, known)).contains("ETag: W/\"v\"", "Vary: Accept-Encoding");
      var plain = asking("gzip\r\nIf-None-Match: \"v\"").replace("app", "same");
      assertThat(head(rig, plain)).contains("ETag: \"v\"", "Vary: Accept-Encoding");
    }
  }

  /** The text of the next chunk that has any, through an inflater that began with the body. */
  private static String inflated(Wire wire, Inflater inflater) throws IOException {
    var text = new StringBuilder();
    try {
      while (text.isEmpty()) {
        var piece = wire.bytes(Integer.parseInt(wire.line(), 16)).getBytes(ISO_8859_1);
        wire.line();
        boolean header = piece.length >= 2 && piece[0] == 0x1f && (piece[1] & 0xff) == 0x8b;
        int from = header ? GZIP_HEADER : 0;
        inflater.setInput(piece, from, piece.length - from);
        var out = new byte[4096];
        for (int n = inflater.inflate(out); n > 0; n = inflater.inflate(out)) {
          text.append(new String(out, 0, n, ISO_8859_1));
        }
      }
    } catch (DataFormatException e) {
      throw new IOException(e);
    }
    return text.toString();
  }

  @ParameterizedTest
  @CsvSource({"text/event-stream,", "application/json,", "text/html,Content-Length: 2000"})
  void keepsNothingBackOfWhatTheAppSaid(String type, String length) throws Exception {
    var go = new LinkedBlockingQueue<String>();
    var framing = length == null ? "Transfer-Encoding: chunked" : length;
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\n" + framing + "\r\n\r\n");
              try {
                for (var next = go.poll(10, TimeUnit.SECONDS);
                    next != null;
                    next = go.poll(10, TimeUnit.SECONDS)) {
                  wire.send(length == null ? "9\r\n" + next + "\r\n" : next);
                }
              } catch (InterruptedException e) {
                throw new IOException(e);
              }
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect();
        var inflater = new Closing(new Inflater(true))) {
      rig.policy("app.test", GZIP);
      wire.send(asking("gzip"));
      assertThat(wire.head()).contains("Content-Encoding: gzip");
      for (int i = 0; i < 5; i++) {
        go.add("data: " + i + "\n\n");
        assertThat(inflated(wire, inflater.inflater)).isEqualTo("data: " + i + "\n\n");
      }
    }
  }

  private record Closing(Inflater inflater) implements AutoCloseable {
    @Override
    public void close() {
      inflater.end();
    }
  }

  @Test
  void carriesLargeBodiesWhicheverWayTheyEnd() throws IOException {
    var random = new Random(4);
    var large = new StringBuilder();
    for (int i = 0; i < 60_000; i++) {
      large.append(random.nextInt(1 << 20)).append(i % 7 == 0 ? '\n' : ' ');
    }
    var type = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send(type + "Connection: close\r\n\r\n" + large);
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      rig.policy("app.test", GZIP);
      var answer = wire.send(asking("gzip")).message();
      assertThat(decoded(Encoding.GZIP, answer.body())).isEqualTo(large.toString());
      var again = wire.send(asking("gzip")).message();
      assertThat(decoded(Encoding.GZIP, again.body())).isEqualTo(large.toString());
    }
  }

  @Test
  void neverEndsABodyThatTheAppDidNotEnd() throws IOException {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send(page("").substring(0, page("").length() - 7));
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      rig.policy("app.test", GZIP);
      wire.send(asking("gzip"));
      assertThat(wire.head()).contains("Content-Encoding: gzip");
      assertThatThrownBy(wire::rest).isInstanceOf(IOException.class); // a reset
      assertThat(rig.logged(1)).contains("code=H18");
    }
  }

  @Test
  void compressesForHttp2() throws IOException {
    try (var backend = Backend.answering(page(""));
        var rig = new Rig().app(backend);
        var wire = H2Wire.to(rig.edge.address())) {
      rig.policy("app.test", GZIP);
      wire.headers(1, H2Wire.WHOLE, H2Wire.request("GET", "/", "accept-encoding", "gzip"));
      var answer = wire.answer(1);
      assertThat(answer.has("content-encoding: gzip")).isTrue();
      assertThat(decoded(Encoding.GZIP, answer.body())).isEqualTo(TEXT);
    }
  }

  @Test
  void compressesOnlySoManyStreamsAtOnce() throws IOException {
    var config = new TestConfig();
    config.eventLoops = 1;
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send(
                  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                      + "Transfer-Encoding: chunked\r\n\r\n");
              wire.rest();
            });
        var rig = new Rig(config).app(backend)) {
      rig.policy("app.test", GZIP);
      var wires = new ArrayList<Wire>();
      for (int i = 0; i < Encoders.STREAMS_MAX; i++) {
        wires.add(rig.connect().send(asking("gzip")));
        assertThat(wires.getLast().head()).contains("Content-Encoding: gzip");
      }
      wires.add(rig.connect().send(asking("gzip")));
      assertThat(wires.getLast().head()).doesNotContain("Content-Encoding").contains("Vary");
      wires.getFirst().socket.setSoLinger(true, 0);
      wires.getFirst().close();
      assertThat(rig.logged(1)).contains("code=H27");
      wires.add(rig.connect().send(asking("gzip")));
      assertThat(wires.getLast().head()).contains("Content-Encoding: gzip");
      for (var wire : wires) {
        wire.close();
      }
    }
  }
}
