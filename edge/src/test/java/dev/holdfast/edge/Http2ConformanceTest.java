package dev.holdfast.edge;

import static dev.holdfast.edge.H2Wire.ACK;
import static dev.holdfast.edge.H2Wire.CONTINUATION;
import static dev.holdfast.edge.H2Wire.DATA;
import static dev.holdfast.edge.H2Wire.END_HEADERS;
import static dev.holdfast.edge.H2Wire.END_STREAM;
import static dev.holdfast.edge.H2Wire.GOAWAY;
import static dev.holdfast.edge.H2Wire.HEADERS;
import static dev.holdfast.edge.H2Wire.NONE;
import static dev.holdfast.edge.H2Wire.PADDED;
import static dev.holdfast.edge.H2Wire.PING;
import static dev.holdfast.edge.H2Wire.PRIORITY;
import static dev.holdfast.edge.H2Wire.PUSH_PROMISE;
import static dev.holdfast.edge.H2Wire.RST_STREAM;
import static dev.holdfast.edge.H2Wire.SETTINGS;
import static dev.holdfast.edge.H2Wire.WHOLE;
import static dev.holdfast.edge.H2Wire.WINDOW_UPDATE;
import static dev.holdfast.edge.H2Wire.block;
import static dev.holdfast.edge.H2Wire.number;
import static dev.holdfast.edge.H2Wire.request;
import static dev.holdfast.edge.H2Wire.setting;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * RFC 9113 and RFC 7541 by raw frames, one case after the other. Where a stream error is due, an
 * error of the connection is conforming too (RFC 9113 section 5.4).
 */
class Http2ConformanceTest {
  private static final int PROTOCOL_ERROR = 1;
  private static final int FLOW_CONTROL_ERROR = 3;
  private static final int STREAM_CLOSED = 5;
  private static final int FRAME_SIZE_ERROR = 6;
  private static final int REFUSED_STREAM = 7;
  private static final int COMPRESSION_ERROR = 9;
  private static final int FRAME_BYTES_MAX = 16_384;

  /** What a client does. */
  interface Script {
    void run(H2Wire wire) throws IOException;
  }

  /** A case; {@code ends} are the endings that conform. */
  record Case(String name, Script script, List<String> ends) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static FrontRig rig;
  private static Backend backend;

  @BeforeAll
  static void begin() throws IOException {
    backend =
        new Backend(wire -> {
          for (var head = wire.head(); !head.isEmpty(); head = wire.head()) {
            if (head.startsWith("GET /slow")) {
              var _ = wire.in.read(); // until the edge lets go
              return;
            }
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
            if (!head.startsWith("GET") && !head.startsWith("HEAD")) {
              return;
            }
          }
        });
    var front = new TestFront();
    front.streamsMax = 10;
    rig = new FrontRig(front).app(backend);
  }

  @AfterAll
  static void end() throws IOException {
    rig.close();
    backend.close();
  }

  private static final List<Case> CASES = new ArrayList<>();

  private static void connection(String name, int error, Script script) {
    CASES.add(new Case(name, script, List.of("goaway " + error, "closed")));
  }

  private static void stream(String name, int error, Script script) {
    CASES.add(new Case(name, script, List.of("reset " + error, "goaway " + error, "closed")));
  }

  /** Refused, but not in the way that the RFC names: so the codec has it. */
  private static void deviates(String name, String end, Script script) {
    CASES.add(new Case("(deviates) " + name, script, List.of(end)));
  }

  private static void served(String name, Script script) {
    CASES.add(new Case(name, script, List.of("answer :status: 200")));
  }

  private static void malformed(String name, String... fields) {
    stream(name, PROTOCOL_ERROR, wire -> wire.headers(1, WHOLE, fields));
  }

  private static String[] without(String pseudo) {
    var all = new ArrayList<>(List.of(request("GET", "/")));
    int at = all.indexOf(pseudo);
    all.remove(at);
    all.remove(at);
    return all.toArray(new String[0]);
  }

