package dev.holdfast.edge;

import static dev.holdfast.edge.H2Wire.CONTINUATION;
import static dev.holdfast.edge.H2Wire.DATA;
import static dev.holdfast.edge.H2Wire.END_HEADERS;
import static dev.holdfast.edge.H2Wire.END_STREAM;
import static dev.holdfast.edge.H2Wire.GOAWAY;
import static dev.holdfast.edge.H2Wire.HEADERS;
import static dev.holdfast.edge.H2Wire.PING;
import static dev.holdfast.edge.H2Wire.PRIORITY;
import static dev.holdfast.edge.H2Wire.RST_STREAM;
import static dev.holdfast.edge.H2Wire.SETTINGS;
import static dev.holdfast.edge.H2Wire.WHOLE;
import static dev.holdfast.edge.H2Wire.WINDOW_UPDATE;
import static dev.holdfast.edge.H2Wire.block;
import static dev.holdfast.edge.H2Wire.number;
import static dev.holdfast.edge.H2Wire.request;
import static dev.holdfast.edge.H2Wire.setting;
import static dev.holdfast.edge.Http2ConformanceTest.FRAME_SIZE_ERROR;
import static dev.holdfast.edge.Http2ConformanceTest.PROTOCOL_ERROR;
import static dev.holdfast.edge.Http2ConformanceTest.STREAM_CLOSED;
import static dev.holdfast.edge.Http2ConformanceTest.connection;
import static dev.holdfast.edge.Http2ConformanceTest.post;
import static dev.holdfast.edge.Http2ConformanceTest.served;
import static dev.holdfast.edge.Http2ConformanceTest.stream;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/** Further cases of RFC 9113: what may come on which stream, in which order. */
final class Http2StreamCases {
  private static final int NOBODYS_ERROR = 0xff;
  private static final int NOBODYS_FLAG = 0x40;

  private Http2StreamCases() {}

  static void add() {
    order();
    closed();
    mildness();
    requests();
  }

  private static void order() {
    connection(
        "5.1: HEADERS after the last DATA",
        STREAM_CLOSED,
        wire -> {
          wire.headers(1, END_HEADERS, request("POST", "/slow"));
          wire.data(1, true, "x").headers(1, WHOLE, "x-sum", "1");
        });
    connection(
        "5.1: HEADERS after trailers",
        STREAM_CLOSED,
        wire -> {
          wire.headers(1, END_HEADERS, request("POST", "/slow"));
          wire.headers(1, WHOLE, "x-sum", "1").headers(1, WHOLE, "x-sum", "2");
        });
    connection(
        "5.1.1: a stream below the last, after that was reset",
        PROTOCOL_ERROR,
        wire -> {
          wire.get(5, "/slow").frame(RST_STREAM, 0, 5, number(8)).get(3, "/");
        });
    connection(
        "5.1.1: a stream below the last, in pieces",
        PROTOCOL_ERROR,
        wire -> {
          wire.get(5, "/slow");
          for (byte octet : H2Wire.bytes(HEADERS, WHOLE, 3, block(request("GET", "/")))) {
            wire.raw(new byte[] {octet});
          }
        });
    served(
        "5.1.1: streams may be passed over",
        wire -> {
          wire.get(101, "/");
        });
    connection(
        "6.10: CONTINUATION after the last CONTINUATION",
        PROTOCOL_ERROR,
        wire -> {
          var all = block(request("POST", "/slow"));
          wire.frame(HEADERS, 0, 1, Arrays.copyOf(all, 10));
          wire.frame(CONTINUATION, END_HEADERS, 1, Arrays.copyOfRange(all, 10, all.length));
          wire.frame(CONTINUATION, END_HEADERS, 1, block("x", "y"));
        });
    connection(
        "6.10: HEADERS of the same stream within a block",
        PROTOCOL_ERROR,
        wire -> {
          wire.headers(1, 0, request("POST", "/")).headers(1, END_HEADERS, "x", "y");
        });
    connection(
        "6.10: SETTINGS within a block",
        PROTOCOL_ERROR,
        wire -> {
          wire.headers(1, END_STREAM, request("GET", "/")).frame(SETTINGS, 0, 0, H2Wire.NONE);
        });
  }

