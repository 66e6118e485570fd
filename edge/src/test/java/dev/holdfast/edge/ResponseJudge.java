package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.ResourceLeakDetector;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Lets an app answer with raw bytes and looks at what the client gets; then another client asks,
 * and what it gets has to be its own.
 *
 * <p>Words of a verdict beside those of {@link Expectation}: a status, {@code e=} how the body
 * ends, {@code i=} the interim statuses; {@code bad} and a code for a page of the edge; {@code cut}
 * for a connection that ends without a whole answer; {@code reuse} and {@code drop} for what
 * becomes of the app's connection. What the client asks: {@code HEAD}, {@code POST}, {@code old}
 * (1.0), {@code oldka} (1.0 with keep-alive), {@code ws} (an upgrade). What the app does after its
 * bytes: {@code fin}, {@code rst}, or wait for the next request. {@code extra}: there are bytes
 * after the end of the response.
 */
final class ResponseJudge implements AutoCloseable {
  private static final int PATIENCE_MILLIS = 5000;
  private static final int PARANOID_BYTES_MAX = 100_000;

  private final List<CaseTable.Row> rows;
  private final AtomicInteger connections = new AtomicInteger();
  private final Backend app;
  final Rig rig;
  private int cleans;

  ResponseJudge(List<CaseTable.Row> rows) throws IOException {
    this.rows = rows;
    app = new Backend(this::serve);
    var config = new TestConfig();
    config.eventLoops = 1; // one pool, so that whatever is left over meets whoever comes next
    rig = new Rig(config).app(app);
  }

  private void serve(Wire wire) throws IOException {
    int connection = connections.incrementAndGet();
    var reader = new StrictReader(wire.in);
    for (var request = reader.request(); request != null; request = reader.request()) {
      var path = request.target().split("/", -1);
      if (path[1].equals("clean")) {
        wire.send(Backend.ok("clean " + path[2] + " on " + connection));
        continue;
      }
      var row = rows.get(Integer.parseInt(path[2]));
      (path[1].equals("drip") ? Delivery.byteByByte() : Delivery.whole())
          .deliver(wire, row.bytes());
      var way = Expectation.of(row).getFirst();
      if (way.has("rst")) {
        wire.socket.setSoLinger(true, 0);
        return;
      }
      if (way.has("fin")) {
        wire.socket.shutdownOutput();
        wire.rest();
        return;
      }
    }
  }

  /**
   * What the client got.
   *
   * @param interims statuses before the first answer
   * @param broken how its connection ended, when it ended badly
   * @param served the app's connection that served the case
   * @param after the app's connection that served whoever came next
   */
  private record Observed(
      List<Integer> interims,
      List<StrictReader.Seen> answers,
      @Nullable String broken,
      int served,
      int after) {}