  private static void post(H2Wire wire, String... more) throws IOException {
    wire.headers(1, END_HEADERS, request("POST", "/", more));
  }

  static Stream<Case> cases() {
    if (CASES.isEmpty()) {
      frames();
      streams();
      dataAndHeaders();
      priorityAndResets();
      settings();
      pingAndGoAway();
      windows();
      continuations();
      messages();
      fields();
      compression();
    }
    return CASES.stream();
  }

  private static void frames() {
    served(
        "4.1: an unknown type is ignored",
        wire -> {
          wire.frame(0xbb, 0xff, 0, new byte[8]).get(1, "/");
        });
    served(
        "4.1: undefined flags are ignored",
        wire -> {
          wire.frame(PING, 0xfe, 0, new byte[8]).get(1, "/");
        });
    served(
        "4.1: the reserved bit is ignored",
        wire -> {
          wire.frame(PING, 0, 0x8000_0000, new byte[8]).get(1, "/");
        });
    served(
        "4.2: DATA of the largest size is taken",
        wire -> {
          post(wire);
          wire.frame(DATA, END_STREAM, 1, new byte[FRAME_BYTES_MAX]);
        });
    stream(
        "4.2: DATA beyond the largest size",
        FRAME_SIZE_ERROR,
        wire -> {
          post(wire);
          wire.frame(DATA, END_STREAM, 1, new byte[FRAME_BYTES_MAX + 1]);
        });
    connection(
        "4.2: HEADERS beyond the largest size",
        FRAME_SIZE_ERROR,
        wire -> {
          wire.headers(1, WHOLE, request("GET", "/", "x", "y".repeat(FRAME_BYTES_MAX)));
        });
    connection(
        "4.3: a broken field block",
        COMPRESSION_ERROR,
        wire -> {
          wire.frame(HEADERS, WHOLE, 1, new byte[] {(byte) 0x82, (byte) 0x84, 0x41, 0x7f});
        });
    connection(
        "4.3: PRIORITY within a field block",
        PROTOCOL_ERROR,
        wire -> {
          wire.headers(1, END_STREAM, request("GET", "/")).frame(PRIORITY, 0, 1, new byte[5]);
        });
    connection(
        "4.3: HEADERS of another stream within a block",
        PROTOCOL_ERROR,
        wire -> {
          wire.headers(1, END_STREAM, request("GET", "/")).get(3, "/");
        });
  }

