package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Raw requests, and what of them may reach an app (RFC 9110, RFC 9112). */
class RawRequestTest {
  private static final long SEED = 20_120_614;
  private static final int BYTE_BY_BYTE_MAX = 600;
  private static RequestJudge judge;

  @BeforeAll
  static void start() throws IOException {
    judge = new RequestJudge();
  }

  @AfterAll
  static void stop() throws IOException {
    judge.finish();
    judge.close();
  }

  static List<CaseTable.Row> requests() {
    return CaseTable.read(
        "request-line.txt",
        "request-target.txt",
        "request-field.txt",
        "request-framing.txt",
        "request-chunk.txt",
        "request-limit.txt");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("requests")
  void isPassedOrRefusedAsTheTableSays(CaseTable.Row row) {
    KnownGaps.judge(row.name(), () -> judge.judge(row, Delivery.whole()));
  }

  @Test
  void meansTheSameByteByByte() {
    replay(
        sample(0).stream().filter(row -> row.raw().length() <= BYTE_BY_BYTE_MAX).toList(),
        Delivery.byteByByte());
  }

  @Test
  void meansTheSameInPieces() {
    replay(sample(1), Delivery.split(SEED));
  }

  /** All cases but those of the control bytes, of which every fourth. */
  private static List<CaseTable.Row> sample(int from) {
    var rows = requests();
    return IntStream.range(0, rows.size())
        .filter(i -> !rows.get(i).name().contains("byte") || i % 4 == from)
        .mapToObj(rows::get)
        .toList();
  }

  private static void replay(List<CaseTable.Row> rows, Delivery delivery) {
    var failed = new ArrayList<String>();
    for (var row : rows) {
      try {
        KnownGaps.judge(row.name(), () -> judge.judge(row, delivery));
      } catch (AssertionError e) {
        failed.add(String.valueOf(e.getMessage()));
      }
    }
    assertThat(failed).isEmpty();
  }

  @Test
  void namesEveryCaseOnceAndHasEnoughOfThem() {
    var names = requests().stream().map(CaseTable.Row::name).toList();
    assertThat(names).doesNotHaveDuplicates().hasSizeGreaterThan(300);
  }
}
