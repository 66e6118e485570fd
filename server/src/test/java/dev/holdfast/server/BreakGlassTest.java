package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.edge.Edge;
import dev.holdfast.edge.EdgeConfig;
import dev.holdfast.edge.Routing;
import dev.holdfast.edge.RoutingFold;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.LedgerConfig;
import dev.holdfast.ledger.MemoryStore;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.KnownRod;
import dev.holdfast.limits.ManualTime;
import dev.holdfast.limits.RodOrder;
import dev.holdfast.limits.RodsConfig;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Control rods of one node, set while everything that they could be set through is dead. */
@Timeout(60)
class BreakGlassTest {
  private static final String GET = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";

  @TempDir private Path temp;

  private Path file() {
    return temp.resolve("rods.json");
  }

  private RodBoard board(Time time) {
    return new RodBoard(file(), "n1", RodsConfig.defaults(), time);
  }

  private static RodOrder order(KnownRod rod, String level, String ttl) {
    return new RodOrder(rod.word(), null, level, ttl, "a test", false);
  }

  private JsonNode ask(String line) throws IOException {
    try (var client = connect()) {
      client.write(ByteBuffer.wrap((line + "\n").getBytes(UTF_8)));
      return Json.MAPPER.readTree(Channels.newInputStream(client).readAllBytes());
    }
  }

  private SocketChannel connect() throws IOException {
    var client = SocketChannel.open(StandardProtocolFamily.UNIX);
    client.connect(UnixDomainSocketAddress.of(temp.resolve(RodSocket.FILE)));
    return client;
  }

  private static boolean set(RodBoard board, KnownRod rod, Time time) {
    return board.view().find(rod, time.now().toEpochMilli()) != null;
  }

  @Test
  void actsAtTheEdgeWithinASecondThoughStoreAndApiAreDead() throws Exception {
    var time = Time.system();
    var store = new MemoryStore();
    var board = board(time);
    var any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    try (var ledger = Ledger.open(store, Platform.KINDS, LedgerConfig.defaults(), time);
        var rods = new RodLedger(board, ledger, time);
        var routing = new Follower<Routing>("routing", ledger, new RoutingFold(), time);
        var socket = RodSocket.open(board, temp, time);
        var edge =
            Edge.start(
                EdgeConfig.of(EdgeConfig.Choices.defaults().at(any)),
                dev.holdfast.edge.FrontConfig.defaults(),
                dev.holdfast.edge.TlsKeys.NONE,
                () -> routing.view().value(),
                board::view,
                time,
                (_, _) -> {})) {
      assertThat(socket).isNotNull();
      rods.start();
      routing.start();
      var to = Route.toAddress("a.test", "http://127.0.0.1:9");
      ledger
          .append(Transaction.by("test").put(Route.KIND, Route.key("a.test"), to, Transaction.ANY))
          .orThrow();
      assertThat(routing.awaitApplied(ledger.head(), Duration.ofSeconds(10))).isTrue();
      assertThat(Stage.raw(edge.address(), GET)).contains("H21");

      store.failWith("the disk is gone");
      long from = System.nanoTime();
      var answer =
          ask(
              "{\"ask\":\"set\",\"name\":\"maintenance\",\"level\":\"on\",\"ttl\":\"5m\","
                  + "\"reason\":\"all is dead\"}");
      assertThat(answer.get("done").asBoolean()).as(answer.toString()).isTrue();
      assertThat(Stage.raw(edge.address(), GET)).contains("503").contains("H80");
      assertThat((System.nanoTime() - from) / 1e9).as("seconds").isLessThan(1);
      var listed = ask("{\"ask\":\"list\"}").at("/list/items/0");
      assertThat(listed.get("source").asString()).isEqualTo("break-glass");
      assertThat(listed.get("effect").asLong()).isEqualTo(1);
      assertThat(listed.get("actor").asString())
          .isEqualTo("local " + System.getProperty("user.name"));

      store.failWith(null);
      Stage.await("the ledger's knowledge", () -> board.local().unwritten() == 0);
      rods.lift("ann", "maintenance", "global", "it lives again").orThrow();
      assertThat(Stage.raw(edge.address(), GET)).contains("H21");
      Stage.await("the end, too", () -> board.local().unwritten() == 0);
      assertThat(rods.history())
          .extracting(note -> note.event() + " " + note.by() + " " + note.node())
          .containsExactly("LIFTED ann n1", "SET local " + System.getProperty("user.name") + " n1");
      assertThat(rods.history().getFirst().effect()).isEqualTo(1);
      assertThat(rods.history().getFirst().why()).isEqualTo("it lives again");
    }
  }

  @Test
  void outlivesTheProcessAndEndsWithItsTime() throws Exception {
    var time = new ManualTime();
    board(time).setHere("ann", order(KnownRod.PAUSE, "on", "10m")).orThrow();
    assertThat(Files.getPosixFilePermissions(file()))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    var next = board(time);
    assertThat(set(next, KnownRod.PAUSE, time)).isTrue();
    time.advance(Duration.ofMinutes(10));
    assertThat(set(next, KnownRod.PAUSE, time)).as("expired, though nobody looked after").isFalse();
    next.prune();
    assertThat(next.view().all()).isEmpty();
    assertThat(next.local().waiting(10))
        .extracting(RodNote::event)
        .containsExactly(RodNote.Event.SET, RodNote.Event.EXPIRED);
    assertThat(board(time).local().waiting(10)).hasSize(2);
  }

