package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RoutesImportTest {
  private static final String IMPORT = "POST /v1/routes/import";

  @TempDir Path folder;
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

  @Test
  void sendsAtMostAThousandAtOnce() {
    var lines = new StringBuilder("# all of them\n\n");
    for (int i = 0; i < 2500; i++) {
      lines.append("h").append(i).append(".example.org\t127.0.0.1:3000 # x\n");
    }
    FakePlatform.write(folder.resolve("routes"), lines.toString());
    platform.on(
        IMPORT,
        "{\"added\":1000,\"changed\":0,\"unchanged\":0}",
        "{\"added\":900,\"changed\":60,\"unchanged\":40}",
        "{\"added\":0,\"changed\":0,\"unchanged\":500}");
    assertThat(desk.run("routes", "import", "routes")).isZero();
    assertThat(desk.out)
        .isEqualTo("Importing 2500 routes... done, 1900 added, 60 changed, 540 unchanged\n");
    assertThat(platform.asked(IMPORT).stream().map(s -> s.body().split("\"host\"", -1).length - 1))
        .containsExactly(1000, 1000, 500);
    assertThat(platform.asked(IMPORT).getFirst().body())
        .startsWith("{\"routes\":[{\"host\":\"h0.example.org\",\"to\":\"http://127.0.0.1:3000\"}");
  }

  @Test
  void namesEveryBadLineAndSendsNothing() {
    FakePlatform.write(
        folder.resolve("routes"),
        """
        ok.example.org http://127.0.0.1:3000
        no_host 127.0.0.1:1
        x.example.org 127.0.0.1
        x.example.org https://127.0.0.1:3
        only-one
        OK.example.org. 127.0.0.1:3001
        """);
    assertThat(desk.run("routes:import", "routes")).isEqualTo(1);
    assertThat(desk.err)
        .isEqualTo(
            """
             !    routes:2: host: no_host (expected: a host name, such as www.example.org)
             !    routes:3: address: 127.0.0.1 (expected: http://ADDR:PORT, such as http://127.0.0.1:3000)
             !    routes:4: address: https://127.0.0.1:3 (expected: http://ADDR:PORT, such as http://127.0.0.1:3000)
             !    routes:5: line: only-one (expected: HOST ADDRESS, such as www.example.org 127.0.0.1:3000)
             !    routes:6: ok.example.org stands in line 1 already
             !    Nothing was imported.
            """);
    assertThat(platform.asked(IMPORT)).isEmpty();
  }

  @Test
  void readsStandardInput() {
    platform.on(IMPORT, "{\"added\":1,\"changed\":0,\"unchanged\":0}");
    desk.typed = "a.example.org 10.0.0.1:80\n";
    assertThat(desk.run("routes", "import", "-", "--json")).isZero();
    assertThat(desk.out).isEqualTo("{\"added\":1,\"changed\":0,\"unchanged\":0}\n");
  }

  @Test
  void saysHowFarItCame() {
    FakePlatform.write(folder.resolve("routes"), "a.example.org 10.0.0.1:80\n");
    platform.on(IMPORT, FakePlatform.Answer.problem(400, "no"));
    assertThat(desk.run("routes", "import", "routes")).isEqualTo(1);
    assertThat(desk.err).contains("0 of 1 route are in; importing the file again is safe.");
  }

  @Test
  void addsAndRemovesOne() {
    platform
        .on("PUT /v1/routes/www.example.org", "{}")
        .on("DELETE /v1/routes/www.example.org", FakePlatform.Answer.json(204, ""));
    assertThat(desk.run("routes", "add", "WWW.example.org", "--to", "127.0.0.1:3000")).isZero();
    assertThat(desk.out).isEqualTo("Routing www.example.org to http://127.0.0.1:3000... done\n");
    assertThat(desk.run("routes", "remove", "www.example.org")).isZero();
    assertThat(desk.run("routes", "add", "www.example.org")).isEqualTo(2);
  }
}