  void judge(CaseTable.Row row, boolean drip) throws IOException {
    var level = ResourceLeakDetector.getLevel();
    if (row.raw().length() > PARANOID_BYTES_MAX) { // it records every look at a byte
      ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.SIMPLE);
    }
    try {
      run(row, drip);
    } finally {
      ResourceLeakDetector.setLevel(level);
    }
  }

  private void run(CaseTable.Row row, boolean drip) throws IOException {
    var ways = Expectation.of(row);
    var observed = observe(row, ways.getFirst(), drip);
    try {
      Expectation.check(ways, way -> check(way, observed));
    } catch (AssertionError e) {
      throw new AssertionError(row.name() + ": " + e.getMessage() + "\n" + observed, e);
    }
  }

  /** Whether all that the client got was whole, or else ended with a reset. */
  boolean whole(CaseTable.Row row) throws IOException {
    var observed = observe(row, Expectation.of(row).getFirst(), false);
    var broken = observed.broken();
    if (observed.interims().contains(101)) {
      return true; // what follows is no HTTP
    }
    return broken == null
        ? !observed.answers().isEmpty() || !observed.interims().isEmpty()
        : broken.contains("java.net.SocketException");
  }

  private static String ask(Expectation way, String target) {
    boolean old = way.has("old") || way.has("oldka");
    var method = way.has("HEAD") ? "HEAD " : way.has("POST") ? "POST " : "GET ";
    return method
        + target
        + (old ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n")
        + "Host: app.test\r\n"
        + (way.has("oldka") ? "Connection: keep-alive\r\n" : "")
        + (way.has("ws") ? "Connection: Upgrade\r\nUpgrade: websocket\r\n" : "")
        + (way.has("POST") ? "Content-Length: 2\r\n\r\nhi" : "\r\n");
  }

  private Observed observe(CaseTable.Row row, Expectation way, boolean drip) throws IOException {
    var target = (drip ? "/drip/" : "/case/") + rows.indexOf(row);
    int served = clean(); // which leaves a connection in the pool for the case to take
    var interims = new ArrayList<Integer>();
    var answers = new ArrayList<StrictReader.Seen>();
    String broken = null;
    try (var wire = rig.connect()) {
      wire.socket.setSoTimeout(PATIENCE_MILLIS);
      wire.socket
          .getOutputStream()
          .write(
              (ask(way, target)
                      + "GET /clean/x HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n")
                  .getBytes(ISO_8859_1));
      var reader = new StrictReader(wire.in);
      var method = way.has("HEAD") ? "HEAD" : "GET";
      try {
        for (var seen = reader.response(method); seen != null; seen = reader.response(method)) {
          if (seen.status() < 200) {
            interims.add(seen.status());
          } else {
            answers.add(seen);
            method = "GET";
          }
        }
      } catch (IOException e) {
        broken = e.toString();
      }
    }
    return new Observed(interims, answers, broken, served, clean());
  }

  /** Another client's request, which gets its own answer; tells the app's connection. */
  private int clean() throws IOException {
    var id = Integer.toString(++cleans);
    try (var wire = rig.connect()) {
      wire.socket.setSoTimeout(PATIENCE_MILLIS);
      wire.send("GET /clean/" + id + " HTTP/1.1\r\nHost: app.test\r\n\r\n");
      var body = new StrictReader(wire.in).answer("GET").body();
      assertThat(body).as("the next client's answer").startsWith("clean " + id + " on ");
      return Integer.parseInt(body.substring(body.lastIndexOf(' ') + 1));
    }
  }

  private static void check(Expectation way, Observed observed) {
    if (way.has("cut")) {
      assertThat(observed.broken()).as("end of the connection").contains("SocketException");
      assertThat(observed.answers()).isEmpty();
      return;
    }
    assertThat(observed.broken()).as("end of the connection").isNull();
    assertThat(observed.answers()).as("answers").isNotEmpty();
    var answer = observed.answers().getFirst();
    if (way.has("bad")) {
      bad(way, answer);
    } else {
      assertThat(way.statuses("")).as("a verdict that is understood").contains(answer.status());
      assertThat(answer.has("connection", "close")).isEqualTo(way.has("close"));
      way.checkMessage(answer);
    }
    var interims = way.get("i");
    if (interims != null) {
      assertThat(observed.interims())
          .isEqualTo(List.of(interims.split("/", -1)).stream().map(Integer::valueOf).toList());
    }
    var ending = way.get("e");
    if (ending != null) {
      assertThat(answer.ending()).isEqualTo(StrictReader.Ending.valueOf(ending));
    }
    boolean last = way.has("close") || way.has("old");
    assertThat(observed.answers()).as("answers").hasSize(last ? 1 : 2);
    if (!last) {
      assertThat(observed.answers().getLast().body()).startsWith("clean x on ");
    }
    if (way.has("reuse")) {
      assertThat(observed.after()).as("the app's connection").isEqualTo(observed.served());
    }
    if (way.has("drop")) {
      assertThat(observed.after()).as("the app's connection").isNotEqualTo(observed.served());
    }
  }

  private static void bad(Expectation way, StrictReader.Seen answer) {
    var code = Code.valueOf(way.words().get(way.words().indexOf("bad") + 1));
    assertThat(answer.status()).isEqualTo(code.status());
    assertThat(answer.values("holdfast-error")).containsExactly(code.name());
  }

  /** No defect of the edge showed. */
  void finish() {
    assertThat(rig.log).noneMatch(line -> line.contains("code=H99"));
  }

  @Override
  public void close() throws IOException {
    rig.close();
    app.close();
  }
}
