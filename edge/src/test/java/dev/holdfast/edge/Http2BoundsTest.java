package dev.holdfast.edge;

import static dev.holdfast.edge.H2Wire.CONTINUATION;
import static dev.holdfast.edge.H2Wire.DATA;
import static dev.holdfast.edge.H2Wire.END_HEADERS;
import static dev.holdfast.edge.H2Wire.END_STREAM;
import static dev.holdfast.edge.H2Wire.GOAWAY;
import static dev.holdfast.edge.H2Wire.HEADERS;
import static dev.holdfast.edge.H2Wire.NONE;
import static dev.holdfast.edge.H2Wire.PING;
import static dev.holdfast.edge.H2Wire.RST_STREAM;
import static dev.holdfast.edge.H2Wire.SETTINGS;
import static dev.holdfast.edge.H2Wire.WHOLE;
import static dev.holdfast.edge.H2Wire.WINDOW_UPDATE;
import static dev.holdfast.edge.H2Wire.block;
import static dev.holdfast.edge.H2Wire.number;
import static dev.holdfast.edge.H2Wire.request;
import static dev.holdfast.edge.H2Wire.setting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What one HTTP/2 connection may cost, and how it ends. */
class Http2BoundsTest {
  private static final int ENHANCE_YOUR_CALM = 11;

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

  // Floods