  private static void streams() {
    connection("5.1: DATA on an idle stream", PROTOCOL_ERROR, wire -> wire.data(1, true, "x"));
    connection(
        "5.1: RST_STREAM on an idle stream",
        PROTOCOL_ERROR,
        wire -> {
          wire.frame(RST_STREAM, 0, 1, number(8));
        });
    connection(
        "5.1: WINDOW_UPDATE on an idle stream",
        PROTOCOL_ERROR,
        wire -> {
          wire.frame(WINDOW_UPDATE, 0, 1, number(100));
        });
    connection(
        "5.1: CONTINUATION on an idle stream",
        PROTOCOL_ERROR,
        wire -> {
          wire.frame(CONTINUATION, END_HEADERS, 1, block("x", "y"));
        });
    stream(
        "5.1: DATA on a half-closed stream",
        STREAM_CLOSED,
        wire -> {
          wire.get(1, "/slow").data(1, true, "x");
        });
    deviates(
        "5.1: HEADERS on a half-closed stream: STREAM_CLOSED",
        "reset 1",
        wire -> {
          wire.get(1, "/slow").get(1, "/");
        });
    connection(
        "5.1: CONTINUATION on a half-closed stream",
        PROTOCOL_ERROR,
        wire -> {
          wire.get(1, "/slow").frame(CONTINUATION, END_HEADERS, 1, block("x", "y"));
        });
    stream(
        "5.1: DATA after RST_STREAM",
        STREAM_CLOSED,
        wire -> {
          wire.headers(1, END_HEADERS, request("GET", "/slow"));
          wire.frame(RST_STREAM, 0, 1, number(8)).data(1, true, "x");
        });
    stream(
        "5.1: HEADERS after RST_STREAM",
        STREAM_CLOSED,
        wire -> {
          wire.headers(1, END_HEADERS, request("GET", "/slow"));
          wire.frame(RST_STREAM, 0, 1, number(8)).get(1, "/");
        });
    stream(
        "5.1: DATA on a closed stream",
        STREAM_CLOSED,
        wire -> {
          wire.get(1, "/");
          wire.next(DATA);
          wire.data(1, true, "x");
        });
    deviates(
        "5.1: HEADERS on a closed stream: connection STREAM_CLOSED",
        "reset 5",
        wire -> {
          wire.get(1, "/");
          wire.next(DATA);
          wire.get(1, "/");
        });
    connection("5.1.1: an even stream", PROTOCOL_ERROR, wire -> wire.get(2, "/"));
    deviates(
        "5.1.1: a stream below the last: connection PROTOCOL_ERROR",
        "reset 5",
        wire -> {
          wire.get(5, "/slow").get(3, "/");
        });
    stream(
        "5.1.2: more streams than announced",
        REFUSED_STREAM,
        wire -> {
          wire.next(SETTINGS);
          for (int i = 0; i < 11; i++) {
            wire.headers(1 + 2 * i, END_HEADERS, request("GET", "/slow"));
          }
        });
    stream(
        "5.3.1: HEADERS that depends on itself",
        PROTOCOL_ERROR,
        wire -> {
          var depends = new java.io.ByteArrayOutputStream();
          depends.writeBytes(number(1));
          depends.write(255);
          depends.writeBytes(block(request("GET", "/")));
          wire.frame(HEADERS, WHOLE | 0x20, 1, depends.toByteArray());
        });
    connection(
        "5.5: an unknown frame within a field block",
        PROTOCOL_ERROR,
        wire -> {
          wire.headers(1, END_STREAM, request("GET", "/")).frame(0xbb, 0, 1, new byte[8]);
        });
  }

  private static void dataAndHeaders() {
    connection("6.1: DATA on stream 0", PROTOCOL_ERROR, wire -> wire.data(0, true, "x"));
    connection(
        "6.1: DATA with too much padding",
        PROTOCOL_ERROR,
        wire -> {
          post(wire);
          wire.frame(DATA, END_STREAM | PADDED, 1, new byte[] {6, 1, 2, 3, 4, 5});
        });
    served(
        "6.1: padding is taken away",
        wire -> {
          post(wire, "content-length", "2");
          wire.frame(DATA, END_STREAM | PADDED, 1, new byte[] {3, 'o', 'k', 0, 0, 0});
        });
    connection("6.2: HEADERS on stream 0", PROTOCOL_ERROR, wire -> wire.get(0, "/"));
    connection(
        "6.2: HEADERS with too much padding",
        PROTOCOL_ERROR,
        wire -> {
          var padded = new java.io.ByteArrayOutputStream();
          padded.write(255);
          padded.writeBytes(block(request("GET", "/")));
          wire.frame(HEADERS, WHOLE | PADDED, 1, Arrays.copyOf(padded.toByteArray(), 60));
        });
  }

  private static void priorityAndResets() {
    connection(
        "6.3: PRIORITY on stream 0",
        PROTOCOL_ERROR,
        wire -> {
          wire.frame(PRIORITY, 0, 0, new byte[] {0, 0, 0, 1, 1});
        });
    stream(
        "6.3: PRIORITY of 4 bytes",
        FRAME_SIZE_ERROR,
        wire -> {
          wire.get(1, "/slow").frame(PRIORITY, 0, 1, new byte[4]);
        });
    served(
        "6.3: PRIORITY of an idle stream",
        wire -> {
          wire.frame(PRIORITY, 0, 7, new byte[] {0, 0, 0, 0, 1}).get(9, "/");
        });
    connection(
        "6.4: RST_STREAM on stream 0",
        PROTOCOL_ERROR,
        wire -> {
          wire.frame(RST_STREAM, 0, 0, number(8));
        });
    connection(
        "6.4: RST_STREAM of 3 bytes",
        FRAME_SIZE_ERROR,
        wire -> {
          wire.get(1, "/slow").frame(RST_STREAM, 0, 1, new byte[3]);
        });
  }

