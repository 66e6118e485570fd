package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.limits.Time;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

class ReportTest {
  private static final Drill DRILL = Drills.ALL.getFirst();

  @TempDir private Path directory;

  private static Verdict verdict(Promise... promises) {
    var timeline = new Timeline(Time.system());
    var tally = new Tally();
    tally.offered(0);
    tally.ended(0, 5_000_000, Tally.End.GOOD);
    tally.offered(1_500_000_000);
    tally.ended(1_500_000_000, 1_600_000_000, Tally.End.FAILED);
    timeline.group("visit", tally);
    timeline.span("a <harm>", 0.5, 1.5);
    timeline.point("position", "edge 1", 0, 7);
    timeline.point("position", "edge 1", 2, 9);
    return new Verdict(
        DRILL.name(),
        Profile.NAIVE,
        Pace.SHORT,
        42,
        true,
        1,
        List.of(promises),
        Map.of("steady", "1 < 2"),
        timeline.course());
  }

  @Test
  void thePageNeedsNothingButItself() throws IOException {
    var page = new Report(DRILL, verdict(Promise.none("lost", 1, "requests"))).write(directory);
    var html = Files.readString(page);
    assertThat(page.getFileName()).hasToString(DRILL.name() + "-naive-short.html");
    assertThat(html)
        .doesNotContain("http:", "https:", "src=", "url(", "@import", "<script", "<link")
        .contains("1 promise broken", "edge 1", "a &lt;harm&gt;", "1 &lt; 2", "<svg")
        .contains("./holdfast drill run " + DRILL.name() + " --profile naive --short --seed 42")
        .doesNotContain("NaN", "Infinity");
  }

  @Test
  void theNumbersAreJson() throws IOException {
    new Report(DRILL, verdict(Promise.atMost("latency", Double.POSITIVE_INFINITY, 2, "ms")))
        .write(directory);
    var json =
        JsonMapper.shared()
            .readTree(Files.readString(directory.resolve(DRILL.name() + "-naive-short.json")));
    assertThat(json.get("held").asBoolean()).isFalse();
    assertThat(json.get("asExpected").asBoolean()).isTrue();
    assertThat(json.get("promises").get(0).get("measured").isNull()).isTrue();
    var seconds = json.get("course").get("groups").get(0).get("seconds");
    assertThat(seconds).hasSize(2);
    assertThat(seconds.get(0).get("p99Millis").asDouble()).isEqualTo(5, offset());
    assertThat(seconds.get(1).get("p99Millis").isNull()).isTrue();
    assertThat(json.get("course").get("tracks").get(0).get("points")).hasSize(2);
    assertThat(json.get("machine").get("processors").asString()).isNotBlank();
  }

  private static Offset<Double> offset() {
    return Offset.offset(0.1);
  }

  @Test
  void axesEndAtRoundNumbers() {
    assertThat(Plot.nice(0.7)).isEqualTo(1);
    assertThat(Plot.nice(21)).isEqualTo(25);
    assertThat(Plot.nice(250)).isEqualTo(250);
    assertThat(Plot.nice(501)).isEqualTo(1_000);
  }

  @Test
  void whatIsNotUnderstoodIsSaidAndRunsNothing() throws InterruptedException {
    assertThat(said(2, "run")).contains("no drill is named");
    assertThat(said(2, "run", "flood")).contains("flood is not a drill");
    assertThat(said(2, "run", "overload", "--profile", "bold")).contains("naive, protected");
    assertThat(said(2, "run", "overload", "--seed")).contains("--seed needs a value");
    assertThat(said(2, "run", "overload", "--long")).contains("--long is not an option");
    assertThat(said(2, "stop")).contains("list or run");
    assertThat(said(2)).contains("Usage");
    assertThat(said(0, "list")).contains("overload ", "tunnels ");
    assertThat(said(0, "drill", "list")).contains("overload ", "tunnels ");
  }

  private static String said(int code, String... words) throws InterruptedException {
    var bytes = new ByteArrayOutputStream();
    try (var out = new PrintStream(bytes, true, UTF_8)) {
      assertThat(Main.run(out, out, words)).isEqualTo(code);
    }
    return bytes.toString(UTF_8);
  }
}