  @Test
  void endsConnectionsThatResetTooOften() throws Exception {
    var front = new TestFront();
    front.resetsMax = 20;
    try (var rig = new FrontRig(front);
        var wire = wire(rig)) {
      for (int i = 0; i < 30; i++) {
        sendMaybe(wire, H2Wire.bytes(HEADERS, WHOLE, 1 + 2 * i, block(request("GET", "/"))));
        sendMaybe(wire, H2Wire.bytes(RST_STREAM, 0, 1 + 2 * i, number(8)));
      }
      assertThat(goAway(wire)).isEqualTo(ENHANCE_YOUR_CALM);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {PING, SETTINGS})
  void endsConnectionsThatAskTooOften(int type) throws Exception {
    var front = new TestFront();
    front.controlFramesMax = 50;
    try (var rig = new FrontRig(front);
        var wire = wire(rig)) {
      for (int i = 0; i < 60; i++) {
        sendMaybe(wire, H2Wire.bytes(type, 0, 0, type == PING ? new byte[8] : NONE));
      }
      assertThat(goAway(wire)).isEqualTo(ENHANCE_YOUR_CALM);
    }
  }

  @Test
  void endsConnectionsThatSendNothingAllTheTime() throws Exception {
    try (var backend = echo();
        var rig = rig().app(backend);
        var wire = wire(rig)) {
      wire.headers(1, END_HEADERS, request("POST", "/"));
      for (int i = 0; i < 30; i++) {
        sendMaybe(wire, H2Wire.bytes(DATA, 0, 1, NONE));
      }
      assertThat(goAway(wire)).isEqualTo(ENHANCE_YOUR_CALM);
    }
  }

  @Test
  void endsConnectionsThatContinueWithoutEnd() throws Exception {
    try (var rig = rig();
        var wire = wire(rig)) {
      wire.headers(1, END_STREAM, request("GET", "/"));
      for (int i = 0; i < 100; i++) {
        sendMaybe(wire, H2Wire.bytes(CONTINUATION, 0, 1, block("x", "y")));
      }
      assertThat(goAway(wire)).isEqualTo(ENHANCE_YOUR_CALM);
    }
  }

  @Test
  void answersTooManyFieldsWith431() throws Exception {
    var front = new TestFront();
    front.headerListBytesMax = 100_000;
    try (var rig = new FrontRig(front);
        var wire = wire(rig)) {
      wire.headers(1, WHOLE, request("GET", "/", "x", "y".repeat(9000)));
      assertThat(wire.answer(1).status()).isEqualTo(431);
      front.headerListBytesMax = 2000;
    }
    try (var rig = new FrontRig(front);
        var wire = wire(rig)) {
      wire.next(SETTINGS);
      wire.headers(1, WHOLE, request("GET", "/", "x", "y".repeat(2100)));
      assertThat(wire.answer(1).status()).isEqualTo(431);
      wire.headers(3, WHOLE, request("GET", "/"));
      assertThat(wire.answer(3).status()).isEqualTo(404);
    }
  }

  private static void sendMaybe(H2Wire wire, byte[] frame) {
    try {
      wire.raw(frame);
    } catch (IOException e) {
      // the edge had enough already
    }
  }

  private static int goAway(H2Wire wire) throws IOException {
    return wire.next(GOAWAY).error();
  }

  // Time

  @Test
  void endsConnectionsWithoutStreams() throws Exception {
    var config = new TestConfig();
    config.clientIdleTimeout = Duration.ofMillis(200);
    try (var rig = new FrontRig(config, new TestFront(), Keys.of("app.test"));
        var wire = wire(rig)) {
      var end = wire.next(GOAWAY);
      assertThat(end.error()).isZero();
      assertThat(wire.end()).isEqualTo("closed");
    }
  }

  @Test
  void letsStreamsFinishWhenItGoesDown() throws Exception {
    var config = new TestConfig();
    config.drainWait = Duration.ofSeconds(8);
    var asked = new CountDownLatch(1);
    var go = new CountDownLatch(1);
    try (var backend =
        new Backend(wire -> {
          wire.head();
          asked.countDown();
          try {
            go.await();
          } catch (InterruptedException e) {
            return;
          }
          wire.send(Backend.ok("finished"));
        })) {
      var rig = new FrontRig(config, new TestFront(), Keys.of("app.test")).app(backend);
      try (var wire = wire(rig)) {
        wire.get(1, "/");
        assertThat(asked.await(5, TimeUnit.SECONDS)).isTrue();
        var closing = Thread.ofVirtual().start(rig::close);
        var first = wire.next(GOAWAY);
        assertThat(first.number(0)).isEqualTo(Integer.MAX_VALUE);
        assertThat(first.error()).isZero();
        var second = wire.next(GOAWAY);
        assertThat(second.number(0)).isEqualTo(1);
        go.countDown();
        assertThat(wire.answer(1).body()).isEqualTo("finished");
        assertThat(wire.end()).isEqualTo("closed");
        assertThat(closing.join(Duration.ofSeconds(6))).isTrue();
      }
    }
  }

  @Test
  void cutsWhatDoesNotFinishInTime() throws Exception {
    var asked = new CountDownLatch(1);
    try (var backend =
        new Backend(wire -> {
          wire.head();
          asked.countDown();
          var _ = wire.in.skip(Long.MAX_VALUE);
        })) {
      var rig = rig().app(backend);
      try (var wire = wire(rig)) {
        wire.get(1, "/");
        assertThat(asked.await(5, TimeUnit.SECONDS)).isTrue();
        var closing = Thread.ofVirtual().start(rig::close);
        assertThatThrownBy(() -> wire.answer(1)).isInstanceOf(IOException.class);
        assertThat(closing.join(Duration.ofSeconds(6))).isTrue();
        assertThat(rig.logged(1)).contains("code=H24");
      }
    }
  }

  @Test
  void countsItsConnectionsBack() throws Exception {
    var config = new TestConfig();
    config.connectionsMax = 3;
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = new FrontRig(config, new TestFront(), Keys.of("app.test")).app(backend)) {
      for (int i = 0; i < 10; i++) {
        try (var wire = wire(rig)) {
          assertThat(wire.get(1, "/").answer(1).status()).isEqualTo(200);
          assertThat(wire.get(3, "/").answer(3).status()).isEqualTo(200);
        }
        Rig.until(() -> rig.edge.connections() == 0);
      }
    }
  }

  @Test
  void refusesStreamsWhenTooManyAreHere() throws Exception {
    var config = new TestConfig();
    config.connectionsMax = 2;
    try (var backend =
            new Backend(wire -> {
              wire.head();
              var _ = wire.in.skip(Long.MAX_VALUE);
            });
        var rig = new FrontRig(config, new TestFront(), Keys.of("app.test")).app(backend);
        var wire = wire(rig)) {
      wire.get(1, "/").get(3, "/");
      var answer = wire.answer(3);
      assertThat(answer.status()).isEqualTo(503);
      assertThat(List.of(answer.body())).first().asString().contains("H22");
    }
  }

  @Test
  void understandsASettingOfTheClient() throws Exception {
    try (var backend = Backend.answering(Backend.ok("x".repeat(100_000)));
        var rig = rig().app(backend);
        var wire = wire(rig)) {
      wire.frame(SETTINGS, 0, 0, setting(5, 20_000)).frame(WINDOW_UPDATE, 0, 0, number(1 << 20));
      assertThat(wire.get(1, "/").answer(1).body()).hasSize(100_000);
    }
  }
}