  @Test
  void aStricterLocalRodWinsAndALooserOneDoesNot() {
    var time = new ManualTime();
    var board = board(time);
    var table = RodTable.FOLD.start();
    var rod =
        order(KnownRod.CONNECT_RATE, "50%", "1h")
            .decide(
                RodsConfig.defaults(),
                "n1",
                "bob",
                dev.holdfast.limits.Rod.Source.OPERATOR,
                time.now())
            .orThrow();
    var known =
        new RodTable(
            table.rods().with(rod.key(), new RodTable.Versioned<>(rod, 1)),
            table.notes(),
            table.drills());
    board.decidedBy(() -> known);
    assertThat(level(board, time)).isEqualTo(50);
    board.setHere("ann", order(KnownRod.CONNECT_RATE, "80%", "1h")).orThrow();
    assertThat(level(board, time)).isEqualTo(50);
    board.setHere("ann", order(KnownRod.CONNECT_RATE, "5%", "1h")).orThrow();
    assertThat(level(board, time)).isEqualTo(5);
    assertThat(board.list().items())
        .extracting(RodShapes.RodShape::source)
        .containsExactlyInAnyOrder("operator", "break-glass");
    assertThat(board.liftHere("ann", "connect-rate", "global", null)).hasSize(1);
    assertThat(level(board, time)).isEqualTo(50);
  }

  private static int level(RodBoard board, Time time) {
    var found = board.view().find(KnownRod.CONNECT_RATE, time.now().toEpochMilli());
    return found == null ? KnownRod.WHOLE : found.level();
  }

  @Test
  void aFileThatCannotBeReadIsPutAside() throws Exception {
    Files.writeString(file(), "{\"rods\":[{\"name\":\"pause\"}],\"notes\":[]}");
    var board = board(new ManualTime());
    assertThat(board.view().all()).isEmpty();
    assertThat(temp.resolve("rods.json.bad")).exists();
    assertThat(board.setHere("ann", order(KnownRod.PAUSE, "on", "1m")).orThrow().unsaved())
        .isNull();
  }

  @Test
  void actsThoughItCannotBeWritten() throws Exception {
    var time = new ManualTime();
    var nowhere = new RodBoard(temp.resolve("no/where"), "n1", RodsConfig.defaults(), time);
    var here = nowhere.setHere("ann", order(KnownRod.PAUSE, "on", "1m")).orThrow();
    assertThat(here.unsaved()).isNotNull();
    assertThat(set(nowhere, KnownRod.PAUSE, time)).isTrue();
  }

  @Test
  void clientsThatSayNothingDoNotKeepOthersOut() throws Exception {
    var board = board(Time.system());
    var silent = new ArrayList<SocketChannel>();
    try (var socket = RodSocket.open(board, temp, Time.system())) {
      assertThat(Files.getPosixFilePermissions(temp.resolve(RodSocket.FILE)))
          .isEqualTo(PosixFilePermissions.fromString("rw-------"));
      assertThat(socket).isNotNull();
      for (int i = 0; i < 4; i++) {
        silent.add(connect());
      }
      assertThat(ask("{\"ask\":\"list\"}").get("done").asBoolean()).isTrue();
    } finally {
      for (var client : silent) {
        client.close();
      }
    }
    assertThat(temp.resolve(RodSocket.FILE)).doesNotExist();
  }

  @Test
  void refusesWhatItDoesNotUnderstandAndSaysWhy() throws Exception {
    var board = board(Time.system());
    try (var _ = RodSocket.open(board, temp, Time.system())) {
      assertThat(ask("hello").get("detail").asString()).contains("not understood");
      assertThat(ask("{\"ask\":\"dance\"}").get("detail").asString()).contains("list, set or lift");
      assertThat(ask("{\"ask\":\"set\",\"name\":\"x\"}").get("detail").asString())
          .contains("one of deny-deploys");
      assertThat(ask("{\"ask\":\"lift\",\"name\":\"pause\"}").get("detail").asString())
          .contains("pause global");
      assertThat(board.view().all()).isEmpty();
    }
  }

  @Test
  void aRuleIsSeenUnderItsNameAndAPersonSilencesIt() {
    var time = new ManualTime();
    var board = board(time);
    double[] missing = {0.5};
    var rules =
        new RodRules(
            board,
            java.util.List.of(new RodRules.Watched(RodRules.disk(), () -> missing[0])),
            time);
    for (int i = 0; i < 3; i++) {
      assertThat(set(board, KnownRod.DENY_DEPLOYS, time)).isFalse();
      rules.look();
      time.advance(Duration.ofSeconds(1));
    }
    assertThat(set(board, KnownRod.DENY_DEPLOYS, time)).isTrue();
    var shape = board.list().items().getFirst();
    assertThat(shape.source()).isEqualTo("rule disk");
    assertThat(shape.level()).isEqualTo("rollbacks");
    var guard = new RodGuard(board::view, time);
    guard.check(Operation.Effect.ROLLS_BACK, "a");
    assertThat(refusal(guard, Operation.Effect.RELEASES)).contains("rule disk").contains("full");

    assertThat(board.liftHere("ann", "deny-deploys", "global", "I know")).hasSize(1);
    rules.look();
    assertThat(set(board, KnownRod.DENY_DEPLOYS, time)).isFalse();
    time.advance(RodBoard.RULE_QUIET);
    rules.look();
    assertThat(set(board, KnownRod.DENY_DEPLOYS, time)).isTrue();
    missing[0] = -2;
    for (int i = 0; i < 3; i++) {
      rules.look();
    }
    assertThat(set(board, KnownRod.DENY_DEPLOYS, time)).isFalse();
    assertThat(board.local().waiting(10))
        .extracting(note -> note.event() + " " + note.by())
        .containsExactly("SET rule disk", "LIFTED ann", "SET rule disk", "LIFTED rule disk");
  }

  private static String refusal(RodGuard guard, Operation.Effect effect) {
    try {
      guard.check(effect, "a");
      return "";
    } catch (Problem.Thrown e) {
      return e.problem().detail();
    }
  }
}
