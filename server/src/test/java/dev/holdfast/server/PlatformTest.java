package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.ledger.StoreException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The platform as a whole: how it starts, how it ends, and what it does when it must not start. */
@Timeout(120)
class PlatformTest {
  @TempDir private Path temp;
  private Stage stage;

  @BeforeEach
  void open() throws IOException {
    stage = new Stage(temp, "home");
  }

  @AfterEach
  void close() throws IOException {
    stage.close();
  }

  @Test
  void saysWhereItIsWhileItRuns() throws Exception {
    stage.start();
    var up = Json.MAPPER.readTree(Files.readString(stage.home().resolve("up.json")));
    assertThat(up.get("pid").asLong()).isEqualTo(ProcessHandle.current().pid());
    assertThat(up.get("api").asString())
        .isEqualTo("http://127.0.0.1:" + stage.platform().apiAddress().getPort());
    assertThat(up.get("edge").asString())
        .isEqualTo("http://127.0.0.1:" + stage.platform().edgeAddress().getPort());
    var health = stage.send(stage.bare("/v1/health"));
    assertThat(health.status()).isEqualTo(200);
    assertThat(health.json().get("status").asString()).isEqualTo("ok");
    assertThat(health.json().get("position").asLong()).isPositive();
    assertThat(stage.platform().greeting())
        .contains(up.get("api").asString())
        .contains(stage.home().resolve("token").toString())
        .doesNotContain(stage.token());
    stage.stop();
    assertThat(stage.home().resolve("up.json")).doesNotExist();
  }

  @Test
  void aSecondOneOnTheSameHomeIsRefusedAndTheFirstServesOn() throws Exception {
    stage.start();
    var second = new Stage(temp, "home");
    assertThatThrownBy(second::start)
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("Holdfast is already running (pid " + ProcessHandle.current().pid())
        .hasMessageContaining(stage.home().toRealPath().toString())
        .hasMessageContaining("--home");
    assertThat(stage.get("/v1/apps").status()).isEqualTo(200);
    assertThat(stage.home().resolve("up.json")).exists();
    assertThat(stage.put("/v1/routes/a.test", "{\"to\":\"http://127.0.0.1:9\"}").status())
        .isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(strings = {"http", "api"})
  void aPortThatIsTakenIsNamedAndNothingIsLeftRunningOrLocked(String key) throws Exception {
    var before = threads();
    try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      var address = "127.0.0.1:" + taken.getLocalPort();
      stage.with(key, address);
      assertThatThrownBy(stage::start)
          .isInstanceOf(IOException.class)
          .hasMessageContaining(address)
          .hasMessageContaining("in use");
    }
    assertThat(stage.home().resolve("up.json")).doesNotExist();
    Stage.await("the end of every thread", () -> left(before).isEmpty());
    stage.with(key, "127.0.0.1:0").start();
    assertThat(stage.get("/v1/apps").status()).isEqualTo(200);
  }

  @Test
  void anAddressThatIsNotThisMachinesIsNamed() throws Exception {
    stage.with("api", "192.0.2.1:7070");
    assertThatThrownBy(stage::start)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("192.0.2.1:7070");
    stage.with("api", "127.0.0.1:0").with("http", "192.0.2.1:8080");
    assertThatThrownBy(stage::start)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("192.0.2.1:8080");
    stage.with("http", "127.0.0.1:0").start();
  }

  @Test
  void anEndLeavesNoThread() throws Exception {
    var before = threads();
    stage.start();
    assertThat(left(before)).isNotEmpty();
    stage.stop();
    stage.stop();
    Stage.await("the end of every thread", () -> left(before).isEmpty());
  }

  @Test
  void openStreamsDoNotDelayTheEnd() throws Exception {
    stage.start();
    var stream = stage.send(stage.request("/v1/ledger?follow=true"), BodyHandlers.ofInputStream());
    assertThat(stream.body().read()).isEqualTo('{');
    long from = System.nanoTime();
    stage.stop();
    assertThat((System.nanoTime() - from) / 1_000_000_000.0).isLessThan(8);
    stream.body().close();
  }

  @Test
  void whatRunsIsAdoptedByTheNextStart() throws Exception {
    stage.start();
    stage.deploy("tiny", Pack.tiny("a"));
    assertThat(stage.settled("tiny", 1).get("status").asString()).isEqualTo("succeeded");
    var before = stage.get("/v1/apps/tiny/processes").json().at("/items/0");
    stage.restart();
    assertThat(stage.visit("tiny.localhost", "/")).startsWith("HTTP/1.1 200 ");
    var after = stage.get("/v1/apps/tiny/processes").json().at("/items/0");
    assertThat(before.get("pid").asLong()).isPositive();
    assertThat(after.get("pid")).isEqualTo(before.get("pid"));
    assertThat(after.get("drone")).isEqualTo(before.get("drone"));
    assertThat(after.get("state").asString()).isEqualTo("up");
  }

