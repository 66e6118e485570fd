package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The npm packages follow, nano and pouchdb, as they are published, keep a mirror of the ledger.
 * Skipped without node, npm or the packages, unless {@code -Dcouch.clients=required}.
 */
@Timeout(300)
class CouchClientsTest {
  private static final Path SOURCE = Path.of(System.getProperty("basedir", "."), "src/test/couch");
  private static final Path INSTALLED = Path.of(System.getProperty("basedir", "."), "target/couch");
  private static final List<String> CLIENTS = List.of("follow", "nano", "pouchdb");
  private static final int INSTALL_SECONDS = 180;

  @TempDir private Path temp;
  private Stage stage;
  private final List<Process> started = new ArrayList<>();

  @BeforeEach
  void open() throws Exception {
    install();
    stage = new Stage(temp, "home").with("api", "127.0.0.1:" + freePort()).start();
  }

  @AfterEach
  void close() throws Exception {
    for (var process : started) {
      process.destroyForcibly().waitFor(30, TimeUnit.SECONDS);
    }
    if (stage != null) {
      stage.close();
    }
  }

  @Test
  void unmodifiedClientsStayInStepThroughRestartsAndACompaction() throws Exception {
    for (int i = 0; i < 40; i++) {
      route("r" + i + ".test", 9);
    }
    var clients = start();
    inStep(clients, "from the beginning");

    route("new.test", 9);
    route("r1.test", 10);
    delete("r2.test");
    inStep(clients, "after a change, a new one and a deletion");

    stage.restart();
    route("r3.test", 10);
    delete("r4.test");
    route("r2.test", 11); // back from the dead
    inStep(clients, "after a restart");

    for (int i = 5; i < 15; i++) {
      route("r" + i + ".test", 12);
      route("r" + i + ".test", 13);
    }
    delete("r5.test");
    var done = stage.post("/v1/ledger/compaction", "{\"keep\":0}").json();
    assertThat(done.get("floor").asLong()).isEqualTo(done.get("head").asLong());
    inStep(clients, "after a compaction");

    stage.stop();
    stage.start();
    delete("r6.test");
    route("r7.test", 14);
    inStep(clients, "after a compaction and a restart");
  }

  // ---- hands

  /** The process of the three, which answers each line that it is sent. */
  private record Clients(Process process, BufferedReader answers) {}

  private Clients start() throws IOException {
    var port = stage.platform().apiAddress().getPort();
    var process =
        new ProcessBuilder(
                "node",
                INSTALLED.resolve("clients.js").toAbsolutePath().toString(),
                "http://anybody:" + stage.token() + "@127.0.0.1:" + port + "/couch/ledger",
                temp.toString())
            .redirectError(temp.resolve("clients.log").toFile())
            .start();
    started.add(process);
    return new Clients(
        process, new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8)));
  }

  /** Waits until every client holds exactly the live keys, each in its newest revision. */
  private void inStep(Clients clients, String when) throws Exception {
    var wanted = new TreeMap<String, String>();
    var changes = stage.get("/couch/ledger/_changes").json();
    for (var row : changes.get("results")) {
      if (!row.has("deleted")) {
        wanted.put(row.get("id").asString(), row.get("changes").get(0).get("rev").asString());
      }
    }
    assertThat(wanted).hasSizeGreaterThan(30);
    var last = new ArrayList<String>();
    try {
      Stage.await(
          when,
          () -> {
            last.clear();
            clients.process().getOutputStream().write('\n');
            clients.process().getOutputStream().flush();
            var answer = clients.answers().readLine();
            assertThat(answer).as(Files.readString(temp.resolve("clients.log"))).isNotNull();
            var held = Json.MAPPER.readTree(answer);
            for (var client : CLIENTS) {
              var mirror = new TreeMap<String, String>();
              held.get(client)
                  .properties()
                  .forEach(doc -> mirror.put(doc.getKey(), doc.getValue().asString()));
              if (!mirror.equals(wanted)) {
                last.add(client + " holds " + mirror);
              }
            }
            return last.isEmpty();
          });
    } catch (AssertionError e) {
      throw new AssertionError(
          when
              + ": "
              + last
              + ", wanted "
              + wanted
              + "\n"
              + Files.readString(temp.resolve("clients.log")),
          e);
    }
  }

  private void route(String host, int port) throws Exception {
    var answer = stage.put("/v1/routes/" + host, "{\"to\":\"http://127.0.0.1:" + port + "\"}");
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
  }

  private void delete(String host) throws Exception {
    assertThat(stage.delete("/v1/routes/" + host).status()).isEqualTo(204);
  }

  /** Installs what the lock file names, once. */
  private static void install() throws IOException, InterruptedException {
    boolean required = "required".equals(System.getProperty("couch.clients"));
    Files.createDirectories(INSTALLED);
    var lock = Files.readString(SOURCE.resolve("package-lock.json"));
    var done = INSTALLED.resolve("installed");
    if (!Files.exists(done) || !Files.readString(done).equals(lock)) {
      for (var file : List.of("package.json", "package-lock.json")) {
        Files.copy(
            SOURCE.resolve(file), INSTALLED.resolve(file), StandardCopyOption.REPLACE_EXISTING);
      }
      var failure = npm();
      assertThat(required && failure != null).as("npm ci: " + failure).isFalse();
      assumeTrue(failure == null, () -> "skipped, npm ci failed: " + failure);
      Files.writeString(done, lock);
    }
    Files.copy(
        SOURCE.resolve("clients.js"),
        INSTALLED.resolve("clients.js"),
        StandardCopyOption.REPLACE_EXISTING);
  }

  /** What went wrong, or null. */
  private static @Nullable String npm() throws InterruptedException {
    try {
      var log = INSTALLED.resolve("npm.log");
      var npm =
          new ProcessBuilder("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
              .directory(INSTALLED.toFile())
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
      if (!npm.waitFor(INSTALL_SECONDS, TimeUnit.SECONDS)) {
        npm.destroyForcibly();
        return "no end in " + INSTALL_SECONDS + " s";
      }
      return npm.exitValue() == 0 ? null : Files.readString(log);
    } catch (IOException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private static int freePort() throws IOException {
    for (int port = 30_000 - (int) (ProcessHandle.current().pid() % 1_000); ; port++) {
      try (var _ = new ServerSocket(port)) {
        return port;
      } catch (IOException e) {
        assertThat(port).isLessThan(32_768);
      }
    }
  }
}