  private static void settings() {
    connection(
        "6.5: SETTINGS ACK with payload",
        FRAME_SIZE_ERROR,
        wire -> {
          wire.frame(SETTINGS, ACK, 0, setting(1, 1));
        });
    connection(
        "6.5: SETTINGS on a stream",
        PROTOCOL_ERROR,
        wire -> {
          wire.frame(SETTINGS, 0, 1, setting(3, 100));
        });
    connection(
        "6.5: SETTINGS of 3 bytes",
        FRAME_SIZE_ERROR,
        wire -> {
          wire.frame(SETTINGS, 0, 0, new byte[3]);
        });
    connection(
        "6.5.2: ENABLE_PUSH of 2",
        PROTOCOL_ERROR,
        wire -> {
          wire.frame(SETTINGS, 0, 0, setting(2, 2));
        });
    connection(
        "6.5.2: INITIAL_WINDOW_SIZE of 2^31",
        FLOW_CONTROL_ERROR,
        wire -> {
          wire.frame(SETTINGS, 0, 0, setting(4, 1L << 31));
        });
    connection(
        "6.5.2: MAX_FRAME_SIZE of 2^14 - 1",
        PROTOCOL_ERROR,
        wire -> {
          wire.frame(SETTINGS, 0, 0, setting(5, (1 << 14) - 1));
        });
    connection(
        "6.5.2: MAX_FRAME_SIZE of 2^24",
        PROTOCOL_ERROR,
        wire -> {
          wire.frame(SETTINGS, 0, 0, setting(5, 1 << 24));
        });
    served(
        "6.5.2: an unknown setting is ignored",
        wire -> {
          wire.frame(SETTINGS, 0, 0, setting(0xff, 1)).get(1, "/");
        });
    served(
        "6.5.3: SETTINGS are acknowledged",
        wire -> {
          while ((wire.next(SETTINGS).flags() & ACK) == 0) {}
          wire.get(1, "/");
        });
  }

  private static void pingAndGoAway() {
    served(
        "6.7: PING is answered with what it said",
        wire -> {
          wire.frame(PING, 0, 0, "holdfast".getBytes());
          var answer = wire.next(PING);
          assertThat(answer.flags()).isEqualTo(ACK);
          assertThat(answer.text()).isEqualTo("holdfast");
          wire.get(1, "/");
        });
    served(
        "6.7: PING ACK is not answered",
        wire -> {
          wire.frame(PING, ACK, 0, "ignored!".getBytes()).frame(PING, 0, 0, "holdfast".getBytes());
          assertThat(wire.next(PING).text()).isEqualTo("holdfast");
          wire.get(1, "/");
        });
    connection(
        "6.7: PING on a stream",
        PROTOCOL_ERROR,
        wire -> {
          wire.frame(PING, 0, 1, new byte[8]);
        });
    connection(
        "6.7: PING of 6 bytes",
        FRAME_SIZE_ERROR,
        wire -> {
          wire.frame(PING, 0, 0, new byte[6]);
        });
    connection(
        "6.8: GOAWAY on a stream",
        PROTOCOL_ERROR,
        wire -> {
          wire.frame(GOAWAY, 0, 1, new byte[8]);
        });
    connection(
        "6.6: PUSH_PROMISE of a client",
        PROTOCOL_ERROR,
        wire -> {
          var promise = new java.io.ByteArrayOutputStream();
          promise.writeBytes(number(2));
          promise.writeBytes(block(request("GET", "/")));
          wire.get(1, "/slow").frame(PUSH_PROMISE, END_HEADERS, 1, promise.toByteArray());
        });
  }

