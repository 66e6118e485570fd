package dev.holdfast.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.edge.AccessLogConfig.Sink;
import dev.holdfast.edge.Limiter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EdgeSettingsTest {
  @TempDir private Path home;

  private EdgeSettings settings(Map<String, String> arguments) throws IOException {
    return new EdgeSettings(ServerConfig.load(home, Map.of(), arguments));
  }

  @Test
  void speaksTlsBesideTheDefaultPortOnly() throws IOException {
    var standard = settings(Map.of());
    assertThat(standard.front().tlsListen()).extracting("port").isEqualTo(8443);
    assertThat(standard.edge().httpsPort()).isEqualTo(8443);
    assertThat(settings(Map.of("http", "127.0.0.1:8081")).front().tlsListen()).isNull();
    assertThat(settings(Map.of("https", "off")).front().tlsListen()).isNull();
    assertThat(settings(Map.of("https", "127.0.0.1:443")).edge().httpsPort()).isEqualTo(443);
  }

  @Test
  void readsEverySinkOfTheAccessLog() throws IOException {
    var all =
        "stdout, file:/tmp/a.log,syslog:unix:/dev/log,syslog:udp:127.0.0.1:514,"
            + "syslog:tcp:[::1]:601";
    assertThat(settings(Map.of("edge.access-log", all)).edge().accessLog().sinks())
        .satisfiesExactly(
            sink -> assertThat(sink).isEqualTo(new Sink.Stdout()),
            sink -> assertThat(sink).hasFieldOrPropertyWithValue("path", Path.of("/tmp/a.log")),
            sink -> assertThat(sink).isEqualTo(new Sink.SyslogUnix(Path.of("/dev/log"))),
            sink -> assertThat(sink).isEqualTo(new Sink.SyslogUdp("127.0.0.1", 514)),
            sink -> assertThat(sink).isEqualTo(new Sink.SyslogTcp("::1", 601)));
  }

  @Test
  void letsAdmissionActLookOrBlink() throws IOException {
    for (var mode : Limiter.Mode.values()) {
      var name = mode.name().toLowerCase(java.util.Locale.ROOT);
      assertThat(settings(Map.of("edge.admission", name)).edge().admission().mode(Limiter.NODE))
          .isEqualTo(mode);
    }
  }

  @Test
  void believesProxiesWithOrWithoutAnAnnouncement() throws IOException {
    var spoken = settings(Map.of("edge.proxies", "10.0.0.0/8")).front();
    assertThat(spoken.proxyProtocol() && spoken.tlsProxyProtocol()).isTrue();
    var silent =
        settings(Map.of("edge.proxies", "10.0.0.0/8", "edge.proxy-protocol", "off")).front();
    assertThat(silent.proxyProtocol() || silent.tlsProxyProtocol()).isFalse();
    assertThat(silent.proxies()).containsExactly("10.0.0.0/8");
  }

  @Test
  void beginsTracesWhenToldTo() throws IOException {
    assertThat(settings(Map.of()).edge().startsTraces()).isFalse();
    assertThat(settings(Map.of("edge.traces", "begin")).edge().startsTraces()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "edge.transport, kqueue",
    "edge.admission, maybe",
    "edge.retry-budget, 10",
    "edge.access-log, file:",
    "edge.access-log, nowhere",
    "edge.access-log-format, xml",
    "edge.access-log-sample, 0",
    "edge.event-loops, none",
    "edge.traces, maybe",
    "edge.proxies, 10.0.0.0/99",
    "edge.proxy-protocol, v2",
    "https, 8443",
  })
  void refusesWhatMeansNothing(String key, String value) {
    assertThatThrownBy(() -> settings(Map.of(key, value)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("(expected: ");
  }
}
