package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cli.FakePlatform.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerbsTest {
  private static final String RELEASES = "/v1/apps/hello/releases";
  private static final String V5 =
      """
      {"app":"hello","version":5,"status":"succeeded","current":true,"description":"Set FOO",
       "createdAt":"2026-11-21T22:39:18.000Z","actor":"admin","step":null,"failure":null}\
      """;

  @TempDir Path folder;
  private FakePlatform platform;
  private Desk desk;

  @BeforeEach
  void start() throws IOException {
    platform = new FakePlatform(folder.resolve("home"));
    desk = new Desk(folder, folder.resolve("home"));
    desk.env.put("HOLDFAST_APP", "hello");
  }

  @AfterEach
  void stop() {
    platform.close();
  }

  @Test
  void listsAppsOverAllPages() {
    platform
        .on(
            "GET /v1/apps?limit=1000",
            "{\"items\":[{\"name\":\"hello\",\"release\":3,\"url\":\"http://hello.localhost:8080/\"}],\"next\":\"a"
                + " b\"}")
        .on(
            "GET /v1/apps?limit=1000&cursor=a%20b",
            "{\"items\":[{\"name\":\"x\",\"release\":null,\"url\":\"http://x.localhost:8080/\"}],\"next\":null}");
    assertThat(desk.run("apps")).isZero();
    assertThat(desk.out)
        .isEqualTo(
            """
            === Apps
            hello  v3  http://hello.localhost:8080/
            x      -   http://x.localhost:8080/
            """);
    assertThat(desk.run("apps", "--json")).isZero();
    assertThat(desk.out)
        .isEqualTo(
            "[{\"name\":\"hello\",\"release\":3,\"url\":\"http://hello.localhost:8080/\"},"
                + "{\"name\":\"x\",\"release\":null,\"url\":\"http://x.localhost:8080/\"}]\n");
  }

  @Test
  void createsAnAppInHerokusWords() {
    platform.on("POST /v1/apps", Answer.json(201, "{\"name\":\"x\",\"url\":\"http://x/\"}"));
    assertThat(desk.run("apps:create", "x")).isZero();
    assertThat(desk.out).isEqualTo("Creating x... done, http://x/\n");
    assertThat(platform.seen.getLast().body()).isEqualTo("{\"name\":\"x\"}");
    desk.terminal = true;
    desk.env.put("NO_COLOR", "1");
    assertThat(desk.run("apps", "create", "x")).isZero();
    assertThat(desk.out).isEqualTo("Creating x... done, http://x/\n");
    desk.env.remove("NO_COLOR");
    assertThat(desk.run("apps", "create", "x")).isZero();
    assertThat(desk.out).startsWith("Creating \u001B[35m⬢ x\u001B[0m... done");
  }

  @Test
  void destroysOnlyWhatWasConfirmed() {
    platform.on("DELETE /v1/apps/hello", Answer.json(204, ""));
    assertThat(desk.run("apps", "destroy", "hello")).isEqualTo(2);
    assertThat(desk.err).contains("--confirm hello");
    assertThat(desk.run("apps", "destroy", "hello", "--confirm", "hallo")).isEqualTo(1);
    assertThat(platform.seen).isEmpty();
    assertThat(desk.run("apps", "destroy", "hello", "--confirm", "hello")).isZero();
    assertThat(desk.out).isEqualTo("Destroying hello... done\n");
    desk.terminal = true;
    desk.typed = "hello\n";
    assertThat(desk.run("apps", "destroy", "hello")).isZero();
    assertThat(platform.asked("DELETE")).hasSize(2);
  }

  @Test
  void showsProcessesWithTheirCrashes() {
    platform.on(
        "GET /v1/apps/hello/processes",
        """
        {"items":[
         {"name":"web.1","type":"web","state":"up","since":"2026-11-21T22:39:18.000Z","command":"java Hello.java","nextStartAt":null,"lastExit":null},
         {"name":"web.2","type":"web","state":"crashed","since":"2026-11-21T22:44:15.000Z","command":"java Hello.java","nextStartAt":"2026-11-21T22:44:48.000Z","lastExit":"exit status 1"}],
         "next":null}\
        """);
    assertThat(desk.run("ps", "-a", "hello")).isZero();
    assertThat(desk.out)
        .isEqualTo(
            """
            === web (2): java Hello.java
            web.1: up 2026/11/21 22:39:18 +0000 (~ 5m ago)
            web.2: crashed 2026/11/21 22:44:15 +0000 (~ 3s ago), exit status 1, next start in 30s
            """);
  }

  @Test
  void scalesAndSaysWhatRuns() {
    platform.on("PATCH /v1/apps/hello/formation", "{\"web\":2,\"worker\":1}");
    assertThat(desk.run("scale", "web=2", "worker=1")).isZero();
    assertThat(desk.out).isEqualTo("Scaling... done, now running web at 2, worker at 1\n");
    assertThat(platform.seen.getLast().body()).isEqualTo("{\"web\":2,\"worker\":1}");
    assertThat(desk.run("ps:scale", "web=two")).isEqualTo(2);
    assertThat(desk.err).contains("scale: web=two (expected: TYPE=N, such as web=2)");
  }

  @Test
  void listsReleasesWithTheCurrentOne() {
    platform.on("GET " + RELEASES + "?limit=15", "{\"items\":[" + V5 + "],\"next\":null}");
    assertThat(desk.run("releases")).isZero();
    assertThat(desk.out)
        .isEqualTo(
            """
            === hello Releases - Current: v5
            v5  Set FOO    admin  2026/11/21 22:39:18 +0000 (~ 5m ago)
            """);
  }

  @Test
  void setsConfigUnderOneKeyWhateverBreaks() {
    platform
        .on(
            "PATCH /v1/apps/hello/config",
            Answer.broken(),
            Answer.problem(503, "starting"),
            Answer.json(202, "{\"vars\":{\"FOO\":\"1\"},\"release\":" + V5 + "}"))
        .on("GET " + RELEASES + "/5", V5.replace("succeeded", "starting"), V5);
    assertThat(desk.run("config", "set", "FOO=a=b", "-a", "hello")).isZero();
    assertThat(desk.out).isEqualTo("Setting FOO and restarting hello... done, v5\n");
    var patches = platform.asked("PATCH");
    assertThat(patches).hasSize(3);
    assertThat(patches.stream().map(FakePlatform.Seen::key).distinct())
        .hasSize(1)
        .doesNotContainNull();
    assertThat(patches.getFirst().body()).isEqualTo("{\"set\":{\"FOO\":\"a=b\"},\"unset\":[]}");
  }

  @Test
  void saysWhenAConfigChangeCouldNotBeReleased() {
    var failed =
        V5.replace("succeeded", "failed")
            .replace("\"failure\":null", "\"failure\":\"web.1 crashed\"");
    platform
        .on("PATCH /v1/apps/hello/config", Answer.json(202, "{\"vars\":{},\"release\":" + V5 + "}"))
        .on("GET " + RELEASES + "/5", failed);
    assertThat(desk.run("config", "unset", "FOO")).isEqualTo(1);
    assertThat(desk.out).isEqualTo("Unsetting FOO and restarting hello... !\n");
    assertThat(desk.err).isEqualTo(" !    v5 failed: web.1 crashed\n");
  }

  @Test
  void showsConfigAndOneValue() {
    platform.on(
        "GET /v1/apps/hello/config", "{\"vars\":{\"A\":\"1\",\"LONG_NAME\":\"x\\u001b[2Jy\"}}");
    assertThat(desk.run("config")).isZero();
    assertThat(desk.out)
        .isEqualTo("=== hello Config Vars\nA:          1\nLONG_NAME:  x\uFFFD[2Jy\n");
    assertThat(desk.run("config", "get", "A")).isZero();
    assertThat(desk.out).isEqualTo("1\n");
    assertThat(desk.run("config:get", "B")).isEqualTo(1);
    assertThat(desk.err).isEqualTo(" !    B is not set on hello.\n");
  }

  @Test
  void rollsBackToTheVersionNamed() {
    platform
        .on("POST /v1/apps/hello/rollback", Answer.json(202, V5))
        .on("GET " + RELEASES + "/5", V5);
    assertThat(desk.run("rollback", "v2")).isZero();
    assertThat(desk.out).isEqualTo("Rolling back hello to v2... done, v5\n");
    assertThat(platform.asked("POST").getLast().body()).isEqualTo("{\"version\":2}");
    assertThat(platform.asked("POST").getLast().key()).isNotNull();
    assertThat(desk.run("rollback")).isZero();
    assertThat(platform.asked("POST").getLast().body()).isEqualTo("{\"version\":null}");
  }

  @Test
  void restartIsDoneWhenTheProcessesWereReplaced() {
    var process =
        "{\"items\":[{\"name\":\"web.1\",\"state\":\"%s\",\"pid\":%s,\"drone\":\"d1\"}],\"next\":null}";
    platform
        .on(
            "GET /v1/apps/hello/processes",
            process.formatted("up", "10"),
            process.formatted("up", "10"),
            process.formatted("starting", "11"),
            process.formatted("up", "11"))
        .on("POST /v1/apps/hello/restart", Answer.json(202, "{}"));
    assertThat(desk.run("restart")).isZero();
    assertThat(desk.out).isEqualTo("Restarting processes of hello... done\n");
    assertThat(platform.asked("GET /v1/apps/hello/processes")).hasSize(4);
  }

  @Test
  void printsLogLinesThatCannotHurtATerminal() {
    platform.on(
        "GET /v1/apps/hello/logs?lines=2&process=web.1",
        new Answer(
            200,
            "application/x-ndjson",
            """
            {"time":"2026-11-21T22:39:18.123Z","source":"app","process":"web.1","text":"\\u001b[31mred\\u001b]0;title\\u0007"}

            {"time":"2026-11-21T22:39:19.000Z","source":"holdfast","process":"router","text":"at=info method=GET"}
            """,
            null));
    assertThat(desk.run("logs", "-n", "2", "-p", "web.1")).isZero();
    assertThat(desk.out)
        .isEqualTo(
            """
            2026-11-21T22:39:18.123000+00:00 app[web.1]: red\uFFFD]0;title\uFFFD
            2026-11-21T22:39:19.000000+00:00 holdfast[router]: at=info method=GET
            """);
  }

  @Test
  void followsLogsOverABreakWithoutRepeating() {
    var a =
        "{\"time\":\"2026-11-21T22:39:18.001Z\",\"source\":\"app\",\"process\":\"web.1\",\"text\":\"a\"}\n";
    var o = a.replace(".001Z", ".000Z").replace("\"a\"", "\"o\"");
    var b = a.replace("\"a\"", "\"b\"");
    var c = b.replace(".001Z", ".002Z").replace("\"b\"", "\"c\"");
    var gone = Answer.problem(404, "app: hello (expected: an app)");
    platform
        .on("GET /v1/apps/hello/logs?lines=100&follow=true", o + a + b)
        .on(
            "GET /v1/apps/hello/logs?lines=1000&follow=true",
            Answer.broken(),
            Answer.json(200, o + a + b + c),
            gone);
    assertThat(desk.run("logs", "-f")).isEqualTo(1);
    assertThat(desk.out.lines().map(l -> l.substring(l.length() - 1)))
        .containsExactly("o", "a", "b", "c");
    assertThat(desk.err)
        .contains("Connecting again...")
        .endsWith(" !    app: hello (expected: an app)\n");
  }

  @Test
  void showsTheLedgersEndAndFollowsWithoutGaps() {
    var entry =
        "{\"position\":%d,\"key\":\"%s\",\"revision\":1,\"time\":\"2026-11-21T22:39:18.000Z\",\"actor\":\"admin\",\"deleted\":false,\"payload\":{\"a\":1}}";
    platform
        .on("GET /v1/ledger?after=0&limit=1", "{\"items\":[],\"head\":7}")
        .on(
            "GET /v1/ledger?after=5&limit=1000",
            "{\"items\":["
                + entry.formatted(6, "route/x")
                + ","
                + entry.formatted(7, "app/y")
                + "],\"head\":7}")
        .on("GET /v1/ledger?after=7&limit=1000&follow=true", entry.formatted(8, "route/z") + "\n\n")
        .on("GET /v1/ledger?after=8&limit=1000&follow=true", Answer.problem(403, "enough"));
    assertThat(desk.run("ledger", "-n", "2", "--follow")).isEqualTo(1);
    assertThat(desk.out)
        .isEqualTo(
            """
            6 2026-11-21T22:39:18.000Z route/x r1 admin: {"a":1}
            7 2026-11-21T22:39:18.000Z app/y r1 admin: {"a":1}
            8 2026-11-21T22:39:18.000Z route/z r1 admin: {"a":1}
            """);
  }

  @Test
  void opensABrowserOnlyWhereThereIsADisplay() {
    platform.on(
        "GET /v1/apps/hello", "{\"name\":\"hello\",\"url\":\"http://hello.localhost:8080/\"}");
    assertThat(desk.run("open", "hello")).isZero();
    assertThat(desk.out).isEqualTo("http://hello.localhost:8080/\n");
    desk.env.put("DISPLAY", ":0");
    assertThat(desk.run("open", "hello")).isZero();
    assertThat(desk.started).containsExactly(List.of("xdg-open", "http://hello.localhost:8080/"));
  }

  @Test
  void backupAppearsWholeOrNotAtAll() throws IOException {
    var tar = "x".repeat(512) + "\0".repeat(1024);
    platform.on("POST /v1/backup", new Answer(200, "application/x-tar", "x".repeat(512), null));
    assertThat(desk.run("backup", "b.tar")).isEqualTo(1);
    assertThat(folder.resolve("b.tar")).doesNotExist();
    assertThat(folder.resolve("b.tar.part")).doesNotExist();
    platform.on("POST /v1/backup", new Answer(200, "application/x-tar", tar, null));
    assertThat(desk.run("backup", "b.tar")).isZero();
    assertThat(desk.out).isEqualTo("Backing up to b.tar... done, 1.5 kB\n");
    assertThat(Files.readString(folder.resolve("b.tar"))).isEqualTo(tar);
    assertThat(desk.run("backup", "b.tar")).isEqualTo(1);
    assertThat(desk.err).isEqualTo(" !    b.tar exists. To replace it, add: --force\n");
    assertThat(desk.run("backup", "b.tar", "--force")).isZero();
  }

  @Test
  void domainsAndTokensAreAddedAndTakenAway() {
    platform
        .on("POST /v1/apps/hello/domains", Answer.json(201, "{\"host\":\"www.example.org\"}"))
        .on("DELETE /v1/apps/hello/domains/www.example.org", Answer.json(204, ""))
        .on("POST /v1/tokens", Answer.json(201, "{\"id\":\"t1\",\"token\":\"hf_new\"}"))
        .on("DELETE /v1/tokens/t1", Answer.json(204, ""));
    assertThat(desk.run("domains:add", "www.example.org")).isZero();
    assertThat(desk.run("domains", "remove", "www.example.org")).isZero();
    assertThat(desk.out).isEqualTo("Removing www.example.org from hello... done\n");
    assertThat(desk.run("tokens", "create", "ci")).isZero();
    assertThat(desk.out).endsWith("hf_new\n");
    assertThat(desk.run("tokens", "revoke", "t1")).isZero();
  }

  @Test
  void refusalsEndWithThePlatformsSentence() {
    platform.on(
        "GET /v1/apps/hello", Answer.problem(404, "app: hello\\u001b[2J (expected: an app)"));
    assertThat(desk.run("apps", "info", "hello")).isEqualTo(1);
    assertThat(desk.out).isEmpty();
    assertThat(desk.err).isEqualTo(" !    app: hello\uFFFD[2J (expected: an app)\n");
  }

  @Test
  void neverShowsTheToken() throws IOException {
    Files.writeString(folder.resolve("home/token"), "hf_wrong");
    assertThat(desk.run("apps")).isEqualTo(1);
    assertThat(desk.err).contains("was not accepted: no such token").doesNotContain("hf_wrong");
    Files.writeString(folder.resolve("home/token"), "hf_wrong word");
    assertThat(desk.run("apps")).isEqualTo(1);
    assertThat(desk.err).doesNotContain("hf_wrong");
  }

  @Test
  void asksAServerNamedOnTheLine() {
    platform.on("GET /v1/apps?limit=1000", "{\"items\":[],\"next\":null}");
    desk.env.put("HOLDFAST_HOME", "/nowhere");
    assertThat(desk.run("apps", "--server", platform.url())).isEqualTo(2);
    assertThat(desk.err).contains("HOLDFAST_TOKEN");
    desk.env.put("HOLDFAST_TOKEN", FakePlatform.TOKEN);
    assertThat(desk.run("--server", platform.url(), "apps")).isZero();
    assertThat(desk.run("apps", "--server", "ftp://x")).isEqualTo(2);
  }

  @Test
  void saysWhatToTypeWhenNoPlatformRuns() {
    desk.env.put("HOLDFAST_HOME", folder.resolve("none").toString());
    assertThat(desk.run("apps")).isEqualTo(1);
    assertThat(desk.err)
        .isEqualTo(
            " !    No platform is running in "
                + folder.resolve("none")
                + ". Start it with: ./holdfast up\n");
    desk.env.put("HOLDFAST_HOME", folder.resolve("home").toString());
    platform.close();
    assertThat(desk.run("apps")).isEqualTo(1);
    assertThat(desk.err).contains("No platform answers at").contains("./holdfast up");
  }

  @Test
  void refusesWhatItDoesNotUnderstand() {
    assertThat(desk.run("depoly")).isEqualTo(2);
    assertThat(desk.err)
        .startsWith(" !    depoly is not a verb of holdfast. Did you mean: deploy\n");
    assertThat(desk.run("nothing-like-it")).isEqualTo(2);
    assertThat(desk.err).startsWith(" !    nothing-like-it is not a verb of holdfast.\n");
    assertThat(desk.run("apps", "--bogus")).isEqualTo(2);
    assertThat(desk.run("apps", "info", "..")).isEqualTo(2);
    assertThat(desk.run("up")).isEqualTo(2);
    desk.env.remove("HOLDFAST_APP");
    assertThat(desk.run("ps")).isEqualTo(2);
    assertThat(desk.err).contains("No app given");
  }

  @Test
  void helpListsEveryVerb() {
    assertThat(desk.run("help")).isZero();
    assertThat(desk.out).contains("up  ", "restore  ", "deploy  ", "routes  ", "backup  ");
    assertThat(desk.run("help", "deploy")).isZero();
    assertThat(desk.out).startsWith("Usage: holdfast deploy");
    assertThat(desk.run()).isZero();
  }

  @Test
  void listsCertificatesWithWhatWentWrongAndWhatComesNext() {
    platform.on(
        "GET /v1/certs?limit=1000",
        """
        {"items":[
         {"host":"a.dev","source":"acme","state":"issued","notAfter":"2027-02-01T00:00:00Z",
          "renewAt":"2027-01-01T00:00:00Z","nextTryAt":null,"error":null},
         {"host":"b.dev","source":"none","state":"failed","notAfter":null,"renewAt":null,
          "nextTryAt":"2026-11-21T22:49:18Z","error":"http-01: connection refused"}],
         "next":null}\
        """);
    assertThat(desk.run("certs", "list")).isZero();
    assertThat(desk.out)
        .isEqualTo(
            """
            === Certificates
            a.dev  issued  acme  until 2027-02-01, renewed 2027-01-01
            b.dev  failed  none  -

            b.dev: http-01: connection refused
              next try 2026/11/21 22:49:18 +0000 (in ~ 5m)
            """);
  }

  @Test
  void ordersRenewsBringsAndRemovesCertificates() throws IOException {
    platform.on("POST /v1/certs", "{\"host\":\"a.dev\",\"state\":\"wanted\"}");
    assertThat(desk.run("certs", "add", "a.dev")).isZero();
    assertThat(desk.out)
        .isEqualTo("Ordering a certificate for a.dev... wanted, see: holdfast certs\n");
    assertThat(desk.run("certs:renew", "a.dev")).isZero();
    Files.writeString(folder.resolve("chain.pem"), "the chain");
    Files.writeString(folder.resolve("key.pem"), "the key");
    assertThat(desk.run("certs", "add", "a.dev", "--chain", "chain.pem", "--key", "key.pem"))
        .isZero();
    assertThat(platform.asked("POST /v1/certs"))
        .extracting(FakePlatform.Seen::body)
        .containsExactly(
            "{\"host\":\"a.dev\"}",
            "{\"host\":\"a.dev\",\"renew\":true}",
            "{\"host\":\"a.dev\",\"chain\":\"the chain\",\"key\":\"the key\"}");
    assertThat(desk.run("certs", "add", "a.dev", "--chain", "chain.pem")).isEqualTo(2);
    assertThat(desk.run("certs", "add", "a.dev", "--chain", "x.pem", "--key", "key.pem")).isOne();
    assertThat(desk.err).contains("There is no file x.pem.");
    platform.on("DELETE /v1/certs/a.dev", "");
    assertThat(desk.run("certs", "remove", "a.dev")).isZero();
    assertThat(platform.asked("DELETE /v1/certs/a.dev")).hasSize(1);
  }
}
