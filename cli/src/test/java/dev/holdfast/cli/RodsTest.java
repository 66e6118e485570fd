package dev.holdfast.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RodsTest {
  private static final String ROD =
      """
      {"name":"pause","scope":"app/shop","level":"on","left":0,"reason":"moving","actor":"ann",\
      "source":"operator","setAt":"2026-11-21T22:44:08Z","expiresAt":"2026-11-21T23:14:18Z",\
      "acts":true,"effect":7,"counts":"requests held"}\
      """;

  @TempDir private Path folder;
  private FakePlatform platform;
  private Desk desk;

  @BeforeEach
  void start() throws IOException {
    platform = new FakePlatform(folder.resolve("home"));
    desk = new Desk(folder, folder.resolve("home"));
  }

  @AfterEach
  void stop() {
    platform.close();
  }

  /** A node whose socket answers everything with that line. */
  private ServerSocketChannel node(String answer, List<String> asked) throws IOException {
    var listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    listener.bind(UnixDomainSocketAddress.of(folder.resolve("home").resolve("rods.sock")));
    Thread.ofVirtual()
        .start(() -> {
          while (true) {
            try (var client = listener.accept()) {
              var line = ByteBuffer.allocate(4096);
              while (line.position() == 0 || line.get(line.position() - 1) != '\n') {
                client.read(line);
              }
              asked.add(new String(line.array(), 0, line.position(), UTF_8).strip());
              client.write(ByteBuffer.wrap((answer + "\n").getBytes(UTF_8)));
            } catch (IOException e) {
              return;
            }
          }
        });
    return listener;
  }

  @Test
  void setsAndLiftsThroughTheApi() {
    platform.on("PUT /v1/rods/pause", ROD);
    assertThat(
            desk.run(
                "rods", "set", "pause", "--scope", "app/shop", "--ttl", "30m", "--reason", "m"))
        .isZero();
    assertThat(platform.seen.getLast().body())
        .isEqualTo(
            "{\"scope\":\"app/shop\",\"level\":\"on\",\"ttl\":\"30m\",\"reason\":\"m\",\"drill\":false}");
    assertThat(desk.out)
        .isEqualTo(
            "Setting pause... done, level on, app/shop, until 2026/11/21 23:14:18 +0000 (in ~ 30m)\n");
    platform.on(
        "DELETE /v1/rods/pause?scope=app%2Fshop&reason=all%20well", "{\"items\":[" + ROD + "]}");
    assertThat(desk.run("rods:lift", "pause", "--scope", "app/shop", "--reason", "all well"))
        .isZero();
    assertThat(desk.out).isEqualTo("Lifting pause... done (operator: 7 requests held)\n");
    assertThat(desk.run("rods", "set", "pause")).isEqualTo(2);
    assertThat(desk.err).contains("--reason");
  }

  @Test
  void showsWhatIsInAndWhatNobodyDrilled() {
    platform.on(
        "GET /v1/rods",
        "{\"items\":["
            + ROD
            + "],\"known\":[{\"name\":\"pause\",\"meaning\":\"Waits.\",\"scopes\":[\"app\"],"
            + "\"levels\":\"on: every request waits\",\"counts\":\"requests held\",\"total\":9,"
            + "\"drilledAt\":null,\"drilled\":false}],\"node\":\"n1\",\"unwritten\":2}");
    assertThat(desk.run("rods")).isZero();
    assertThat(desk.out)
        .isEqualTo(
            """
            === Rods that are in
            pause  app/shop  on  until 2026/11/21 23:14:18 +0000 (in ~ 30m)
              why    moving
              by     ann (operator), 2026/11/21 22:44:08 +0000 (~ 10s ago)
              effect 7 requests held

            === All rods
            pause  app  9 requests held  NEVER DRILLED

            pause: Waits.
              on: every request waits

            2 events of this node wait for the ledger to answer.
            """);
  }

  @Test
  void showsWhoDidWhatAndWhy() {
    platform.on(
        "GET /v1/rods/history?limit=1000",
        "{\"items\":[{\"number\":3,\"event\":\"lifted\",\"name\":\"pause\",\"scope\":\"global\","
            + "\"level\":\"on\",\"source\":\"operator\",\"at\":\"2026-11-21T22:44:08Z\","
            + "\"by\":\"ann\",\"reason\":\"all well\",\"node\":\"n1\",\"effect\":4,"
            + "\"drill\":false}],\"next\":null}");
    assertThat(desk.run("rods", "list", "--history")).isZero();
    assertThat(desk.out)
        .isEqualTo(
            """
            === What happened to rods
            2026/11/21 22:44:08 +0000 (~ 10s ago)  pause global on lifted by ann on n1 alone
              all well; effect 4
            """);
  }

  @Test
  void fallsBackToTheNodesOwnSocketAndSaysSo() throws Exception {
    platform.close();
    var asked = new CopyOnWriteArrayList<String>();
    var rod = ROD.replace("operator", "break-glass");
    try (var node = node("{\"done\":true,\"items\":[" + rod + "],\"remark\":\"Hm.\"}", asked)) {
      assertThat(node.isOpen()).isTrue();
      assertThat(desk.run("rods", "set", "pause", "--reason", "dead")).as(desk.err).isZero();
      assertThat(desk.err).contains("No platform answers").contains("on this node alone");
      assertThat(desk.out).contains("done, level on, app/shop").contains("Hm.");
      assertThat(asked)
          .containsExactly(
              "{\"ask\":\"set\",\"name\":\"pause\",\"scope\":null,\"level\":\"on\",\"ttl\":null,"
                  + "\"reason\":\"dead\",\"drill\":false}");
      assertThat(desk.run("rods", "lift", "pause")).isZero();
      assertThat(desk.out).contains("break-glass: 7 requests held");
    }
  }

  @Test
  void asksTheSocketAloneWhenToldAndPassesItsRefusalOn() throws Exception {
    var asked = new CopyOnWriteArrayList<String>();
    try (var node = node("{\"done\":false,\"detail\":\"rod: x (expected: y)\"}", asked)) {
      assertThat(node.isOpen()).isTrue();
      assertThat(desk.run("rods", "set", "x", "--reason", "r", "--local")).isEqualTo(1);
      assertThat(desk.err).contains("rod: x (expected: y)");
      assertThat(platform.seen).isEmpty();
    }
    assertThat(desk.run("rods", "list", "--local")).isEqualTo(1);
    assertThat(desk.err).contains("Nobody answers at").contains("rods.sock");
    desk.env.put("HOLDFAST_TOKEN", "t");
    assertThat(desk.run("rods", "list", "--local", "--server", platform.url())).isEqualTo(2);
  }
}
