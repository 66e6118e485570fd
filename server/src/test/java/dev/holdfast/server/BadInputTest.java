package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What the API refuses, with the sentence it says, and that nothing is left of it. */
@Timeout(120)
class BadInputTest {
  private static final int UPLOAD_BYTES_MAX = 1 << 20;
  private static final String TO = "{\"to\":\"http://127.0.0.1:9\"}";

  @TempDir private static Path temp;
  private static Stage stage;

  @BeforeAll
  static void start() throws Exception {
    stage = new Stage(temp, "home").with("uploads.bytes-max", "" + UPLOAD_BYTES_MAX).start();
  }

  @AfterAll
  static void end() throws IOException {
    stage.close();
  }

  static List<Arguments> hostileUploads() {
    var web = Pack.of("web: ./run\n");
    var random = new byte[UPLOAD_BYTES_MAX + 1];
    new Random(1).nextBytes(random);
    byte[] good = Pack.idle("x");
    return List.of(
        upload("no gzip", "not in gzip format".getBytes(UTF_8), "upload: "),
        upload("a bare tar", Pack.of("web: x\n").tar(), "upload: "),
        upload("nothing", new byte[0], "upload: no bytes (expected: a tar.gz)"),
        upload("cut short", Arrays.copyOf(good, good.length / 2), "cut short"),
        upload("more than fits", random, "upload: more than 1048576 bytes (expected: at most"),
        upload("a bomb", web.file("zeros", new byte[5 << 20]).bytes(), "expected: at most"),
        upload("a path up", hostile().file("../evil", new byte[1]).bytes(), "entry: ../evil"),
        upload("a path up inside", hostile().file("a/../../evil", new byte[1]).bytes(), "a/../.."),
        upload("an absolute path", absolute(), "entry: /etc/evil (expected: a relative path)"),
        upload("a link out", hostile().symlink("out", "../x").bytes(), "stays inside the tree"),
        upload("a link to the root", hostile().symlink("out", "/etc").bytes(), "stays inside"),
        upload(
            "two links out together",
            hostile().symlink("a", "b/..").symlink("b", ".").symlink("c", "a/../..").bytes(),
            "stays inside the tree"),
        upload(
            "a file below a link",
            hostile().symlink("a", "b").file("a/f", new byte[1]).bytes(),
            "which is a link"),
        upload(
            "a hard link out",
            hostile().link("h", TarConstants.LF_LINK, "/etc/passwd").bytes(),
            "entry: "),
        upload("a device", hostile().link("d", TarConstants.LF_CHR, "").bytes(), "no device"),
        upload("a pipe", hostile().link("p", TarConstants.LF_FIFO, "").bytes(), "no named pipe"),
        upload("a path twice", hostile().file("Procfile", new byte[1]).bytes(), "each path once"),
        upload("no Procfile", new Pack().file("x", new byte[1]).bytes(), "upload: no Procfile"),
        upload("an empty Procfile", Pack.of("").bytes(), "Procfile: no process type (expected: "),
        upload(
            "a type twice",
            Pack.of("web: a\nweb: b\n").bytes(),
            "Procfile line 2: web (expected: each process type once)"),
        upload("a line that is none", Pack.of("web: a\n<<<<<<< HEAD\n").bytes(), "Procfile line 2"),
        upload("a command that is none", Pack.of("web:   \n").bytes(), "a command after web:"),
        upload(
            "a Procfile that is a link",
            new Pack().file("P", "web: x\n".getBytes(UTF_8)).symlink("Procfile", "P").bytes(),
            "Procfile: a directory or a link"));
  }

  private static Pack hostile() {
    return Pack.of("web: ./run\n");
  }

  private static byte[] absolute() {
    return hostile().file("/etc/evil", new byte[1]).bytes();
  }

