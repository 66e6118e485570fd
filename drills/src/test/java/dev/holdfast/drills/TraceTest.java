package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceTest {
  private static final String LINE =
      "{\"time\":\"2026-11-22T01:00:%sZ\",\"at\":\"info\",\"method\":\"%s\",\"path\":\"%s\","
          + "\"host\":\"a.test\",\"user_agent\":\"odd/1\",\"connect_ms\":1,\"service_ms\":%d,"
          + "\"status\":200,\"bytes\":%d,\"bytes_in\":%d,\"peer\":\"127.0.0.1\","
          + "\"peer_port\":%d,\"protocol\":\"http1.1\"%s}\n";

  @TempDir private Path directory;

  private Trace read(String... lines) throws IOException {
    var log = directory.resolve("trace.json");
    Files.writeString(log, String.join("", lines));
    return Trace.read(log);
  }

  private Trace three() throws IOException {
    return read(
        LINE.formatted("00.500", "GET", "/slow", 399, 200_000, 0, 5001, ""),
        LINE.formatted("00.250", "POST", "/a", 49, 10, 7, 5002, ""),
        LINE.formatted("01.200", "GET", "/b", 29, 0, 0, 5002, ",\"code\":\"H27\""));
  }

  @Test
  void aRequestBeganWhenItsTimeWasNotSpentYet() throws IOException {
    var trace = three();
    assertThat(trace.requests())
        .extracting(Trace.Request::path)
        .containsExactly("/slow", "/a", "/b");
    assertThat(trace.requests())
        .extracting(Trace.Request::startMillis)
        .containsExactly(0L, 100L, 1070L);
    assertThat(trace.connections()).isEqualTo(2);
  }

  @Test
  void theSameComesAgainAtTheSpeedAskedFor() throws IOException {
    var plan = three().plan(10, 5, 0.4, Duration.ofSeconds(1));
    assertThat(plan.connections()).isEqualTo(4);
    assertThat(plan.visits()).hasSize(6);
    assertThat(plan.visits().get(1).dueNanos()).isEqualTo(10_020_000_000L);
    assertThat(plan.visits().get(3).dueNanos()).isBetween(10_214_000_000L, 10_215_000_000L);
    assertThat(plan.visits().get(0).bytesPerSecond()).isEqualTo(500_000);
    assertThat(plan.visits().get(2).patience()).isEqualTo(Duration.ofMillis(30));
    assertThat(plan.visits()).extracting(Plan.Visit::resets).startsWith(false, false, true);
    assertThat(plan.visits()).extracting(Plan.Visit::last).startsWith(true, false, true);
    assertThat(new String(plan.visits().get(1).request(), ISO_8859_1))
        .isEqualTo(
            "POST /a HTTP/1.1\r\nHost: a.test\r\nUser-Agent: odd/1\r\nContent-Length: 7\r\n\r\n"
                + "\0".repeat(7));
  }

  @Test
  void aLineThatIsNoJsonIsNamed() {
    assertThatThrownBy(() -> read("at=info method=GET\n"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("at=info");
  }

  @Test
  void whoWaitsForABusyConnectionGetsOneOfHisOwnAndSlowReadersAreSlow()
      throws IOException, InterruptedException {
    try (var app = new TestApp(Time.system(), TestApp.Capacity.of(4, 300), 0);
        var load = new Load(Time.system(), 1)) {
      var get = " HTTP/1.1\r\nHost: a\r\n\r\n";
      var tally =
          load.join(
              Visitors.of("plan", app.address(), "a", 1, 3),
              new Plan(
                  1,
                  List.of(
                      visit(0, "GET /a" + get, 0),
                      visit(50, "GET /b" + get, 0),
                      visit(700, "GET /bytes/100000" + get, 200_000))));
      load.start(3);
      load.await();
      var sum = tally.between(0, 3);
      assertThat(sum.good()).as("%s", sum).isEqualTo(3);
      assertThat(load.connects("plan")).isEqualTo(2);
      assertThat(sum.millis(100)).isGreaterThan(400);
      assertThat(tally.uncorrectedMillis(50)).isBetween(250.0, 450.0);
    }
  }

  private static Plan.Visit visit(int millis, String request, long bytesPerSecond) {
    return new Plan.Visit(
        millis * 1_000_000L,
        0,
        request.getBytes(ISO_8859_1),
        Duration.ofSeconds(5),
        bytesPerSecond,
        false,
        false);
  }
}