  private static void windows() {
    connection(
        "6.9: WINDOW_UPDATE of 0",
        PROTOCOL_ERROR,
        wire -> {
          wire.frame(WINDOW_UPDATE, 0, 0, number(0));
        });
    stream(
        "6.9: WINDOW_UPDATE of 0 on a stream",
        PROTOCOL_ERROR,
        wire -> {
          wire.get(1, "/slow").frame(WINDOW_UPDATE, 0, 1, number(0));
        });
    connection(
        "6.9: WINDOW_UPDATE of 3 bytes",
        FRAME_SIZE_ERROR,
        wire -> {
          wire.frame(WINDOW_UPDATE, 0, 0, new byte[3]);
        });
    connection(
        "6.9.1: a connection's window beyond 2^31 - 1",
        FLOW_CONTROL_ERROR,
        wire -> {
          wire.frame(WINDOW_UPDATE, 0, 0, number(Integer.MAX_VALUE));
          wire.frame(WINDOW_UPDATE, 0, 0, number(Integer.MAX_VALUE));
        });
    stream(
        "6.9.1: a stream's window beyond 2^31 - 1",
        FLOW_CONTROL_ERROR,
        wire -> {
          wire.get(1, "/slow").frame(WINDOW_UPDATE, 0, 1, number(Integer.MAX_VALUE));
          wire.frame(WINDOW_UPDATE, 0, 1, number(Integer.MAX_VALUE));
        });
    served(
        "6.9.1: DATA stays within a window of 1",
        wire -> {
          wire.frame(SETTINGS, 0, 0, setting(4, 1)).get(1, "/");
          assertThat(wire.next(DATA).payload()).hasSize(1);
          wire.frame(SETTINGS, 0, 0, setting(4, 2)); // a change moves the windows of open streams
          assertThat(wire.next(DATA).payload()).hasSize(1);
          wire.frame(WINDOW_UPDATE, 0, 1, number(3));
          var last = wire.next(DATA);
          assertThat(last.payload()).hasSize(3);
          assertThat(last.endStream()).isTrue();
          wire.frame(SETTINGS, 0, 0, setting(4, 100)).get(3, "/");
        });
    served(
        "6.9.2: a window may become negative",
        wire -> {
          wire.frame(SETTINGS, 0, 0, setting(4, 3)).get(1, "/");
          assertThat(wire.next(DATA).payload()).hasSize(3);
          wire.frame(SETTINGS, 0, 0, setting(4, 2)); // now it is -1
          wire.frame(WINDOW_UPDATE, 0, 1, number(2));
          assertThat(wire.next(DATA).payload()).hasSize(1);
          wire.frame(SETTINGS, 0, 0, setting(4, 100)).get(3, "/");
        });
  }

  private static void continuations() {
    served(
        "6.10: CONTINUATION frames make one block",
        wire -> {
          var all = block(request("GET", "/"));
          wire.frame(HEADERS, END_STREAM, 1, Arrays.copyOf(all, 10));
          wire.frame(CONTINUATION, 0, 1, Arrays.copyOfRange(all, 10, 20));
          wire.frame(CONTINUATION, END_HEADERS, 1, Arrays.copyOfRange(all, 20, all.length));
        });
    connection(
        "6.10: DATA within a field block",
        PROTOCOL_ERROR,
        wire -> {
          wire.headers(1, 0, request("POST", "/")).data(1, true, "x");
        });
    connection(
        "6.10: CONTINUATION on stream 0",
        PROTOCOL_ERROR,
        wire -> {
          wire.headers(1, END_STREAM, request("GET", "/"));
          wire.frame(CONTINUATION, END_HEADERS, 0, block("x", "y"));
        });
    connection(
        "6.10: CONTINUATION after a whole block",
        PROTOCOL_ERROR,
        wire -> {
          wire.headers(1, END_HEADERS, request("POST", "/slow"));
          wire.frame(CONTINUATION, END_HEADERS, 1, block("x", "y"));
        });
    connection(
        "6.10: CONTINUATION after DATA",
        PROTOCOL_ERROR,
        wire -> {
          wire.headers(1, END_HEADERS, request("POST", "/slow")).data(1, false, "x");
          wire.frame(CONTINUATION, END_HEADERS, 1, block("x", "y"));
        });
  }