  private static Arguments upload(String name, byte[] bytes, String says) {
    return Arguments.of(name, bytes, says);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("hostileUploads")
  void aHostileUploadIsRefusedAndLeavesNothing(String name, byte[] bytes, String says)
      throws Exception {
    long head = head();
    var before = files(stage.home().resolve("artifacts"));
    var refused = stage.deploy("victim", bytes);
    assertThat(refused.status()).as("%s: %s", name, refused.body()).isEqualTo(400);
    assertThat(refused.detail()).contains(says).contains("(expected: ");
    assertThat(stage.get("/v1/apps/victim").status()).isEqualTo(404);
    assertThat(files(stage.home().resolve("artifacts"))).isEqualTo(before);
    assertThat(files(stage.home().resolve("runs"))).isEmpty();
    assertThat(head()).isEqualTo(head);
    assertThat(temp.resolve("evil")).doesNotExist();
  }

  @Test
  void appNamesThatAreNoLabelsAreRefused() throws Exception {
    var expected = " (expected: 1 to 63 of a-z, 0-9 and '-', neither first nor last a '-')";
    for (var name :
        List.of("", "Hello", "a.b", "a_b", "-a", "a-", "m\u00fcll", "a".repeat(64), "a b")) {
      var refused = stage.post("/v1/apps", "{\"name\":\"" + name + "\"}");
      assertThat(refused.status()).as(name).isEqualTo(400);
      assertThat(refused.detail()).isEqualTo("app: " + name + expected);
    }
    var before = files(stage.home().resolve("artifacts"));
    var deploy = stage.deploy("Hello", Pack.idle("y"));
    assertThat(deploy.status()).isEqualTo(400);
    assertThat(deploy.detail()).isEqualTo("app: Hello" + expected);
    assertThat(stage.get("/v1/apps").json().get("items").isEmpty()).isTrue();
    assertThat(files(stage.home().resolve("artifacts"))).isEqualTo(before);
  }

  @Test
  void hostsThatAreNoHostNamesAreRefused() throws Exception {
    stage.post("/v1/apps", "{\"name\":\"hosts\"}");
    for (var host : List.of("", "a..b", "-a.test", "a_b.test", "a b", "a/b", "x".repeat(64), "*")) {
      var refused = stage.post("/v1/apps/hosts/domains", "{\"host\":\"" + host + "\"}");
      assertThat(refused.status()).as(host).isEqualTo(400);
      assertThat(refused.detail()).startsWith("host: " + host + " (expected: ");
      var imported =
          stage.post(
              "/v1/routes/import",
              "{\"routes\":[{\"host\":\"fine.test\",\"to\":\"http://127.0.0.1:9\"},"
                  + "{\"host\":\""
                  + host
                  + "\",\"to\":\"http://127.0.0.1:9\"}]}");
      assertThat(imported.status()).as(host).isEqualTo(400);
      assertThat(imported.detail()).contains("host: " + host + " (expected: ");
    }
    assertThat(stage.put("/v1/routes/a_b.test", TO).detail())
        .startsWith("host: a_b.test (expected: ");
    assertThat(stage.get("/v1/routes").json().get("items").isEmpty()).isTrue(); // all or none
    assertThat(stage.delete("/v1/apps/hosts").status()).isEqualTo(204);
  }

  @Test
  void addressesThatLeadNowhereAreRefused() throws Exception {
    for (var to :
        List.of(
            "",
            "127.0.0.1:80",
            "https://127.0.0.1:1",
            "http://127.0.0.1",
            "http://a:b",
            "http://127.0.0.1:0",
            "http://127.0.0.1:65536",
            "http://u@127.0.0.1:1",
            "http://127.0.0.1:1/path",
            "http://127.0.0.1:1?q")) {
      var refused = stage.put("/v1/routes/a.test", "{\"to\":\"" + to + "\"}");
      assertThat(refused.status()).as(to).isEqualTo(400);
      assertThat(refused.detail())
          .isEqualTo(
              "address: " + to + " (expected: http://ADDR:PORT, such as http://127.0.0.1:3000)");
    }
  }

  @Test
  void aHostIsRoutedToOnePlace() throws Exception {
    for (var app : List.of("one", "two")) {
      assertThat(stage.post("/v1/apps", "{\"name\":\"" + app + "\"}").status()).isEqualTo(201);
    }
    assertThat(stage.post("/v1/apps", "{\"name\":\"one\"}").detail())
        .isEqualTo("app one: exists already");
    var domain = "{\"host\":\"WWW.shop.test.\"}";
    assertThat(stage.post("/v1/apps/one/domains", domain).status()).isEqualTo(201);
    assertThat(stage.post("/v1/apps/one/domains", domain).status()).isEqualTo(201); // once more
    assertConflict(stage.post("/v1/apps/two/domains", domain), "www.shop.test", "app one");
    assertConflict(stage.put("/v1/routes/www.shop.test", TO), "www.shop.test", "app one");
    assertConflict(stage.put("/v1/routes/one.localhost", TO), "one.localhost", "app one");
    assertThat(stage.put("/v1/routes/three.localhost", TO).status()).isEqualTo(200);
    assertConflict(
        stage.post("/v1/apps", "{\"name\":\"three\"}"), "three.localhost", "http://127.0.0.1:9");
    assertConflict(stage.deploy("three", Pack.idle("x")), "three.localhost", "http://127.0.0.1:9");
    assertConflict(
        stage.post("/v1/apps/one/domains", "{\"host\":\"three.localhost\"}"),
        "three.localhost",
        "http://127.0.0.1:9");
    assertThat(stage.delete("/v1/apps/two/domains/www.shop.test").status()).isEqualTo(404);
    assertThat(stage.delete("/v1/routes/www.shop.test").detail())
        .isEqualTo(
            "route www.shop.test: it is a domain of app one (expected: a host that `holdfast"
                + " routes` lists)");
    assertThat(stage.delete("/v1/apps/one/domains/one.localhost").detail())
        .isEqualTo("domain: one.localhost (expected: not the app's default domain)");
    assertThat(stage.delete("/v1/apps/one/domains/www.shop.test").status()).isEqualTo(204);
    for (var path : List.of("/v1/apps/one", "/v1/apps/two", "/v1/routes/three.localhost")) {
      assertThat(stage.delete(path).status()).isEqualTo(204);
      assertThat(stage.delete(path).status()).isEqualTo(404);
    }
  }

  @Test
  void fieldsThatAreNotKnownOrMissingAreNamed() throws Exception {
    assertThat(stage.post("/v1/apps", "{\"name\":\"a\",\"color\":\"red\"}").detail())
        .isEqualTo("field: color (expected: one of [name])");
    assertThat(stage.post("/v1/apps", "{}").detail()).isEqualTo("name: none (expected: a value)");
    assertThat(stage.post("/v1/apps", "{\"name\":null}").detail())
        .isEqualTo("name: none (expected: a value)");
    assertThat(stage.put("/v1/routes/a.test", "{}").detail())
        .isEqualTo("to: none (expected: a value)");
    assertThat(stage.post("/v1/routes/import", "{\"routes\":[null]}").detail())
        .startsWith("route: null (expected: ");
    assertThat(stage.post("/v1/routes/import", "{\"routes\":[]}").detail())
        .isEqualTo("routes: 0 (expected: 1 to 1000)");
    assertThat(stage.get("/v1/apps").json().get("items").isEmpty()).isTrue();
  }

  @Test
  void configVarsAndFormationsThatCannotBeAreRefused() throws Exception {
    stage.post("/v1/apps", "{\"name\":\"vars\"}");
    long head = head();
    for (var change :
        List.of(
            "{\"set\":{\"A\":null}}",
            "{\"unset\":[null]}",
            "{\"set\":{\"1A\":\"x\"}}",
            "{\"set\":{\"PORT\":\"1\"}}",
            "{\"set\":{\"HOLDFAST_X\":\"1\"}}",
            "{\"set\":{\"A\":\"\\u0000\"}}",
            "{\"set\":[]}")) {
      var refused = stage.patch("/v1/apps/vars/config", change);
      assertThat(refused.status()).as(change + refused.body()).isEqualTo(400);
      assertThat(refused.detail()).contains("(expected: ").doesNotContain("dev.holdfast");
    }
    for (var formation :
        List.of(
            "{}",
            "{\"web\":-1}",
            "{\"web\":101}",
            "{\"web\":null}",
            "{\"web\":\"many\"}",
            "{\"web\":1.5}",
            "{\"job\":1}",
            "{\"release\":1}",
            "[]",
            "")) {
      var refused = stage.patch("/v1/apps/vars/formation", formation);
      assertThat(refused.status()).as(formation + refused.body()).isEqualTo(400);
      assertThat(refused.detail()).contains("(expected: ").doesNotContain("dev.holdfast");
    }
    var long1 = "{\"web\":1" + " ".repeat(Json.BODY_BYTES_MAX) + "}";
    assertThat(stage.patch("/v1/apps/vars/formation", long1).status()).isEqualTo(413);
    assertThat(head()).isEqualTo(head);
    stage.delete("/v1/apps/vars");
  }

  @Test
  void parametersThatAreNoNumbersAreNamed() throws Exception {
    stage.post("/v1/apps", "{\"name\":\"params\"}");
    assertThat(stage.get("/v1/apps?limit=0").detail()).isEqualTo("limit: 0 (expected: 1 to 1000)");
    assertThat(stage.get("/v1/apps?limit=x").detail()).isEqualTo("limit: x (expected: 1 to 1000)");
    assertThat(stage.get("/v1/apps?cursor=-1").detail()).startsWith("cursor: -1 (expected: ");
    assertThat(stage.get("/v1/ledger?after=-1").detail()).startsWith("after: -1 (expected: ");
    assertThat(stage.get("/v1/apps/params/logs?lines=10001").detail())
        .isEqualTo("lines: 10001 (expected: 0 to 10000)");
    assertThat(stage.get("/v1/apps/params/logs?source=me").detail())
        .isEqualTo("source: me (expected: app, router or platform)");
    assertThat(stage.get("/v1/apps/params/releases/latest").detail())
        .isEqualTo("version: latest (expected: a number such as 3 or v3)");
    stage.delete("/v1/apps/params");
  }

  @Test
  void whatDoesNotExistIsNamed() throws Exception {
    for (var path : List.of("", "/releases", "/releases/1", "/config", "/formation", "/logs")) {
      assertThat(stage.get("/v1/apps/nobody" + path).detail())
          .isEqualTo("app nobody: does not exist");
    }
    assertThat(stage.get("/v1/apps/nobody/processes").status()).isEqualTo(404);
    assertThat(stage.get("/v1/apps/nobody/domains").status()).isEqualTo(404);
    assertThat(stage.delete("/v1/apps/nobody").status()).isEqualTo(404);
    for (var path : List.of("/rollback", "/restart")) {
      assertThat(stage.post("/v1/apps/nobody" + path, "{}").status()).isEqualTo(404);
    }
    assertThat(stage.patch("/v1/apps/nobody/config", "{\"set\":{\"A\":\"b\"}}").status())
        .isEqualTo(404);
    assertThat(stage.patch("/v1/apps/nobody/formation", "{\"web\":1}").status()).isEqualTo(404);
    assertThat(stage.delete("/v1/tokens/nobody").detail())
        .isEqualTo("token nobody: none (expected: an id that `holdfast tokens` lists)");
    assertThat(stage.delete("/v1/routes/nobody.test").detail())
        .isEqualTo("route nobody.test: none (expected: a host that `holdfast routes` lists)");
  }

  @Test
  void anIdempotencyKeyIsShortAndPrintable() throws Exception {
    var refused =
        stage.send(
            stage
                .request("/v1/apps/keyed/releases")
                .header("Idempotency-Key", "k".repeat(201))
                .POST(BodyPublishers.ofByteArray(Pack.idle("x"))));
    assertThat(refused.status()).isEqualTo(400);
    assertThat(refused.detail()).startsWith("Idempotency-Key: kkk").contains("1 to 200 printable");
    assertThat(stage.get("/v1/apps/keyed").status()).isEqualTo(404);
  }

  @Test
  void aHostThatIsNotRoutedIsNotFoundAndNotEchoed() throws Exception {
    assertThat(stage.visit("nobody.test", "/<script>alert(1)</script>"))
        .startsWith("HTTP/1.1 404 ")
        .doesNotContain("<script>alert");
  }

  private static void assertConflict(Stage.Answer answer, String host, String holder) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(409);
    assertThat(answer.detail()).isEqualTo("host " + host + ": routed already, to " + holder);
  }

  private static long head() throws Exception {
    return stage.send(stage.bare("/v1/health")).json().get("position").asLong();
  }

  private static List<Path> files(Path directory) throws IOException {
    var found = new ArrayList<Path>();
    try (Stream<Path> all = Files.list(directory)) {
      all.forEach(found::add);
    }
    found.sort(null);
    return found;
  }
}
