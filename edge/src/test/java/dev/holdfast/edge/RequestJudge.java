package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Sends raw requests through an edge to a recording app and compares what both sides saw. Each is
 * followed by another request on the same connection, which is served when the first was understood
 * and must never be seen by the app when the first was refused.
 */
final class RequestJudge implements AutoCloseable {
  private static final String AFTER =
      "GET /after HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n";
  private static final int PATIENCE_MILLIS = 5000;

  final Recorder app = new Recorder();
  final Rig rig;
  private int late;

  RequestJudge() throws IOException {
    var config = new TestConfig();
    config.eventLoops = 1; // one pool, so that whatever is left over meets whoever comes next
    rig = new Rig(config).app(app.backend);
  }

  /**
   * What became of a case.
   *
   * @param answers what the client got, interim answers left out
   * @param seen what the app got
   * @param broken how the connection of the client ended, when it ended badly
   */
  private record Observed(
      List<StrictReader.Seen> answers, List<StrictReader.Seen> seen, @Nullable String broken) {}

  void judge(CaseTable.Row row, Delivery delivery) throws IOException {
    var ways = Expectation.of(row);
    boolean bare = ways.getFirst().has("bare");
    if (ways.stream().anyMatch(way -> !way.statuses("late").isEmpty())) {
      late++;
    }
    var observed = observe(row.raw(), bare ? "" : AFTER, delivery);
    try {
      Expectation.check(ways, way -> check(way, observed));
    } catch (AssertionError e) {
      throw new AssertionError(row.name() + ": " + e.getMessage() + "\n" + observed, e);
    }
  }

  private Observed observe(String raw, String after, Delivery delivery) throws IOException {
    int before = app.seen.size();
    var answers = new ArrayList<StrictReader.Seen>();
    String broken = null;
    try (var wire = rig.connect()) {
      wire.socket.setSoTimeout(PATIENCE_MILLIS);
      try {
        delivery.deliver(
            wire, (raw + after).getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
        var reader = new StrictReader(wire.in);
        var method = raw.startsWith("HEAD ") ? "HEAD" : "GET";
        for (var seen = reader.response(method); seen != null; seen = reader.response(method)) {
          if (seen.status() >= 200) {
            answers.add(seen);
            method = "GET";
          }
        }
      } catch (IOException e) {
        broken = e.toString();
      }
    }
    try (var wire = rig.connect()) { // whoever comes next meets only an answer of his own
      wire.send(Rig.get("/probe"));
      var answer = new StrictReader(wire.in).answer("GET");
      assertThat(answer.body()).as("the next client's answer").isEqualTo("GET /probe");
    }
    var seen = List.copyOf(app.seen).subList(before, app.seen.size());
    assertThat(seen.getLast().target()).isEqualTo("/probe");
    return new Observed(answers, seen.subList(0, seen.size() - 1), broken);
  }

  private static void check(Expectation way, Observed observed) {
    assertThat(observed.broken()).as("end of the connection").isNull();
    if (way.has("ok")) {
      passed(way, observed);
    } else if (way.has("page404")) {
      int count = way.has("close") ? 1 : 2;
      assertThat(statuses(observed)).isEqualTo(List.of(404, 200).subList(0, count));
      assertThat(observed.seen()).hasSize(count - 1);
    } else {
      var allowed = new ArrayList<>(way.statuses(""));
      allowed.addAll(way.statuses("late"));
      assertThat(allowed).as("a verdict that is understood").isNotEmpty();
      assertThat(observed.answers()).as("answers").hasSize(1);
      var answer = observed.answers().getFirst();
      assertThat(answer.status()).isIn(allowed);
      assertThat(answer.has("connection", "close")).as("Connection: close").isTrue();
      assertThat(observed.seen()).as("what the app saw").isEmpty();
    }
  }

  private static List<Integer> statuses(Observed observed) {
    return observed.answers().stream().map(StrictReader.Seen::status).toList();
  }

  private static void passed(Expectation way, Observed observed) {
    var expected = new ArrayList<Integer>(List.of(200));
    var targets = new ArrayList<String>(List.of(way.get("t", "/")));
    var more = way.get("more");
    if (more != null) {
      expected.add(200);
      targets.add(more);
    }
    var then = way.get("then");
    if (then != null) {
      expected.add(Integer.valueOf(then));
    } else if (!way.has("close")) {
      expected.add(200);
      targets.add("/after");
    }
    assertThat(statuses(observed)).as("answers").isEqualTo(expected);
    assertThat(observed.seen().stream().map(StrictReader.Seen::target).toList())
        .as("targets that the app saw")
        .isEqualTo(targets);
    var seen = observed.seen().getFirst();
    var answer = observed.answers().getFirst();
    assertThat(seen.method()).as("method").isEqualTo(way.get("m", "GET"));
    assertThat(seen.value("host")).as("host").isEqualTo(way.get("h", "app.test"));
    assertThat(answer.body()).isEqualTo(seen.method().equals("HEAD") ? "" : Recorder.body(seen));
    assertThat(answer.has("connection", "close")).isEqualTo(way.has("close"));
    if (way.has("fwd")) {
      assertThat(seen.values("x-forwarded-for")).containsExactly("192.0.2.9, 127.0.0.1");
    }
    way.checkMessage(seen);
  }

  /** Nothing but refused bodies reached the app in part, and no defect of the edge showed. */
  void finish() {
    assertThat(app.broken.size()).as("%s", app.broken).isLessThanOrEqualTo(late);
    assertThat(rig.log).noneMatch(line -> line.contains("code=H99"));
  }

  @Override
  public void close() throws IOException {
    rig.close();
    app.close();
  }
}
