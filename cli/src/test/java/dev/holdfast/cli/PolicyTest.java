package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PolicyTest {
  private static final String APP = "/v1/apps/hello/policy";

  @TempDir private Path folder;
  private FakePlatform platform;
  private Desk desk;

  @BeforeEach
  void start() throws IOException {
    platform = new FakePlatform(folder.resolve("home"));
    desk = new Desk(folder, folder.resolve("home"));
    desk.env.put("HOLDFAST_APP", "hello");
    platform.on("PATCH " + APP, "{\"maintenance\":true}");
  }

  @AfterEach
  void stop() {
    platform.close();
  }

  private String sent() {
    return platform.seen.getLast().body();
  }

  @Test
  void putsMaintenanceOnAndOffInHerokusWords() throws IOException {
    Files.writeString(folder.resolve("page.html"), "<p>Soon \"back\"</p>");
    assertThat(desk.run("maintenance:on", "--page", "page.html")).isZero();
    assertThat(desk.out).isEqualTo("Enabling maintenance mode for hello... done\n");
    assertThat(sent())
        .isEqualTo("{\"maintenance\":true,\"maintenancePage\":\"<p>Soon \\\"back\\\"</p>\"}");
    assertThat(desk.run("maintenance", "on")).isZero();
    assertThat(sent()).isEqualTo("{\"maintenance\":true}");
    assertThat(desk.run("maintenance", "off")).isZero();
    assertThat(desk.out).isEqualTo("Disabling maintenance mode for hello... done\n");
    assertThat(sent()).isEqualTo("{\"maintenance\":false}");
  }

  @Test
  void saysWhetherMaintenanceIsOn() {
    platform.on("GET " + APP, "{\"maintenance\":true,\"maintenancePage\":\"x\"}", "{}");
    assertThat(desk.run("maintenance")).isZero();
    assertThat(desk.out).isEqualTo("hello maintenance: on, with a page of its own\n");
    assertThat(desk.run("maintenance:info")).isZero();
    assertThat(desk.out).isEqualTo("hello maintenance: off\n");
  }

  @Test
  void showsWhoCausesTheLoad() {
    platform.on(
        "GET /v1/load",
        """
        {"summary":"80 % of cost is account shop, x9 of normal","stressed":false,
         "accounts":[{"name":"shop","state":"normal","percent":80,"since":"2026-11-21T22:49:18Z"}],
         "clients":[{"name":"198.51.100.7","percent":78,"errorPercent":0}],"apps":[],
         "routes":[{"name":"GET shop.test/search","percent":78,"errorPercent":0}],
         "agents":[{"name":"crawler/1.0","percent":78,"errorPercent":0}]}\
        """,
        "{\"summary\":null,\"accounts\":[]}");
    platform.on(
        "GET /v1/parts",
        "{\"items\":[{\"name\":\"conductor\",\"state\":\"running\"},"
            + "{\"name\":\"certs\",\"state\":\"running\"}]}",
        "{\"items\":[{\"name\":\"conductor\",\"state\":\"running\"},"
            + "{\"name\":\"certs\",\"state\":\"degraded\",\"failures\":6,"
            + "\"cause\":\"java.lang.StackOverflowError\"}]}");
    assertThat(desk.run("top")).isZero();
    assertThat(desk.out)
        .isEqualTo(
            """
            80 % of cost is account shop, x9 of normal

            === Accounts
            80 %  shop  normal

            === Clients
            78 %  198.51.100.7

            === Routes
            78 %  GET shop.test/search

            === User agents
            78 %  crawler/1.0

            All 2 background parts of the platform run.
            """);
    assertThat(desk.run("top")).isZero();
    assertThat(desk.out)
        .isEqualTo(
            """
            No load in the last ten seconds.

            === Parts of the platform that are not well
            certs  degraded  6 deaths in a row  java.lang.StackOverflowError
            """);
  }

  @Test
  void refusesPagesThatCannotBeServed() throws IOException {
    assertThat(desk.run("maintenance:on", "--page", "none.html")).isEqualTo(1);
    assertThat(desk.err).contains("page: none.html (expected: a file that exists)");
    Files.write(folder.resolve("large.html"), new byte[64 * 1024 + 1]);
    assertThat(desk.run("maintenance:on", "--page", "large.html")).isEqualTo(1);
    assertThat(desk.err).contains("65537 bytes (expected: at most 65536)");
    Files.write(folder.resolve("binary.html"), new byte[] {(byte) 0xff});
    assertThat(desk.run("maintenance:on", "--page", "binary.html")).isEqualTo(1);
    assertThat(desk.err).contains("no UTF-8 (expected: HTML in UTF-8)");
    assertThat(platform.asked("PATCH")).isEmpty();
  }

  @Test
  void sendsEachValueInItsType() throws IOException {
    Files.writeString(folder.resolve("e.html"), "e");
    assertThat(
            desk.run(
                "policy:set",
                "https=on",
                "stickySessions=true",
                "requestBytesMax=1048576",
                "compression=zstd,gzip",
                "account=42",
                "errorPage=e.html"))
        .isZero();
    assertThat(desk.out)
        .isEqualTo(
            "Setting https, stickySessions, requestBytesMax, compression, account, errorPage of"
                + " hello... done\n");
    assertThat(sent())
        .isEqualTo(
            "{\"https\":\"on\",\"stickySessions\":true,\"requestBytesMax\":1048576,"
                + "\"compression\":[\"zstd\",\"gzip\"],\"account\":\"42\",\"errorPage\":\"e\"}");
    assertThat(desk.run("policy", "set", "compression=none")).isZero();
    assertThat(sent()).isEqualTo("{\"compression\":[]}");
    assertThat(desk.run("policy", "set", "https")).isEqualTo(2);
    assertThat(desk.err).contains("policy: https (expected: KEY=VALUE, such as https=on)");
  }

  @Test
  void speaksOfOneHostWhenTold() {
    platform
        .on("PATCH /v1/hosts/www.example.org/policy", "{}")
        .on("GET /v1/hosts/www.example.org/policy", "{\"https\":\"on\",\"account\":null}", "{}");
    assertThat(desk.run("policy", "unset", "https", "account", "--host", "www.example.org"))
        .isZero();
    assertThat(desk.out).isEqualTo("Unsetting https, account of www.example.org... done\n");
    assertThat(sent()).isEqualTo("{\"https\":null,\"account\":null}");
    assertThat(desk.run("policy", "--host", "www.example.org")).isZero();
    assertThat(desk.out).isEqualTo("=== www.example.org Policy\nhttps:  on\n");
    assertThat(desk.run("policy", "show", "--host", "www.example.org")).isZero();
    assertThat(desk.out).isEqualTo("www.example.org has no policy of its own.\n");
  }
}
