package dev.holdfast.edge;

import static dev.holdfast.edge.H2Wire.ACK;
import static dev.holdfast.edge.H2Wire.DATA;
import static dev.holdfast.edge.H2Wire.END_HEADERS;
import static dev.holdfast.edge.H2Wire.GOAWAY;
import static dev.holdfast.edge.H2Wire.PING;
import static dev.holdfast.edge.H2Wire.PUSH_PROMISE;
import static dev.holdfast.edge.H2Wire.SETTINGS;
import static dev.holdfast.edge.H2Wire.WINDOW_UPDATE;
import static dev.holdfast.edge.H2Wire.block;
import static dev.holdfast.edge.H2Wire.number;
import static dev.holdfast.edge.H2Wire.request;
import static dev.holdfast.edge.H2Wire.setting;
import static dev.holdfast.edge.Http2ConformanceTest.FLOW_CONTROL_ERROR;
import static dev.holdfast.edge.Http2ConformanceTest.FRAME_SIZE_ERROR;
import static dev.holdfast.edge.Http2ConformanceTest.PROTOCOL_ERROR;
import static dev.holdfast.edge.Http2ConformanceTest.connection;
import static dev.holdfast.edge.Http2ConformanceTest.served;
import static dev.holdfast.edge.Http2ConformanceTest.stream;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

/** The cases of RFC 9113 sections 6.5 to 6.9: settings, pings and windows. */
final class Http2ConnectionCases {
  private Http2ConnectionCases() {}

  static void add() {
    settings();
    pingAndGoAway();
    windows();
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
          wire.frame(PING, 0, 0, "holdfast".getBytes(ISO_8859_1));
          var answer = wire.next(PING);
          assertThat(answer.flags()).isEqualTo(ACK);
          assertThat(answer.text()).isEqualTo("holdfast");
          wire.get(1, "/");
        });
    served(
        "6.7: PING ACK is not answered",
        wire -> {
          wire.frame(PING, ACK, 0, "ignored!".getBytes(ISO_8859_1))
              .frame(PING, 0, 0, "holdfast".getBytes(ISO_8859_1));
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
}