  private static void messages() {
    stream(
        "8.1: a second HEADERS that ends nothing",
        PROTOCOL_ERROR,
        wire -> {
          post(wire);
          wire.headers(1, END_HEADERS, "x", "y");
        });
    stream(
        "8.1: pseudo-fields in trailers",
        PROTOCOL_ERROR,
        wire -> {
          post(wire);
          wire.data(1, false, "x").headers(1, WHOLE, ":method", "GET");
        });
    stream(
        "8.1: upper case in trailers",
        PROTOCOL_ERROR,
        wire -> {
          post(wire);
          wire.data(1, false, "x").headers(1, WHOLE, "X-Sum", "1");
        });
    served(
        "8.1: trailers",
        wire -> {
          post(wire);
          wire.data(1, false, "x").headers(1, WHOLE, "x-sum", "1");
        });
    stream(
        "8.1.1: more DATA than content-length",
        PROTOCOL_ERROR,
        wire -> {
          post(wire, "content-length", "1");
          wire.data(1, true, "four");
        });
    stream(
        "8.1.1: less DATA than content-length",
        PROTOCOL_ERROR,
        wire -> {
          post(wire, "content-length", "5");
          wire.data(1, false, "x").data(1, true, "y");
        });
    stream(
        "8.1.1: no DATA despite content-length",
        PROTOCOL_ERROR,
        wire -> {
          wire.headers(1, WHOLE, request("POST", "/", "content-length", "1"));
        });
    stream(
        "8.1.1: trailers before content-length is reached",
        PROTOCOL_ERROR,
        wire -> {
          post(wire, "content-length", "5");
          wire.data(1, false, "x").headers(1, WHOLE, "x-sum", "1");
        });
    malformed(
        "8.1.1: two content-lengths",
        request("POST", "/", "content-length", "0", "content-length", "1"));
    malformed("8.1.1: a content-length with a sign", request("POST", "/", "content-length", "+0"));
  }

  private static void fields() {
    malformed("8.2.1: upper case", request("GET", "/", "X-Test", "ok"));
    malformed("8.2.1: a blank in a name", request("GET", "/", "x test", "ok"));
    malformed("8.2.1: a colon in a name", request("GET", "/", "x:test", "ok"));
    malformed("8.2.1: a line end in a name", request("GET", "/", "x\r\ny", "ok"));
    malformed("8.2.1: an empty name", request("GET", "/", "", "ok"));
    malformed("8.2.1: CR in a value", request("GET", "/", "x", "a\rb"));
    malformed("8.2.1: LF in a value", request("GET", "/", "x", "a\nb"));
    malformed("8.2.1: NUL in a value", request("GET", "/", "x", "a\0b"));
    malformed("8.2.1: a blank before a value", request("GET", "/", "x", " a"));
    malformed("8.2.1: a tab after a value", request("GET", "/", "x", "a\t"));
    malformed("8.2.2: connection", request("GET", "/", "connection", "keep-alive"));
    malformed("8.2.2: keep-alive", request("GET", "/", "keep-alive", "5"));
    malformed("8.2.2: proxy-connection", request("GET", "/", "proxy-connection", "close"));
    malformed("8.2.2: transfer-encoding", request("POST", "/", "transfer-encoding", "chunked"));
    malformed("8.2.2: upgrade", request("GET", "/", "upgrade", "websocket"));
    malformed("8.2.2: te other than trailers", request("GET", "/", "te", "trailers, deflate"));
    served(
        "8.2.2: te: trailers",
        wire -> {
          wire.headers(1, WHOLE, request("GET", "/", "te", "trailers"));
        });
    malformed("8.3: an unknown pseudo-field", request("GET", "/", ":test", "ok"));
    malformed("8.3: :status in a request", request("GET", "/", ":status", "200"));
    malformed("8.3: :protocol, which was not offered", request("CONNECT", "/", ":protocol", "ws"));
    malformed(
        "8.3: a pseudo-field after a field",
        ":method",
        "GET",
        ":scheme",
        "http",
        "x",
        "y",
        ":path",
        "/",
        ":authority",
        "app.test");
    malformed("8.3.1: an empty :path", request("GET", ""));
    malformed("8.3.1: no :method", without(":method"));
    malformed("8.3.1: no :scheme", without(":scheme"));
    malformed("8.3.1: no :path", without(":path"));
    malformed("8.3.1: :method twice", request("GET", "/", ":method", "GET"));
    malformed("8.3.1: :scheme twice", request("GET", "/", ":scheme", "http"));
    malformed("8.3.1: :path twice", request("GET", "/", ":path", "/"));
    malformed("8.3.1: a blank in :path", request("GET", "/ HTTP/1.1"));
    malformed("8.3.1: a line end in :path", request("GET", "/\r\nx: y"));
    malformed("8.3.1: a blank in :method", request("GET /", "/"));
    malformed(
        "8.3.1: a line end in :authority",
        ":method",
        "GET",
        ":scheme",
        "http",
        ":path",
        "/",
        ":authority",
        "app.test\r\nx: y");
  }