  private static void closed() {
    connection(
        "5.1: CONTINUATION after RST_STREAM",
        PROTOCOL_ERROR,
        wire -> {
          wire.headers(1, END_HEADERS, request("GET", "/slow"));
          wire.frame(RST_STREAM, 0, 1, number(8));
          wire.frame(CONTINUATION, END_HEADERS, 1, block("x", "y"));
        });
    connection(
        "5.1: CONTINUATION on a closed stream",
        PROTOCOL_ERROR,
        wire -> {
          wire.get(1, "/");
          wire.next(DATA);
          wire.frame(CONTINUATION, END_HEADERS, 1, block("x", "y"));
        });
    served(
        "5.1: WINDOW_UPDATE, RST_STREAM and PRIORITY on a closed stream",
        wire -> {
          wire.get(1, "/");
          wire.next(DATA);
          wire.frame(WINDOW_UPDATE, 0, 1, number(1));
          wire.frame(RST_STREAM, 0, 1, number(8));
          wire.frame(PRIORITY, 0, 1, new byte[] {0, 0, 0, 0, 1}).get(3, "/");
        });
    connection(
        "6.4: RST_STREAM of 5 bytes",
        FRAME_SIZE_ERROR,
        wire -> {
          wire.get(1, "/slow").frame(RST_STREAM, 0, 1, new byte[5]);
        });
  }

  private static void mildness() {
    stream(
        "5.3.1: PRIORITY that depends on itself",
        PROTOCOL_ERROR,
        wire -> {
          wire.get(1, "/slow").frame(PRIORITY, 0, 1, new byte[] {0, 0, 0, 1, 1});
        });
    served(
        "6.5.3: the last of two values counts",
        wire -> {
          var both = new ByteArrayOutputStream();
          both.writeBytes(setting(4, 100));
          both.writeBytes(setting(4, 1));
          wire.frame(SETTINGS, 0, 0, both.toByteArray()).get(1, "/");
          assertThat(wire.next(DATA).payload()).hasSize(1);
          wire.frame(SETTINGS, 0, 0, setting(4, 100)).get(3, "/");
        });
    served(
        "7: an error that nobody knows, of a stream",
        wire -> {
          wire.get(1, "/slow").frame(RST_STREAM, 0, 1, number(NOBODYS_ERROR)).get(3, "/");
        });
    served(
        "7: an error that nobody knows, of the connection",
        wire -> {
          var away = new ByteArrayOutputStream();
          away.writeBytes(number(0));
          away.writeBytes(number(NOBODYS_ERROR));
          wire.get(1, "/").frame(GOAWAY, 0, 0, away.toByteArray());
        });
    served(
        "4.1: a flag that nobody knows, with HEADERS",
        wire -> {
          wire.headers(1, WHOLE | NOBODYS_FLAG, request("GET", "/"));
        });
    connection(
        "5.4.1: the connection closes after GOAWAY",
        FRAME_SIZE_ERROR,
        wire -> {
          wire.frame(PING, 0, 0, new byte[7]);
          var _ = wire.next(GOAWAY);
          assertThat(wire.end()).isEqualTo("closed");
        });
  }

  private static void requests() {
    served(
        "8.1: a body",
        wire -> {
          post(wire, "content-length", "4");
          wire.data(1, false, "te").data(1, true, "st");
        });
    served(
        "8.1: HEAD has no body",
        wire -> {
          wire.headers(1, WHOLE, request("HEAD", "/"));
        });
    served(
        "8.1: OPTIONS",
        wire -> {
          wire.headers(1, WHOLE, request("OPTIONS", "/"));
        });
    served(
        "6.2: HEADERS with a priority",
        wire -> {
          var depends = new ByteArrayOutputStream();
          depends.writeBytes(number(0));
          depends.write(255);
          depends.writeBytes(block(request("GET", "/")));
          wire.frame(HEADERS, WHOLE | 0x20, 1, depends.toByteArray());
        });
  }
}
