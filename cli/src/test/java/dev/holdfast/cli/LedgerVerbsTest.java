package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerVerbsTest {
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
  void showsHowFollowersAreAndWhatToDecide() {
    platform.on(
        "GET /v1/ledger/status",
        """
        {"head":12,"followers":[
         {"name":"routing","standing":"frozen","cause":"the envelope at 9 cannot be read","position":8,
          "lag":4,"digest":"00ff","quarantine":{},"blocked":{"from":9,"through":9,"cause":"x"},
          "divergence":null,"trouble":null},
         {"name":"fleet","standing":"quarantining","cause":null,"position":12,"lag":0,"digest":"01",
          "quarantine":{"app/x":"position 7: no"},"blocked":null,"divergence":null,"trouble":null}],
         "alarms":[{"position":9,"through":9,"key":"route/a.test","kind":"route","writer":"gc",
          "bytes":3,"hex":"0a0b0c","cause":"x","followers":["routing"]}]}\
        """);
    assertThat(desk.run("ledger", "status")).isZero();
    assertThat(desk.out)
        .isEqualTo(
            """
            === Ledger at 12
            routing  frozen        at 8   4 behind  00ff
            fleet    quarantining  at 12  0 behind  01
            routing: the envelope at 9 cannot be read
              see: holdfast ledger show 9; decide: holdfast ledger skip 9 --reason ...
            fleet keeps the last good app/x: position 7: no
            ALARM at 9: route/a.test, written by gc, 3 bytes: 0a0b0c
            """);
  }

  @Test
  void showsAnEntryThatCannotBeRead() {
    platform.on(
        "GET /v1/ledger/entries/9",
        "{\"position\":9,\"entry\":null,\"unreadable\":\"crc32c:"
            + " 1\",\"bytes\":3,\"hex\":\"0a0b0c\"}");
    assertThat(desk.run("ledger", "show", "9")).isZero();
    assertThat(desk.out).isEqualTo("9 cannot be read: crc32c: 1\n3 bytes: 0a0b0c\n");
  }

  @Test
  void decidesWithAReason() {
    assertThat(desk.run("ledger", "skip", "9")).isEqualTo(2);
    platform.on("POST /v1/ledger/skip", "{\"position\":13,\"keys\":[]}");
    assertThat(desk.run("ledger", "skip", "9", "--through", "11", "--apply", "--reason", "meant"))
        .isZero();
    assertThat(desk.out).isEqualTo("Applying 9 to 11... decided at 13\n");
    assertThat(platform.seen.getLast().body())
        .isEqualTo("{\"from\":9,\"apply\":true,\"reason\":\"meant\",\"through\":11}");
    platform.on("POST /v1/ledger/repair", "{\"position\":14,\"keys\":[\"route/a.dev\"]}");
    assertThat(desk.run("ledger", "repair", "route/a.dev", "--reason", "good again")).isZero();
    assertThat(desk.out).isEqualTo("Repairing route/a.dev... 1 key written again\n");
    assertThat(platform.seen.getLast().body())
        .isEqualTo("{\"reason\":\"good again\",\"key\":\"route/a.dev\"}");
  }

  @Test
  void comparesFollowersWithTheStore() {
    platform.on(
        "GET /v1/ledger/diff",
        """
        {"position":12,"followers":[{"name":"routing","position":12,"digest":"0","agrees":false,
         "unshown":["route/a.dev"],"quarantined":[]}]}\
        """);
    assertThat(desk.run("ledger", "diff")).isZero();
    assertThat(desk.out)
        .isEqualTo(
            """
            === Followers against the store at 12
            routing at 12: DIFFERS
              not served as written: route/a.dev
            """);
  }
}
