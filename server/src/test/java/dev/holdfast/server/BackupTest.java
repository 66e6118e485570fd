package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(120)
class BackupTest {
  @TempDir private static Path temp;
  private static Stage stage;
  private static byte[] backup;

  @BeforeAll
  static void start() throws Exception {
    stage = new Stage(temp, "home").start();
    stage.deploy("idle", Pack.idle("one"));
    stage.deploy("idle", Pack.idle("two"));
    stage.settled("idle", 2);
    backup = take();
  }

  @AfterAll
  static void end() throws IOException {
    stage.close();
  }

  @Test
  void aBackupTakenWhileWritingGoesOnIsOneMomentAndStartsAgain() throws Exception {
    var written = new AtomicBoolean();
    var writer =
        CompletableFuture.supplyAsync(() -> {
          int count = 0;
          while (!written.get() && count < 5_000) {
            put("w" + count++ + ".test");
          }
          return count;
        });
    Stage.await("the first routes", () -> stage.get("/v1/routes").body().contains("w1.test"));
    byte[] copy;
    try {
      copy = take();
    } finally {
      written.set(true);
    }
    assertThat(writer.get(30, TimeUnit.SECONDS)).isGreaterThan(1);

    var target = temp.resolve("restored");
    assertThat(restore(file("busy.tar", copy), target)).contains("Restored " + target);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(target)))
        .isEqualTo("rwx------");
    assertThat(
            PosixFilePermissions.toString(Files.getPosixFilePermissions(target.resolve("token"))))
        .isEqualTo("rw-------");
    assertSameArtifacts(target);
    try (var other = new Stage(temp, "restored").start()) {
      assertThat(other.token()).isEqualTo(stage.token());
      long head = manifest(copy).head();
      var original = stage.ledger();
      var restored = other.ledger();
      assertThat(head).isBetween(3L, (long) original.size());
      assertThat(restored.subList(0, (int) head)).isEqualTo(original.subList(0, (int) head));
      assertThat(other.get("/v1/apps/idle").json().get("release").asInt()).isEqualTo(2);
      assertThat(other.post("/v1/apps/idle/rollback", "{}").status()).isEqualTo(202);
      assertThat(other.settled("idle", 3).get("status").asString()).isEqualTo("succeeded");
    }
  }

  @Test
  void anAppThatRanWhenTheBackupWasTakenRunsAgainAfterTheRestore() throws Exception {
    try (var source = new Stage(temp, "source").start()) {
      source.deploy("tiny", Pack.tiny("x"));
      assertThat(source.settled("tiny", 1).get("status").asString()).isEqualTo("succeeded");
      byte[] copy =
          source
              .send(
                  source.request("/v1/backup").POST(BodyPublishers.noBody()),
                  BodyHandlers.ofByteArray())
              .body();
      restore(file("running.tar", copy), temp.resolve("target"));
      try (var target = new Stage(temp, "target").start()) {
        Stage.await(
            "the app on its new machine",
            () -> target.visit("tiny.localhost", "/").startsWith("HTTP/1.1 200 "));
        assertThat(source.visit("tiny.localhost", "/")).startsWith("HTTP/1.1 200 ");
        var there = target.get("/v1/apps/tiny/processes").json().at("/items/0/pid");
        assertThat(there)
            .isNotEqualTo(source.get("/v1/apps/tiny/processes").json().at("/items/0/pid"));
      }
    }
  }

  @Test
  void aDirectoryThatHoldsAnythingIsNotTouched() throws Exception {
    var target = Files.createDirectory(temp.resolve("mine"));
    Files.writeString(target.resolve("diary"), "dear");
    assertThatThrownBy(() -> Backup.restore(file("good.tar", backup), target))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("home: " + target + " (expected: an empty directory, or none at all)");
    assertThat(target.resolve("diary")).hasContent("dear");
    var file = Files.writeString(temp.resolve("a-file"), "dear");
    assertThatThrownBy(() -> Backup.restore(file("good.tar", backup), file))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("home: " + file + " (expected: an empty directory, or none at all)");
    assertNothingLeft();
  }

  @Test
  void anEmptyDirectoryWillDo() throws Exception {
    var target = Files.createDirectory(temp.resolve("empty"));
    assertThat(Backup.restore(file("good.tar", backup), target)).isEqualTo(manifest(backup).head());
    assertSameArtifacts(target);
  }

  static Map<String, byte[]> damaged() throws IOException {
    var all = new LinkedHashMap<String, byte[]>();
    all.put("nothing", new byte[0]);
    all.put("zeros", new byte[10_240]);
    all.put("a letter", "Dear backup, ".repeat(1_000).getBytes(UTF_8));
    all.put("an upload", Pack.idle("x"));
    all.put("another tar", new Pack().file("README", "hello".getBytes(UTF_8)).tar());
    for (int part = 1; part <= 9; part += 2) {
      all.put("cut at " + part + " tenths", Arrays.copyOf(backup, cut(part)));
    }
    all.put("only its manifest", rebuilt(manifestText(), false));
    all.put("a manifest of nothing", rebuilt("{}", false));
    all.put("a manifest that is no JSON", rebuilt("{", false));
    all.put(
        "a manifest without its members",
        rebuilt("{\"format\":1,\"createdAt\":\"2026-01-01T00:00:00Z\",\"head\":1}", true));
    all.put(
        "a later format", rebuilt(manifestText().replace("\"format\":1", "\"format\":2"), true));
    all.put(
        "another head",
        rebuilt(manifestText().replaceFirst("\"head\":[0-9]+", "\"head\":1"), true));
    all.put("a member up", rebuilt(manifestText().replace("\"token\"", "\"../token\""), true));
    all.put("a member that is not known", rebuilt(manifestText().replace("token", "extra"), true));
    all.put("one wrong byte in the ledger", flipped("SQLite format 3"));
    all.put("one wrong byte in the token", flipped("hf_"));
    all.put("one wrong byte in an artifact", flippedBehind("artifacts/"));
    return all;
  }

  static List<String> damages() throws IOException {
    return new ArrayList<>(damaged().keySet());
  }

  @ParameterizedTest
  @MethodSource("damages")
  void whatIsNoWholeBackupIsRefusedAndNothingIsLeft(String damage) throws Exception {
    var bytes = damaged().get(damage);
    var file = file("bad.tar", bytes == null ? new byte[0] : bytes);
    var target = temp.resolve("never");
    assertThatThrownBy(() -> Backup.restore(file, target))
        .isInstanceOfAny(IOException.class, IllegalArgumentException.class)
        .message()
        .as(damage)
        .containsAnyOf(file.toString(), "SHA-256 of ")
        .doesNotContain("dev.holdfast");
    assertThat(target).doesNotExist();
    assertNothingLeft();
  }

  @Test
  void theManifestMayBeLong() throws Exception {
    // 12,000 releases are less than the platform keeps for its 1,000 apps.
    var members = new ArrayList<Backup.Member>();
    for (int i = 0; i < 12_000; i++) {
      members.add(
          new Backup.Member("artifacts/%064x.tar.gz".formatted(i), 1, "%064x".formatted(i)));
    }
    var manifest = new Backup.Manifest(1, manifest(backup).createdAt(), 1, members);
    var text = new String(Json.bytes(manifest), UTF_8);
    assertThat(text.length()).isGreaterThan(Json.BODY_BYTES_MAX);
    var file = file("long.tar", rebuilt(text, false));
    assertThatThrownBy(() -> Backup.restore(file, temp.resolve("never")))
        .hasMessageContaining("member of " + file + ": none"); // so it was read
  }

  private static byte[] take() throws Exception {
    var answer =
        stage.send(
            stage.request("/v1/backup").POST(BodyPublishers.noBody()), BodyHandlers.ofByteArray());
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/x-tar");
    assertThat(stage.home().resolve("backup.db.tmp")).doesNotExist();
    return answer.body();
  }

  private static void put(String host) {
    try {
      assertThat(stage.put("/v1/routes/" + host, "{\"to\":\"http://127.0.0.1:9\"}").status())
          .isEqualTo(200);
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static Path file(String name, byte[] bytes) throws IOException {
    return Files.write(temp.resolve(name), bytes);
  }

  private static String restore(Path file, Path target) {
    var out = new ByteArrayOutputStream();
    var to = new PrintStream(out, true, UTF_8);
    int status =
        Main.run(
            List.of("restore", file.toString(), "--home", target.toString()), Map.of(), to, to);
    assertThat(status).as(out.toString(UTF_8)).isZero();
    return out.toString(UTF_8);
  }

  private static void assertSameArtifacts(Path target) throws IOException {
    try (var all = Files.list(stage.home().resolve("artifacts"))) {
      var files = all.toList();
      assertThat(files).hasSize(2);
      for (var file : files) {
        assertThat(target.resolve("artifacts").resolve(file.getFileName()))
            .hasSameBinaryContentAs(file);
      }
    }
  }

  private static void assertNothingLeft() throws IOException {
    try (var all = Files.list(temp)) {
      assertThat(all.map(path -> path.getFileName().toString()))
          .noneMatch(name -> name.startsWith(".holdfast"));
    }
  }

  private static String manifestText() throws IOException {
    try (var tar = new TarArchiveInputStream(new ByteArrayInputStream(backup))) {
      assertThat(tar.getNextEntry().getName()).isEqualTo("manifest.json");
      return new String(tar.readAllBytes(), UTF_8);
    }
  }

  private static Backup.Manifest manifest(byte[] from) throws IOException {
    try (var tar = new TarArchiveInputStream(new ByteArrayInputStream(from))) {
      tar.getNextEntry();
      return Json.MAPPER.readValue(tar.readAllBytes(), Backup.Manifest.class);
    }
  }

  /** The backup with another manifest, with or without the rest. */
  private static byte[] rebuilt(String manifest, boolean rest) throws IOException {
    var pack = new Pack().file("manifest.json", manifest.getBytes(UTF_8));
    try (var tar = new TarArchiveInputStream(new ByteArrayInputStream(backup))) {
      tar.getNextEntry();
      var entry = rest ? tar.getNextEntry() : null;
      while (entry != null) {
        pack.file(entry.getName(), tar.readAllBytes());
        entry = tar.getNextEntry();
      }
    }
    return pack.tar();
  }

  private static int cut(int tenths) {
    return (int) ((long) backup.length * tenths / 10);
  }

  private static byte[] flipped(String near) {
    byte[] bytes = backup.clone();
    var text = new String(bytes, ISO_8859_1);
    bytes[text.lastIndexOf(near) + near.length()] ^= 1;
    return bytes;
  }

  /** A byte of the first artifact's contents, which begin a tar block behind its name. */
  private static byte[] flippedBehind(String name) {
    byte[] bytes = backup.clone();
    var text = new String(bytes, ISO_8859_1);
    int header = text.lastIndexOf("\0" + name);
    bytes[header + 1 + 512 + 40] ^= 1;
    return bytes;
  }
}
