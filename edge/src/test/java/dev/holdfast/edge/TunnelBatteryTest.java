package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** WebSocket frames through the edge, which passes every byte and understands none. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class TunnelBatteryTest {
  private static final int SEED = 6455;
  private static final String UPGRADE =
      "GET /ws HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  private static final String SWITCHED =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

  private final AtomicInteger clean = new AtomicInteger();
  private Backend app;
  private Rig rig;

  @BeforeEach
  void start() throws IOException {
    app = new Backend(this::serve);
    rig = new Rig().app(app);
  }

  @AfterEach
  void stop() throws IOException {
    rig.close();
    app.close();
    assertThat(rig.log).noneMatch(line -> line.contains("code=H99"));
  }

  /** Answers requests until one upgrades, then echoes frames; a ping gets its pong. */
  private void serve(Wire wire) throws IOException {
    var head = wire.head();
    for (; !head.contains("Upgrade: websocket"); head = wire.head()) {
      if (head.isEmpty()) {
        return;
      }
      wire.send(Backend.ok("plain"));
    }
    var target = head.substring(4, head.indexOf(" HTTP"));
    switch (target) {
      case "/drip" -> Delivery.byteByByte().deliver(wire, SWITCHED.getBytes(ISO_8859_1));
      case "/hints" -> wire.send("HTTP/1.1 103 Early Hints\r\n\r\n" + SWITCHED);
      case "/length" -> wire.send(SWITCHED.replace("\r\n\r\n", "\r\nContent-Length: 9\r\n\r\n"));
      case "/glued" -> {
        var bytes = new ByteArrayOutputStream();
        bytes.writeBytes(SWITCHED.getBytes(ISO_8859_1));
        bytes.writeBytes(new Frame(Frame.TEXT, false, "hello".getBytes(ISO_8859_1)).bytes());
        wire.socket.getOutputStream().write(bytes.toByteArray());
      }
      default -> wire.send(SWITCHED);
    }
    while (true) {
      Frame frame;
      try {
        frame = Frame.read(wire.in);
      } catch (EOFException e) {
        clean.incrementAndGet();
        return;
      }
      int answer = frame.head() == Frame.PING ? Frame.PONG : frame.head();
      wire.socket.getOutputStream().write(new Frame(answer, false, frame.payload()).bytes());
    }
  }

  private Wire open(String target) throws IOException {
    var wire = rig.connect();
    wire.send(UPGRADE.replace("/ws", target));
    var answer = new StrictReader(wire.in).answer("GET");
    assertThat(answer.status()).isEqualTo(101);
    assertThat(answer.has("connection", "upgrade")).isTrue();
    assertThat(answer.values("upgrade")).containsExactly("websocket");
    assertThat(answer.values("sec-websocket-accept"))
        .containsExactly("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    return wire;
  }

  private static byte[] noise(int length) {
    var bytes = new byte[length];
    new Random(SEED + length).nextBytes(bytes);
    return bytes;
  }

  private static void echoed(Wire wire, int head, byte[] payload, Delivery delivery)
      throws IOException {
    delivery.deliver(wire, new Frame(head, true, payload).bytes());
    assertThat(Frame.read(wire.in)).isEqualTo(new Frame(head, false, payload));
  }

  @Test
  void echoesFramesOfEverySize() throws IOException {
    try (var wire = open("/ws")) {
      for (int size :
          new int[] {0, 1, 2, 125, 126, 127, 128, 65_535, 65_536, 65_537, 200_000, 1 << 20}) {
        echoed(wire, Frame.BINARY, noise(size), Delivery.whole());
      }
    }
  }

  @Test
  void echoesFramesThatComeInPieces() throws IOException {
    try (var wire = open("/ws")) {
      for (int size : new int[] {0, 1, 125, 126, 300}) {
        echoed(wire, Frame.BINARY, noise(size), Delivery.byteByByte());
      }
      echoed(wire, Frame.BINARY, noise(70_000), Delivery.split(SEED));
    }
  }

  @Test
  void echoesManyFramesSentAtOnce() throws IOException {
    var bytes = new ByteArrayOutputStream();
    for (int i = 0; i < 1000; i++) {
      bytes.writeBytes(new Frame(Frame.TEXT, true, noise(i % 130)).bytes());
    }
    try (var wire = open("/ws")) {
      wire.socket.getOutputStream().write(bytes.toByteArray());
      for (int i = 0; i < 1000; i++) {
        assertThat(Frame.read(wire.in)).isEqualTo(new Frame(Frame.TEXT, false, noise(i % 130)));
      }
    }
  }

  @Test
  void passesPingPongAndEveryCloseCodeUntouched() throws IOException {
    try (var wire = open("/ws")) {
      wire.socket.getOutputStream().write(new Frame(Frame.PING, true, noise(125)).bytes());
      assertThat(Frame.read(wire.in)).isEqualTo(new Frame(Frame.PONG, false, noise(125)));
      echoed(wire, Frame.PONG, noise(3), Delivery.whole());
    }
    for (int code :
        new int[] {0, 999, 1000, 1001, 1002, 1005, 1006, 1012, 1015, 3000, 4999, 65_535}) {
      try (var wire = open("/ws")) {
        var payload = ByteBuffer.allocate(7).putShort((short) code).put(noise(5)).array();
        echoed(wire, Frame.CLOSE, payload, Delivery.whole());
        echoed(wire, Frame.CLOSE, new byte[0], Delivery.whole());
      }
    }
  }

  @Test
  void passesFragmentsWithControlFramesBetweenThem() throws IOException {
    try (var wire = open("/ws")) {
      for (int head : new int[] {0x01, 0x00, Frame.PONG, 0x00, 0x80}) {
        echoed(wire, head, noise(10), Delivery.whole());
      }
    }
  }

  @Test
  void passesFramesThatAreNone() throws IOException {
    try (var wire = open("/ws")) {
      for (int head : new int[] {0xf1, 0x83, 0x8b, 0x8f, 0x7f, 0xff}) {
        echoed(wire, head, noise(20), Delivery.whole());
      }
      var unmasked = new Frame(Frame.TEXT, false, "GET / HTTP/1.1\r\n\r\n".getBytes(ISO_8859_1));
      wire.socket.getOutputStream().write(unmasked.bytes());
      assertThat(Frame.read(wire.in)).isEqualTo(unmasked);
    }
  }

  @Test
  void losesNoFrameGluedToTheRequestOrTo101() throws IOException {
    var first = new Frame(Frame.TEXT, true, noise(40)).bytes();
    for (int cut = 0; cut <= first.length; cut += 5) {
      try (var wire = rig.connect()) {
        var bytes = new ByteArrayOutputStream();
        bytes.writeBytes(UPGRADE.replace("/ws", "/glued").getBytes(ISO_8859_1));
        bytes.write(first, 0, cut);
        wire.socket.getOutputStream().write(bytes.toByteArray());
        assertThat(new StrictReader(wire.in).answer("GET").status()).isEqualTo(101);
        assertThat(Frame.read(wire.in))
            .isEqualTo(new Frame(Frame.TEXT, false, "hello".getBytes(ISO_8859_1)));
        wire.socket.getOutputStream().write(first, cut, first.length - cut);
        assertThat(Frame.read(wire.in)).isEqualTo(new Frame(Frame.TEXT, false, noise(40)));
      }
    }
  }

  @Test
  void switchesHoweverTheHeadsCome() throws IOException {
    for (var target : List.of("/drip", "/hints", "/length", "/ws")) {
      try (var wire = open(target)) {
        echoed(wire, Frame.TEXT, noise(9), Delivery.whole());
      }
    }
    try (var wire = rig.connect()) {
      Delivery.byteByByte().deliver(wire, UPGRADE.getBytes(ISO_8859_1));
      assertThat(new StrictReader(wire.in).answer("GET").status()).isEqualTo(101);
      echoed(wire, Frame.TEXT, noise(9), Delivery.whole());
    }
  }

  @Test
  void switchesAfterRequestsOnTheSameConnection() throws IOException {
    try (var wire = rig.connect()) {
      wire.send(Rig.get("/1") + Rig.get("/2") + UPGRADE);
      wire.socket.getOutputStream().write(new Frame(Frame.TEXT, true, noise(9)).bytes());
      var reader = new StrictReader(wire.in);
      assertThat(reader.answer("GET").body()).isEqualTo("plain");
      assertThat(reader.answer("GET").body()).isEqualTo("plain");
      assertThat(reader.answer("GET").status()).isEqualTo(101);
      assertThat(Frame.read(wire.in)).isEqualTo(new Frame(Frame.TEXT, false, noise(9)));
    }
  }

  @Test
  void passesAnEndInItsDirectionOnlyAndReusesNothing() throws IOException {
    try (var wire = open("/ws")) {
      wire.socket.getOutputStream().write(new Frame(Frame.BINARY, true, noise(100_000)).bytes());
      wire.socket.shutdownOutput();
      assertThat(Frame.read(wire.in)).isEqualTo(new Frame(Frame.BINARY, false, noise(100_000)));
      assertThat(wire.in.read()).isEqualTo(-1);
      Rig.until(() -> clean.get() == 1);
    }
    int before = app.connections.get();
    assertThat(rig.ask(Rig.get("/")).body()).isEqualTo("plain");
    assertThat(app.connections).hasValue(before + 1);
  }

  @Test
  void carriesMuchBothWaysAtOnce() throws Exception {
    int frames = 40;
    var payload = noise(100_000);
    try (var wire = open("/ws")) {
      var writer =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  for (int i = 0; i < frames; i++) {
                    wire.socket
                        .getOutputStream()
                        .write(new Frame(Frame.BINARY, true, payload).bytes());
                  }
                } catch (IOException e) {
                  // the reader below misses it
                }
              });
      for (int i = 0; i < frames; i++) {
        assertThat(Frame.read(wire.in)).isEqualTo(new Frame(Frame.BINARY, false, payload));
      }
      assertThat(writer.join(Duration.ofSeconds(5))).isTrue();
    }
  }

  @Test
  void carriesManyTunnelsApart() throws IOException {
    var wires = new java.util.ArrayList<Wire>();
    try {
      for (int i = 0; i < 50; i++) {
        wires.add(open("/ws"));
      }
      for (int i = 0; i < 50; i++) {
        wires.get(i).socket.getOutputStream().write(new Frame(Frame.TEXT, true, noise(i)).bytes());
      }
      for (int i = 0; i < 50; i++) {
        assertThat(Frame.read(wires.get(i).in)).isEqualTo(new Frame(Frame.TEXT, false, noise(i)));
      }
    } finally {
      for (var wire : wires) {
        wire.close();
      }
    }
    Rig.until(() -> rig.log.size() == 50);
    assertThat(rig.edge.inFlight("app", "e1")).isZero();
  }
}
