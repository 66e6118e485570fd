package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.edge.Routing;
import dev.holdfast.edge.RoutingFold;
import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Envelope;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.FollowerReport;
import dev.holdfast.ledger.Kinds;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.LedgerConfig;
import dev.holdfast.ledger.MemoryStore;
import dev.holdfast.ledger.Payload;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LedgerAlarmsTest {
  private final MemoryStore store = new MemoryStore();
  private Ledger ledger;
  private Follower<Routing> routing;
  private LedgerAlarms alarms;

  @BeforeEach
  void open() throws Exception {
    ledger = Ledger.open(store, Kinds.of(Route.KIND), LedgerConfig.defaults(), Time.system());
    routing = new Follower<>("routing", ledger, new RoutingFold(), Time.system());
    routing.start();
    route("a.test");
    assertThat(routing.awaitApplied(1, Duration.ofSeconds(20))).isTrue();
    var edges = new EdgeReports(ledger, Duration.ZERO, Time.system());
    alarms = new LedgerAlarms(ledger, List.of(routing), edges, Time.system());
  }

  @AfterEach
  void close() {
    routing.close();
    ledger.close();
  }

  private void route(String host) {
    ledger
        .append(
            Transaction.by("test")
                .put(
                    Route.KIND,
                    Route.key(host),
                    Route.toAddress(host, "http://127.0.0.1:9"),
                    Transaction.ANY))
        .orThrow();
  }

  private static Entry broken(long at) {
    return new Entry(
        at,
        Route.key("a.test"),
        "route",
        1,
        2,
        Instant.EPOCH,
        "gc-by-hand",
        false,
        Payload.of("{".getBytes(UTF_8)));
  }

  @Test
  void aKeyInQuarantineIsNamedWithItsWriterAndItsBytes() throws Exception {
    var envelope = Envelope.encode(broken(2));
    store.poison(2, envelope);
    route("b.test");
    Stage.await("the alarm", () -> !alarms.now().isEmpty());
    var alarm = alarms.now().getFirst();
    assertThat(alarm.position()).isEqualTo(2);
    assertThat(alarm.through()).isEqualTo(2);
    assertThat(alarm.key()).isEqualTo("route/a.test");
    assertThat(alarm.writer()).isEqualTo("gc-by-hand");
    assertThat(alarm.bytes()).isEqualTo(envelope.length());
    assertThat(HexFormat.of().formatHex(envelope.bytes())).startsWith(alarm.hex());
    assertThat(alarm.followers()).containsExactly("routing");
  }

  @Test
  void whatADamagedEnvelopeStillSaysIsTold() throws Exception {
    byte[] bytes = Envelope.encode(broken(2)).bytes();
    bytes[bytes.length - 1] ^= 1;
    store.poison(2, Payload.of(bytes));
    route("b.test");
    Stage.await("the alarm", () -> !alarms.now().isEmpty());
    var alarm = alarms.now().getFirst();
    assertThat(alarm.key()).isEqualTo("route/a.test");
    assertThat(alarm.writer()).isEqualTo("gc-by-hand");
    assertThat(alarm.cause()).contains("crc32c");
  }

  @Test
  void aFollowersWordSurvivesTheWayToTheControlProcess() throws Exception {
    FollowerReport report = routing.report();
    var shape = FollowerShape.of(report);
    var read = Json.MAPPER.readValue(Json.bytes(shape), FollowerShape.class);
    assertThat(read.named("edge one").digest()).isEqualTo(shape.digest());
    assertThat(read.position()).isEqualTo(1);
  }
}
