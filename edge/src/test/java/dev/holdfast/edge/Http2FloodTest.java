package dev.holdfast.edge;

import static dev.holdfast.edge.H2Wire.ACK;
import static dev.holdfast.edge.H2Wire.CONTINUATION;
import static dev.holdfast.edge.H2Wire.DATA;
import static dev.holdfast.edge.H2Wire.END_HEADERS;
import static dev.holdfast.edge.H2Wire.END_STREAM;
import static dev.holdfast.edge.H2Wire.GOAWAY;
import static dev.holdfast.edge.H2Wire.HEADERS;
import static dev.holdfast.edge.H2Wire.NONE;
import static dev.holdfast.edge.H2Wire.PING;
import static dev.holdfast.edge.H2Wire.PRIORITY;
import static dev.holdfast.edge.H2Wire.RST_STREAM;
import static dev.holdfast.edge.H2Wire.SETTINGS;
import static dev.holdfast.edge.H2Wire.WHOLE;
import static dev.holdfast.edge.H2Wire.WINDOW_UPDATE;
import static dev.holdfast.edge.H2Wire.block;
import static dev.holdfast.edge.H2Wire.bytes;
import static dev.holdfast.edge.H2Wire.number;
import static dev.holdfast.edge.H2Wire.request;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Who floods a connection loses it, and nobody else notices. */
class Http2FloodTest {
  private static final int ENHANCE_YOUR_CALM = 11;
  private static final int FRAMES = 200;

  /** What a client sends again and again. */
  enum Flood {
    RAPID_RESET {
      @Override
      void frame(ByteArrayOutputStream out, int n) {
        out.writeBytes(bytes(HEADERS, WHOLE, 1 + 2 * n, block(request("GET", "/slow"))));
        out.writeBytes(bytes(RST_STREAM, 0, 1 + 2 * n, number(8)));
      }
    },
    /** What makes the edge reset streams is a flood just as well. */
    MADE_TO_RESET {
      @Override
      void frame(ByteArrayOutputStream out, int n) {
        out.writeBytes(bytes(HEADERS, WHOLE, 1 + 2 * n, block(request("GET", "/slow"))));
        out.writeBytes(bytes(WINDOW_UPDATE, 0, 1 + 2 * n, number(0)));
      }
    },
    PINGS {
      @Override
      void frame(ByteArrayOutputStream out, int n) {
        out.writeBytes(bytes(PING, 0, 0, new byte[8]));
      }
    },
    EMPTY_SETTINGS {
      @Override
      void frame(ByteArrayOutputStream out, int n) {
        out.writeBytes(bytes(SETTINGS, 0, 0, NONE));
      }
    },
    PRIORITIES {
      @Override
      void frame(ByteArrayOutputStream out, int n) {
        out.writeBytes(bytes(PRIORITY, 0, 1 + 2 * n, new byte[] {0, 0, 0, 0, 1}));
      }
    },
    UNKNOWN_FRAMES {
      @Override
      void frame(ByteArrayOutputStream out, int n) {
        out.writeBytes(bytes(0xbb, 0, 0, new byte[8]));
      }
    },
    EMPTY_DATA {
      @Override
      void frame(ByteArrayOutputStream out, int n) {
        out.writeBytes(
            n == 0
                ? bytes(HEADERS, END_HEADERS, 1, block(request("POST", "/slow")))
                : bytes(DATA, 0, 1, NONE));
      }
    },
    CONTINUATIONS {
      @Override
      void frame(ByteArrayOutputStream out, int n) {
        out.writeBytes(
            n == 0
                ? bytes(HEADERS, END_STREAM, 1, block(request("GET", "/")))
                : bytes(CONTINUATION, 0, 1, block("x", "y")));
      }
    };

    abstract void frame(ByteArrayOutputStream out, int n);
  }

  @ParameterizedTest
  @EnumSource
  void endsTheConnectionAndServesAllOthers(Flood flood) throws IOException {
    var front = new TestFront();
    front.resetsMax = 50;
    front.controlFramesMax = 100;
    try (var backend =
            new Backend(wire -> {
              for (var head = wire.head(); !head.isEmpty(); head = wire.head()) {
                if (head.contains("/slow")) {
                  var _ = wire.in.read(); // until the edge lets go
                  return;
                }
                wire.send(Backend.ok("hello"));
              }
            });
        var rig = new FrontRig(front).app(backend);
        var neighbour = H2Wire.to(rig.edge.address());
        var flooder = H2Wire.to(rig.edge.address())) {
      assertThat(neighbour.get(1, "/").answer(1).status()).isEqualTo(200);
      var all = new ByteArrayOutputStream();
      for (int n = 0; n < FRAMES; n++) {
        flood.frame(all, n);
      }
      flooder.raw(all.toByteArray());
      assertThat(flooder.next(GOAWAY).error()).isEqualTo(ENHANCE_YOUR_CALM);
      assertThat(flooder.end()).isEqualTo("closed");
      assertThat(neighbour.get(3, "/").answer(3).status()).isEqualTo(200);
      Rig.until(() -> rig.edge.inFlight("app", "e1") == 0);
    }
  }

  @Test
  void streamsThatAreResetAsSoonAsTheyBeginNeverReachTheApp() throws IOException {
    var front = new TestFront();
    front.stillbornMax = 20;
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = new FrontRig(front).app(backend);
        var flooder = H2Wire.to(rig.edge.address())) {
      while ((flooder.next(SETTINGS).flags() & ACK) == 0) {} // so that the flood is one read
      flooder.raw(stillborn(100));
      assertThat(flooder.next(GOAWAY).error()).isEqualTo(ENHANCE_YOUR_CALM);
      assertThat(flooder.end()).isEqualTo("closed");
      assertThat(backend.connections).hasValue(0);
    }
  }

  @Test
  void fewStreamsMayBeResetAsSoonAsTheyBegin() throws IOException {
    var front = new TestFront();
    front.stillbornMax = 20;
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = new FrontRig(front).app(backend);
        var hasty = H2Wire.to(rig.edge.address())) {
      hasty.raw(stillborn(20));
      assertThat(hasty.get(101, "/").answer(101).status()).isEqualTo(200);
    }
  }

  private static byte[] stillborn(int count) {
    var all = new ByteArrayOutputStream();
    for (int n = 0; n < count; n++) {
      Flood.RAPID_RESET.frame(all, n);
    }
    return all.toByteArray();
  }
}
