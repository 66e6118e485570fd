package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Broken variations of the tables' cases: whatever the app sees is what a strict reader finds in
 * the same bytes, message for message, and nobody gets what was meant for somebody else.
 *
 * <p>{@code -Dseed=} replays one seed; {@code -Dfuzz.seeds=} and {@code -Dfuzz.rounds=} do more.
 */
class ParserFuzzTest {
  private static final int ROUNDS = Integer.getInteger("fuzz.rounds", 250);
  private static final int RAW_MAX = 1500;
  private static final List<String> SPICE =
      List.of(
          "\r\n",
          "\r",
          "\n",
          "\r\n\r\n",
          "\0",
          "\t",
          " ",
          "\u000b",
          "\u007f",
          "\u0085",
          "\u00ff",
          ":",
          ";",
          ",",
          "\"",
          "#",
          "?",
          "0",
          "1",
          "f",
          "-",
          "+",
          "0x",
          "Host: app.test\r\n",
          "\r\n ",
          "Content-Length: 3\r\n",
          "Content-Length: 0\r\n",
          "Transfer-Encoding: chunked\r\n",
          "Connection: close\r\n",
          "Expect: 100-continue\r\n",
          "Connection: upgrade\r\n",
          "Upgrade: websocket\r\n",
          "0\r\n\r\n",
          "3\r\nabc\r\n",
          "HTTP/1.1",
          "HTTP/1.0",
          "GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n",
          "HTTP/1.1 200 OK\r\n",
          "HTTP/1.1 103 E\r\n\r\n");

  static LongStream seeds() {
    var seed = Long.getLong("seed");
    return seed != null
        ? LongStream.of(seed)
        : LongStream.rangeClosed(1, Integer.getInteger("fuzz.seeds", 2));
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void passesOnlyWhatAStrictReaderFinds(long seed) throws IOException {
    var random = new Random(seed);
    var corpus =
        Stream.concat(RawRequestTest.requests().stream(), SmugglingTest.requests().stream())
            .map(CaseTable.Row::raw)
            .filter(raw -> raw.length() <= RAW_MAX)
            .toList();
    try (var app = new Recorder();
        var rig = new Rig(oneLoop()).app(app.backend)) {
      for (int round = 0; round < ROUNDS; round++) {
        var raw = mutated(random, corpus);
        int before = app.seen.size();
        exchange(rig, raw, random.nextInt(4) == 0 ? Delivery.split(round) : Delivery.whole());
        probe(rig, round);
        var seen = List.copyOf(app.seen).subList(before, app.seen.size());
        assertThat(seen.getLast().target()).isEqualTo("/probe");
        var difference =
            ReferenceParser.difference(
                seen.subList(0, seen.size() - 1).stream().map(ParserFuzzTest::parsed).toList(),
                ReferenceParser.requests(raw, "app.test"));
        assertThat(difference).as("seed %s round %s: %s", seed, round, shown(raw)).isNull();
      }
      assertThat(app.broken)
          .allMatch(what -> what.contains("and the end") || what.contains("eset"));
      assertThat(rig.log).noneMatch(line -> line.contains("code=H99"));
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void passesOnlyWholeResponsesAndNoneToSomebodyElse(long seed) throws IOException {
    var random = new Random(seed);
    var corpus =
        RawResponseTest.responses().stream()
            .map(CaseTable.Row::raw)
            .filter(raw -> raw.length() <= RAW_MAX)
            .toList();
    var rows = new ArrayList<CaseTable.Row>();
    var asks = List.of("fin", "fin", "fin", "fin HEAD", "fin old", "fin ws", "fin POST");
    for (int round = 0; round < ROUNDS; round++) {
      rows.add(
          new CaseTable.Row(
              Integer.toString(round),
              asks.get(random.nextInt(asks.size())),
              mutated(random, corpus)));
    }
    try (var judge = new ResponseJudge(rows)) {
      for (var row : rows) {
        assertThat(judge.whole(row))
            .as("seed %s round %s: %s %s", seed, row.name(), row.verdict(), shown(row.raw()))
            .isTrue();
      }
      judge.finish();
    }
  }

  private static TestConfig oneLoop() {
    var config = new TestConfig();
    config.eventLoops = 1;
    return config;
  }

  private static ReferenceParser.Parsed parsed(StrictReader.Seen seen) {
    return new ReferenceParser.Parsed(
        seen.method(), seen.target(), String.valueOf(seen.value("host")), seen.body());
  }

  private static void exchange(Rig rig, String raw, Delivery delivery) throws IOException {
    try (var wire = rig.connect()) {
      try {
        delivery.deliver(wire, raw.getBytes(ISO_8859_1));
        wire.socket.shutdownOutput();
        wire.rest();
      } catch (java.net.SocketTimeoutException e) {
        throw new AssertionError("no end: " + shown(raw), e);
      } catch (IOException e) {
        // a reset is an answer too
      }
    }
  }

  private static void probe(Rig rig, int round) throws IOException {
    try (var wire = rig.connect()) {
      wire.send(Rig.get("/probe"));
      assertThat(new StrictReader(wire.in).answer("GET").body())
          .as("the next client's answer in round %s", round)
          .isEqualTo("GET /probe");
    }
  }

  private static String mutated(Random random, List<String> corpus) {
    var raw = new StringBuilder(corpus.get(random.nextInt(corpus.size())));
    if (random.nextInt(4) == 0) {
      raw.append(corpus.get(random.nextInt(corpus.size())));
    }
    for (int i = random.nextInt(4); i > 0; i--) {
      int at = random.nextInt(raw.length() + 1);
      int end = Math.min(raw.length(), at + 1 + random.nextInt(8));
      switch (random.nextInt(6)) {
        case 0 -> raw.insert(at, SPICE.get(random.nextInt(SPICE.size())));
        case 1 -> raw.replace(at, end, SPICE.get(random.nextInt(SPICE.size())));
        case 2 -> raw.delete(at, end);
        case 3 -> raw.insert(at, raw.substring(at, end));
        case 4 -> raw.insert(at, (char) random.nextInt(256));
        default -> {
          var other = corpus.get(random.nextInt(corpus.size()));
          int from = random.nextInt(other.length() + 1);
          raw.replace(at, raw.length(), other.substring(from));
        }
      }
    }
    return raw.toString();
  }

  private static String shown(String raw) {
    var out = new StringBuilder();
    for (int i = 0; i < raw.length(); i++) {
      char c = raw.charAt(i);
      if (c == '\r') {
        out.append("\\r");
      } else if (c == '\n') {
        out.append("\\n");
      } else if (c < ' ' || c > '~') {
        out.append("\\x%02x".formatted((int) c));
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }
}
