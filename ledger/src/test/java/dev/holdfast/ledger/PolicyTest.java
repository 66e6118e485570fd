package dev.holdfast.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.Policy.Encoding;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PolicyTest {
  private static Policy read(String json) {
    var key = Policy.serviceKey("app");
    return Policy.KIND.decode(
        new Entry(
            1,
            key,
            "policy",
            1,
            1,
            Instant.EPOCH,
            "test",
            false,
            Payload.wrap(json.replace('\'', '"').getBytes(UTF_8))));
  }

  @Test
  void inheritsWhatItDoesNotSay() {
    var base = read("{'maintenance':true,'hstsSeconds':60,'compression':['GZIP']}");
    var own = read("{'maintenance':false,'requestBytesMax':10,'compression':[]}");
    var both = own.over(base);
    assertThat(both.inMaintenance()).isFalse();
    assertThat(both.hstsSeconds()).isEqualTo(60);
    assertThat(both.requestBytesMax()).isEqualTo(10);
    assertThat(both.encodings()).isEmpty();
    assertThat(both.priority()).isNull();
    assertThat(base.over(own).inMaintenance()).isTrue();
    assertThat(base.over(own).encodings()).isEqualTo(List.of(Encoding.GZIP));
    assertThat(Policy.NONE.over(base)).isSameAs(base);
    assertThat(base.over(Policy.NONE)).isSameAs(base);
  }

  @Test
  void mergesEveryField() {
    var all =
        read(
            """
            {'maintenance':true,'maintenancePage':'m','errorPage':'e','https':'ON','hstsSeconds':1,
             'requestBytesMax':2,'requestHeaderBytesMax':2000,'firstByteTimeoutMillis':4,
             'idleTimeoutMillis':5,'tunnelIdleMillis':6,'tunnelLifetimeMillis':7,
             'stickySessions':true,'upstream':'H2C','compression':['ZSTD','BR'],
             'requestsPerEndpointMax':8,'connectionsPerEndpointMax':9,'priority':'BATCH',
             'account':'acme','expectContinue':'END_TO_END',
             'healthPath':'/health','healthIntervalMillis':5000}
            """);
    assertThat(all).hasNoNullFieldsOrProperties();
    var little = read("{'account':'other'}");
    assertThat(little.over(all))
        .usingRecursiveComparison()
        .ignoringFields("account")
        .isEqualTo(all);
    assertThat(little.over(all).account()).isEqualTo("other");
    assertThat(all.over(little)).isEqualTo(all);
    assertThat(read(new String(Policy.KIND.encode(all).bytes(), UTF_8))).isEqualTo(all);
  }

  @Test
  void readsEntriesOfBeforeAndOfAfter() {
    assertThat(read("{}")).isEqualTo(Policy.NONE);
    assertThat(read("{'whatever':{'is':'new'}}")).isEqualTo(Policy.NONE);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'requestBytesMax':-1}          | requestBytesMax: -1 (expected: >= 0)",
        "{'requestHeaderBytesMax':10}    | requestHeaderBytesMax: 10 (expected: 1024 to 1048576)",
        "{'idleTimeoutMillis':0}         | idleTimeoutMillis: 0 (expected: 1 to 2592000000)",
        "{'compression':['BR','BR']}     | compression: [BR, BR] (expected: each encoding once)",
        "{'account':'A b'}               | account: A b",
        "{'healthPath':'health'}         | healthPath: health (expected: a path such as /health",
        "{'healthIntervalMillis':10}     | healthIntervalMillis: 10 (expected: 1000 to 3600000)",
        "{'maintenancePage':''}          | maintenancePage: 0 bytes (expected: 1 to 65536",
      })
  void refusesWhatCannotBeMeant(String json, String message) {
    assertThatThrownBy(() -> read(json.replace("''", "\"\"")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasStackTraceContaining(message);
  }

  @Test
  void refusesPagesThatAreTooLarge() {
    assertThat(read("{'errorPage':'" + "x".repeat(Policy.PAGE_BYTES_MAX) + "'}").errorPage())
        .hasSize(Policy.PAGE_BYTES_MAX);
    var large = "{'errorPage':'" + "é".repeat(Policy.PAGE_BYTES_MAX / 2 + 1) + "'}";
    assertThatThrownBy(() -> read(large)).hasStackTraceContaining("errorPage: 65538 bytes");
  }

  @Test
  void hasKeysThatSayWhatItIsOf() {
    assertThat(Policy.serviceKey("app")).isEqualTo("policy/service/app");
    assertThat(Policy.hostKey("WWW.Example.org.")).isEqualTo("policy/host/www.example.org");
    assertThat(Policy.service("policy/service/app")).isEqualTo("app");
    assertThat(Policy.host("policy/service/app")).isNull();
    assertThat(Policy.host("policy/host/a.test")).isEqualTo("a.test");
    assertThatThrownBy(() -> Policy.serviceKey("a/b")).hasMessageContaining("service: a/b");
  }
}
