package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.certs.CertsConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServerConfigTest {
  @TempDir private Path home;

  @Test
  void statesAllDefaults() throws IOException {
    assertThat(load("", Map.of(), Map.of()).values())
        .containsExactlyInAnyOrderEntriesOf(
            Map.ofEntries(
                Map.entry("roles", "all"),
                Map.entry("control", "none"),
                Map.entry("control.token", "none"),
                Map.entry("edge.keys", "none"),
                Map.entry("http", "0.0.0.0:8080"),
                Map.entry("https", "auto"),
                Map.entry("edge.event-loops", "auto"),
                Map.entry("edge.transport", "auto"),
                Map.entry("edge.admission", "observe"),
                Map.entry("edge.retry-budget", "on"),
                Map.entry("edge.connections-max", "8000"),
                Map.entry("edge.drain-rate", "250"),
                Map.entry("edge.drain-max", "60s"),
                Map.entry("edge.pause-max", "1000"),
                Map.entry("edge.pause-wait", "30s"),
                Map.entry("edge.pause-rate", "200"),
                Map.entry("ledger.compact", "auto"),
                Map.entry("ledger.compact-entries", "100000"),
                Map.entry("ledger.compact-dead", "50"),
                Map.entry("ledger.compact-keep", "10000"),
                Map.entry("rods.ttl", "1h"),
                Map.entry("rods.ttl-max", "24h"),
                Map.entry("rods.rules", "on"),
                Map.entry("rods.disk-free-min", "134217728"),
                Map.entry("edge.access-log", "none"),
                Map.entry("edge.access-log-format", "logfmt"),
                Map.entry("edge.access-log-sample", "1"),
                Map.entry("edge.traces", "follow"),
                Map.entry("edge.proxies", "none"),
                Map.entry("edge.proxy-protocol", "on"),
                Map.entry("api", "127.0.0.1:7070"),
                Map.entry("api.calls-max", "64"),
                Map.entry("api.streams-max", "64"),
                Map.entry("api.followers-max", "256"),
                Map.entry("drill.without", "none"),
                Map.entry("drones.count", "100"),
                Map.entry("drones.directory", "auto"),
                Map.entry("drones.uid-first", "auto"),
                Map.entry("drones.port-first", "20000"),
                Map.entry("drones.port-last", "29999"),
                Map.entry("drones.port-rest", "30s"),
                Map.entry("drones.boot-timeout", "90s"),
                Map.entry("drones.drain-timeout", "30s"),
                Map.entry("drones.stop-timeout", "30s"),
                Map.entry("uploads.bytes-max", "536870912"),
                Map.entry("store.bytes-max", "68719476736"),
                Map.entry("store", "sqlite"),
                Map.entry("store.password-file", "none"),
                Map.entry("certs.automatic", "off"),
                Map.entry("certs.directory", "https://acme-v02.api.letsencrypt.org/directory"),
                Map.entry("certs.staging", "auto"),
                Map.entry("certs.contact", "none"),
                Map.entry("certs.roots", "system"),
                Map.entry("certs.challenges", "http-01,tls-alpn-01"),
                Map.entry("certs.self-signed", "local")));
  }

  @Test
  void certificatesComeFromLetsEncryptUnlessToldOtherwise() throws IOException {
    assertThat(load("", Map.of(), Map.of()).certs()).isEqualTo(CertsConfig.defaults());
    var told =
        load(
                """
                certs.automatic = on
                certs.directory = https://ca.internal/directory
                certs.contact = ops@example.org
                certs.roots = /etc/ca.pem
                certs.challenges = tls-alpn-01, http-01
                certs.self-signed = off
                """,
                Map.of(),
                Map.of())
            .certs();
    assertThat(told.automatic()).isTrue();
    assertThat(told.staging()).isNull(); // Let's Encrypt's is for Let's Encrypt
    assertThat(told.roots()).isEqualTo(Path.of("/etc/ca.pem"));
    assertThat(told.proofs())
        .containsExactly(CertsConfig.Proof.TLS_ALPN_01, CertsConfig.Proof.HTTP_01);
    assertThat(told.selfSigned()).isEqualTo(CertsConfig.SelfSigned.OFF);
    for (var wrong :
        List.of(
            "certs.automatic = yes",
            "certs.directory = http://ca.internal/directory",
            "certs.contact = me",
            "certs.challenges = dns-01",
            "certs.self-signed = true")) {
      assertThatThrownBy(() -> load(wrong, Map.of(), Map.of()))
          .as(wrong)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("(expected: ");
    }
  }

  @Test
  void theReferencePageNamesEveryKey() throws IOException {
    var page =
        Path.of(System.getProperty("tidy.root", ".."), "docs", "operating", "configuration.md");
    if (Boolean.getBoolean("tidy.fix")) {
      Files.createDirectories(page.getParent());
      Files.writeString(page, ServerConfig.page());
    }
    assertThat(page).hasContent(ServerConfig.page());
    assertThat(ServerConfig.page())
        .contains("| `drones.boot-timeout` | `90s` | `HOLDFAST_DRONES_BOOT_TIMEOUT` |");
    assertThat(ServerConfig.KEYS.stream().map(ServerConfig.Key::name).collect(Collectors.toSet()))
        .isEqualTo(load("", Map.of(), Map.of()).values().keySet());
  }

  @Test
  void theFileOverridesTheDefaultsTheEnvironmentTheFileAndTheCommandLineAll() throws IOException {
    var file =
        """
        # what this machine can bear
        drones.count = 7

          api=127.0.0.1:7171
        http = 127.0.0.1:8181
        drones.boot-timeout = 2m
        """;
    var environment =
        Map.of("HOLDFAST_API", "[::1]:7272", "HOLDFAST_HTTP", "127.0.0.1:8282", "HOME", "/nobody");
    var config = load(file, environment, Map.of("http", "127.0.0.1:8383"));
    assertThat(config.integer(ServerConfig.API_CALLS)).isEqualTo(64);
    assertThat(config.integer(ServerConfig.DRONES)).isEqualTo(7);
    assertThat(config.duration(ServerConfig.BOOT_TIMEOUT)).isEqualTo(Duration.ofMinutes(2));
    assertThat(config.listen(ServerConfig.API)).isEqualTo(new Listen("::1", 7272));
    assertThat(config.listen(ServerConfig.HTTP)).isEqualTo(new Listen("127.0.0.1", 8383));
  }

  @Test
  void durationsAreInSecondsMinutesOrHours() throws IOException {
    assertThat(load("drones.port-rest = 0s", Map.of(), Map.of()).duration(ServerConfig.PORT_REST))
        .isZero();
    assertThat(load("drones.port-rest = 3h", Map.of(), Map.of()).duration(ServerConfig.PORT_REST))
        .isEqualTo(Duration.ofHours(3));
  }

  @Test
  void theRunsDirectoryIsAutomaticUntilOneIsNamed() throws IOException {
    assertThat(load("", Map.of(), Map.of()).runsDirectory()).isNull();
    assertThat(load("drones.directory = /somewhere", Map.of(), Map.of()).runsDirectory())
        .isEqualTo(Path.of("/somewhere"));
  }

  @Test
  void anUnknownKeyIsRefusedWhereverItStands() {
    assertThatThrownBy(() -> load("http = 127.0.0.1:1\ndrones = 3", Map.of(), Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(home.resolve("holdfast.conf") + " line 2: key: drones (expected: ")
        .hasMessageContaining("drones.count");
    assertThatThrownBy(() -> load("# nothing", Map.of(), Map.of("color", "red")))
        .hasMessageStartingWith("command line: key: color (expected: one of [roles, control,");
  }

  @Test
  void aKeyStandsInTheFileOnce() {
    assertThatThrownBy(() -> load("drones.count = 3\n\ndrones.count = 3", Map.of(), Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            home.resolve("holdfast.conf") + " line 3: drones.count (expected: each key once)");
  }

  @ParameterizedTest
  @ValueSource(strings = {"drones.count", "= 3", "[drones]", "drones.count: 3"})
  void aLineThatIsNoSettingIsRefused(String line) {
    assertThatThrownBy(() -> load(line, Map.of(), Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            home.resolve("holdfast.conf") + " line 1: " + line + " (expected: key = value)");
  }

  @ParameterizedTest
  @CsvSource({
    "http, 8080, 'ADDR:PORT, such as 127.0.0.1:8080'",
    "http, '', 'ADDR:PORT, such as 127.0.0.1:8080'",
    "api, 127.0.0.1:65536, 'ADDR:PORT, such as 127.0.0.1:8080'",
    "api, ::1:7070, 'ADDR:PORT, such as 127.0.0.1:8080'",
    "drones.count, many, a whole number from 1",
    "drones.count, 0, a whole number from 1",
    "drones.count, 2147483648, a whole number from 1",
    "drones.count, 1.5, a whole number from 1",
    "drones.uid-first, root, a whole number from 1",
    "drones.port-rest, 30, 'a duration such as 30s, 5m or 1h'",
    "drones.port-rest, s, 'a duration such as 30s, 5m or 1h'",
    "drones.port-rest, -1s, 'a duration such as 30s, 5m or 1h'",
    "drones.port-rest, 2d, 'a duration such as 30s, 5m or 1h'",
    "drones.port-rest, 9223372036854775807h, 'a duration such as 30s, 5m or 1h'",
    "uploads.bytes-max, 1G, a number of bytes from 1",
    "store.bytes-max, -5, a number of bytes from 1",
  })
  void aValueThatCannotBeIsRefusedWithWhatWasExpected(String key, String value, String expected) {
    assertThatThrownBy(() -> load("", Map.of(), Map.of(key, value)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(key + ": " + value + " (expected: " + expected + ")");
  }

  @Test
  void aValueOfTheEnvironmentIsCheckedToo() {
    assertThatThrownBy(() -> load("", Map.of("HOLDFAST_DRONES_COUNT", "x"), Map.of()))
        .hasMessage("drones.count: x (expected: a whole number from 1)");
  }

  @Test
  void aFileThatIsTooLongOrNoTextIsRefused() throws IOException {
    assertThatThrownBy(() -> load("#".repeat(ServerConfig.FILE_BYTES_MAX + 1), Map.of(), Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("holdfast.conf: 65537 bytes (expected: at most 65536)");
    Files.writeString(home.resolve("holdfast.conf"), "http = m\u00fcll", ISO_8859_1);
    assertThatThrownBy(() -> ServerConfig.load(home, Map.of(), Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("holdfast.conf: not UTF-8 (expected: ");
  }

  private ServerConfig load(
      String file, Map<String, String> environment, Map<String, String> arguments)
      throws IOException {
    if (!file.isEmpty()) {
      Files.writeString(home.resolve("holdfast.conf"), file);
    }
    return ServerConfig.load(home, environment, arguments);
  }
}
