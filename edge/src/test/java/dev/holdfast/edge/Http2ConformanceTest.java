package dev.holdfast.edge;

import static dev.holdfast.edge.H2Wire.CONTINUATION;
import static dev.holdfast.edge.H2Wire.DATA;
import static dev.holdfast.edge.H2Wire.END_HEADERS;
import static dev.holdfast.edge.H2Wire.END_STREAM;
import static dev.holdfast.edge.H2Wire.HEADERS;
import static dev.holdfast.edge.H2Wire.NONE;
import static dev.holdfast.edge.H2Wire.PADDED;
import static dev.holdfast.edge.H2Wire.PING;
import static dev.holdfast.edge.H2Wire.PRIORITY;
import static dev.holdfast.edge.H2Wire.RST_STREAM;
import static dev.holdfast.edge.H2Wire.SETTINGS;
import static dev.holdfast.edge.H2Wire.WHOLE;
import static dev.holdfast.edge.H2Wire.WINDOW_UPDATE;
import static dev.holdfast.edge.H2Wire.block;
import static dev.holdfast.edge.H2Wire.number;
import static dev.holdfast.edge.H2Wire.request;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * RFC 9113 by raw frames, one case after the other. Where a stream error is due, an error of the
 * connection is conforming too (RFC 9113 section 5.4).
 */
class Http2ConformanceTest {
  static final int PROTOCOL_ERROR = 1;
  static final int FLOW_CONTROL_ERROR = 3;
  static final int STREAM_CLOSED = 5;
  static final int FRAME_SIZE_ERROR = 6;
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
          for (var asked = wire.message(); !asked.head().isEmpty(); asked = wire.message()) {
            if (asked.head().contains(" /slow ")) {
              wire.in.transferTo(OutputStream.nullOutputStream()); // until the edge lets go
              return;
            }
            wire.send(Backend.ok("hello"));
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

  static void connection(String name, int error, Script script) {
    CASES.add(new Case(name, script, List.of("goaway " + error, "closed")));
  }

  static void stream(String name, int error, Script script) {
    CASES.add(new Case(name, script, List.of("reset " + error, "goaway " + error, "closed")));
  }

  static void served(String name, Script script) {
    CASES.add(new Case(name, script, List.of("answer :status: 200")));
  }

  static void malformed(String name, String... fields) {
    stream(name, PROTOCOL_ERROR, wire -> wire.headers(1, WHOLE, fields));
  }

  static String[] without(String pseudo) {
    var all = new ArrayList<>(List.of(request("GET", "/")));
    int at = all.indexOf(pseudo);
    all.remove(at);
    all.remove(at);
    return all.toArray(new String[0]);
  }

  static void post(H2Wire wire, String... more) throws IOException {
    wire.headers(1, END_HEADERS, request("POST", "/", more));
  }

  /** A request that the app never answers, so that only what follows can end it. */
  static void unanswered(H2Wire wire, String... more) throws IOException {
    wire.headers(1, END_HEADERS, request("POST", "/slow", more));
  }

  static Stream<Case> cases() {
    if (CASES.isEmpty()) {
      frames();
      streams();
      dataAndHeaders();
      priorityAndResets();
      Http2ConnectionCases.add();
      continuations();
      Http2MessageCases.add();
      Http2StreamCases.add();
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
          unanswered(wire);
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
    stream(
        "5.1: HEADERS on a half-closed stream",
        STREAM_CLOSED,
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
    connection(
        "5.1: HEADERS on a closed stream",
        STREAM_CLOSED,
        wire -> {
          wire.get(1, "/");
          wire.next(DATA);
          wire.get(1, "/");
        });
    connection("5.1.1: an even stream", PROTOCOL_ERROR, wire -> wire.get(2, "/"));
    connection(
        "5.1.1: a stream below the last",
        PROTOCOL_ERROR,
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
          unanswered(wire);
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