  private static void compression() {
    connection(
        "RFC 7541 2.3.3: an index beyond the tables",
        COMPRESSION_ERROR,
        wire -> {
          wire.frame(HEADERS, WHOLE, 1, new byte[] {(byte) 0xff, (byte) 0x80, 0x01});
        });
    connection(
        "RFC 7541 4.2: a table size after fields",
        COMPRESSION_ERROR,
        wire -> {
          var block = new java.io.ByteArrayOutputStream();
          block.writeBytes(block(request("GET", "/")));
          block.write(0x20);
          wire.frame(HEADERS, WHOLE, 1, block.toByteArray());
        });
    connection(
        "RFC 7541 5.2: padding longer than 7 bits",
        COMPRESSION_ERROR,
        wire -> {
          wire.frame(HEADERS, WHOLE, 1, huffman(0x82, 0x1c, 0x64, 0xff, 0xff));
        });
    connection(
        "RFC 7541 5.2: padding with zeros",
        COMPRESSION_ERROR,
        wire -> {
          wire.frame(HEADERS, WHOLE, 1, huffman(0x81, 0x18));
        });
    connection(
        "RFC 7541 6.1: index 0",
        COMPRESSION_ERROR,
        wire -> {
          wire.frame(HEADERS, WHOLE, 1, new byte[] {(byte) 0x80});
        });
    connection(
        "RFC 7541 6.3: a table larger than announced",
        COMPRESSION_ERROR,
        wire -> {
          wire.frame(HEADERS, WHOLE, 1, new byte[] {0x3f, (byte) 0xe2, 0x1f});
        });
  }

  /** A good request, then a field whose value is these bytes, the first of them its length. */
  private static byte[] huffman(int... value) {
    var block = new java.io.ByteArrayOutputStream();
    block.writeBytes(block(request("GET", "/")));
    block.write(0);
    block.write(1);
    block.write('x');
    block.write(value.length - 1 | 0x80);
    for (int i = 1; i < value.length; i++) {
      block.write(value[i]);
    }
    return block.toByteArray();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void keepsToTheRules(Case rule) throws IOException {
    try (var wire = H2Wire.to(rig.edge.address())) {
      rule.script().run(wire);
      assertThat(wire.end()).isIn(rule.ends());
    }
  }

  @ParameterizedTest
  @MethodSource("firstFrames")
  void wantsSettingsFirst(int type) throws IOException {
    try (var wire =
        new H2Wire(
            new java.net.Socket(rig.edge.address().getAddress(), rig.edge.address().getPort()))) {
      wire.preface().frame(type, 0, type == DATA ? 1 : 0, type == PING ? new byte[8] : NONE);
      assertThat(wire.end()).isIn("goaway 1", "closed");
    }
  }

  static Stream<Integer> firstFrames() {
    return Stream.of(PING, DATA);
  }
}
