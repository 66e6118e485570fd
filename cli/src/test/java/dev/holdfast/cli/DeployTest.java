package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cli.FakePlatform.Answer;
import dev.holdfast.cli.FakePlatform.Seen;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeployTest {
  private static final String POST = "POST /v1/apps/hello/releases";
  private static final String RELEASE = "GET /v1/apps/hello/releases/3";
  private static final String LOGS = "GET /v1/apps/hello/logs";

  @TempDir Path folder;
  private FakePlatform platform;
  private Desk desk;
  private Path app;

  @BeforeEach
  void start() throws IOException {
    platform = new FakePlatform(folder.resolve("home"));
    desk = new Desk(folder, folder.resolve("home"));
    app = folder.resolve("Hello");
    FakePlatform.write(app.resolve("Procfile"), "web: java Hello.java\n");
    FakePlatform.write(app.resolve("Hello.java"), "void main() {}\n");
    platform
        .on("GET /v1/apps/hello", "{\"name\":\"hello\",\"url\":\"http://hello.localhost:8080/\"}")
        .on(POST, Answer.json(202, release("pending", "null", "null")));
  }

  @AfterEach
  void stop() {
    platform.close();
  }

  private static String release(String status, String step, String failure) {
    return """
    {"app":"hello","version":3,"status":"%s","current":%s,"createdAt":"2026-11-21T22:44:00.000Z","step":%s,"failure":%s}\
    """
        .formatted(status, status.equals("succeeded"), step, failure);
  }

  @Test
  void tellsEachStepUpToTheAddress() {
    platform
        .on(
            RELEASE,
            release("releasing", "\"Running the release phase\"", "null"),
            release("starting", "\"Starting web.1\"", "null"),
            release("starting", "\"Starting web.1\"", "null"),
            release("succeeded", "null", "null"))
        .on(
            LOGS,
            """
            {"time":"2026-11-21T22:43:00.000Z","source":"app","process":"release.1","text":"old"}
            {"time":"2026-11-21T22:44:01.000Z","source":"app","process":"release.1","text":"migrated"}
            {"time":"2026-11-21T22:44:01.000Z","source":"app","process":"web.1","text":"up"}
            """);
    assertThat(desk.run("deploy", "Hello")).isZero();
    assertThat(desk.out)
        .matches(
            """
            Packing hello\\.\\.\\. done, 2 files, 36 B
            Uploading hello\\.\\.\\. \\d+ B done
            -----> Running the release phase
                   migrated
            -----> Starting web\\.1
            Released v3
            http://hello\\.localhost:8080/ deployed to Holdfast
            """);
    assertThat(desk.err).isEmpty();
    assertThat(platform.asked(POST).getFirst().body()).startsWith("\u001f\u008b");
  }

  @Test
  void staysOneDeployOverBrokenConnectionsAndRestarts() {
    platform
        .on(
            POST,
            Answer.broken(),
            Answer.problem(503, "the platform is starting"),
            Answer.json(202, release("pending", "null", "null")))
        .on(RELEASE, Answer.broken(), Answer.json(200, release("succeeded", "null", "null")));
    assertThat(desk.run("deploy", "Hello")).isZero();
    var posts = platform.asked(POST);
    assertThat(posts).hasSize(3);
    assertThat(posts.stream().map(Seen::key).distinct()).hasSize(1).doesNotContainNull();
    assertThat(posts.get(2).body()).isEqualTo(posts.get(0).body());
    assertThat(desk.err).contains("Trying again for 60 s.");
    assertThat(desk.out).contains("Released v3");
  }

  @Test
  void twoDeploysHaveTwoKeys() {
    platform.on(RELEASE, release("succeeded", "null", "null"));
    assertThat(desk.run("deploy", "Hello")).isZero();
    assertThat(desk.run("deploy", "Hello")).isZero();
    assertThat(platform.asked(POST).stream().map(Seen::key).distinct()).hasSize(2);
  }

  @Test
  void givesUpOnAPlatformThatStaysAway() {
    platform.on(POST, Answer.problem(503, "no room"));
    assertThat(desk.run("deploy", "Hello")).isEqualTo(1);
    assertThat(desk.err).endsWith(" !    no room\n");
    assertThat(desk.rested).isBetween(Api.ABSENCE_MAX, Api.ABSENCE_MAX.plusSeconds(1));
  }

  @Test
  void doesNotWaitWhenToldToComeBackLaterThanItWould() {
    platform.on(
        POST,
        new Answer(429, "application/problem+json", "{\"detail\":\"too many deploys\"}", "300"));
    assertThat(desk.run("deploy", "Hello")).isEqualTo(1);
    assertThat(desk.rested).isZero();
    assertThat(platform.asked(POST)).hasSize(1);
  }

  @Test
  void showsTheLastLinesOfAReleaseThatFailed() {
    platform
        .on(RELEASE, release("failed", "null", "\"web.1 crashed: exit status 1\""))
        .on(
            LOGS,
            "{\"time\":\"2026-11-21T22:44:01.000Z\",\"source\":\"app\",\"process\":\"web.1\",\"text\":\"boom\"}\n");
    assertThat(desk.run("deploy", "Hello")).isEqualTo(1);
    assertThat(desk.out).contains("app[web.1]: boom\n").doesNotContain("Released");
    assertThat(desk.err).isEqualTo(" !    v3 failed: web.1 crashed: exit status 1\n");
  }

  @Test
  void printsOnlyTheReleaseWithJson() {
    var done = release("succeeded", "null", "null");
    platform.on(RELEASE, done);
    assertThat(desk.run("deploy", "Hello", "--json", "--app", "hello")).isZero();
    assertThat(desk.out).isEqualTo(done + "\n");
  }

  @Test
  void refusesBeforeUploadingWhatIsNoApp() throws IOException {
    assertThat(desk.run("deploy", "nothing")).isEqualTo(1);
    assertThat(desk.err).contains("There is no folder");
    Files.delete(app.resolve("Procfile"));
    assertThat(desk.run("deploy", "Hello")).isEqualTo(1);
    assertThat(desk.err).contains("has no Procfile.").contains("web: java Hello.java");
    FakePlatform.write(app.resolve("Procfile"), "# nothing\n");
    assertThat(desk.run("deploy", "Hello")).isEqualTo(1);
    assertThat(desk.err).contains("names no process");
    FakePlatform.write(app.resolve("Procfile"), "web: x\n");
    assertThat(desk.run("deploy", "Hello", "--app", "No_Name")).isEqualTo(2);
    Files.createSymbolicLink(app.resolve("secret"), Path.of("../../etc/passwd"));
    assertThat(desk.run("deploy", "Hello")).isEqualTo(1);
    assertThat(desk.err).contains("The link secret leads out of the folder, to ../../etc/passwd");
    assertThat(platform.asked("POST")).isEmpty();
  }
}