  @Test
  void aFullStoreRefusesChangesAndServesOn() throws Exception {
    var backend = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
    backend.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(200, 4);
          try (var body = exchange.getResponseBody()) {
            body.write("here".getBytes(UTF_8));
          }
        });
    backend.start();
    try {
      var to = "{\"to\":\"http://127.0.0.1:" + backend.getAddress().getPort() + "\"}";
      stage.with("store.bytes-max", "131072").start();
      var acknowledged = new TreeSet<>(Set.of("up.test"));
      assertThat(stage.put("/v1/routes/up.test", to).status()).isEqualTo(200);
      var last = fill(to, acknowledged);
      assertThat(last.status()).isEqualTo(503);
      assertThat(last.retryAfter()).isEqualTo("1");
      assertThat(last.detail()).contains("full").contains("131072").contains("free some room");
      assertThat(acknowledged).hasSizeGreaterThan(20);
      assertServes(acknowledged);
      assertThat(stage.deploy("late", Pack.idle("x")).status()).isEqualTo(503);
      assertThat(stage.get("/v1/apps/late").status()).isEqualTo(404);

      stage.restart(); // as full as before
      assertServes(acknowledged);
      assertThat(stage.put("/v1/routes/more.test", to).status()).isEqualTo(503);

      stage.with("store.bytes-max", "10000000").restart();
      assertThat(stage.put("/v1/routes/more.test", to).status()).isEqualTo(200);
      acknowledged.add("more.test");
      assertServes(acknowledged);
    } finally {
      backend.stop(0);
    }
  }

  private Stage.Answer fill(String to, Set<String> acknowledged) throws Exception {
    for (int i = 0; i < 5_000; i++) {
      var answer = stage.put("/v1/routes/h" + i + ".test", to);
      if (answer.status() != 200) {
        return answer;
      }
      acknowledged.add("h" + i + ".test");
    }
    throw new AssertionError("the store never became full");
  }

  /** Everything acknowledged is there, without a gap, and the edge sends visitors on. */
  private void assertServes(Set<String> hosts) throws Exception {
    assertThat(stage.send(stage.bare("/v1/health")).status()).isEqualTo(200);
    assertThat(stage.visit("up.test", "/")).startsWith("HTTP/1.1 200 ").endsWith("here");
    var shown = new TreeSet<String>();
    stage
        .get("/v1/routes?limit=1000")
        .json()
        .get("items")
        .forEach(route -> shown.add(route.get("host").asString()));
    assertThat(shown).isEqualTo(hosts);
    long position = 0;
    for (var entry : stage.ledger()) {
      assertThat(entry.get("position").asLong()).isEqualTo(++position);
    }
  }

  @Test
  void aStoreOfANewerVersionIsRefusedUntouched() throws Exception {
    stage.start().stop();
    var file = stage.home().resolve("ledger.db");
    sql(file, "INSERT INTO migration VALUES (2, '0002-later.sql', 'abc')");
    assertRefusedUntouched(file, "newer version");
    sql(file, "DELETE FROM migration WHERE version = 2");
    stage.start();
  }

  @Test
  void aStoreThatCannotBeReadIsRefusedUntouched() throws Exception {
    stage.start().stop();
    var file = stage.home().resolve("ledger.db");
    byte[] good = Files.readAllBytes(file);
    Files.writeString(file, "dear diary ".repeat(500));
    assertRefusedUntouched(file, "not a SQLite database");
    Files.write(file, new byte[0]);
    assertRefusedUntouched(file, "empty");
    Files.write(file, Arrays.copyOf(good, good.length / 2));
    assertRefusedUntouched(file, "nothing was written");
    Files.write(file, good);
    stage.start();
  }

  private void assertRefusedUntouched(Path file, String why) throws IOException {
    byte[] before = Files.readAllBytes(file);
    assertThatThrownBy(stage::start)
        .isInstanceOf(StoreException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(why)
        .hasMessageContaining("nothing was written");
    assertThat(Files.readAllBytes(file)).isEqualTo(before);
    assertThat(stage.home().resolve("up.json")).doesNotExist();
  }

  private static void sql(Path file, String statement) throws Exception {
    try (var connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        var running = connection.createStatement()) {
      running.execute(statement);
    }
  }

  private static Set<Thread> threads() {
    return new HashSet<>(Thread.getAllStackTraces().keySet());
  }

  /** Threads that came since, without those that belong to the Java runtime and to clients. */
  private static List<String> left(Set<Thread> before) {
    return threads().stream()
        .filter(thread -> !before.contains(thread) && thread.isAlive())
        .map(Thread::getName)
        .filter(name ->
            !name.startsWith("HttpClient")
                && !name.startsWith("ForkJoinPool")
                && !name.startsWith("process reaper")
                && !name.startsWith("VirtualThread")
                && !name.startsWith("Cleaner")
                && !name.startsWith("Common-Cleaner"))
        .sorted()
        .toList();
  }
}
