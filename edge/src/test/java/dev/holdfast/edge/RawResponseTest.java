package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Raw responses, and what of them may reach a client (RFC 9110, RFC 9112). */
class RawResponseTest {
  private static final int BYTE_BY_BYTE_MAX = 600;
  private static final List<CaseTable.Row> ROWS =
      CaseTable.read("response-head.txt", "response-body.txt");
  private static ResponseJudge judge;

  @BeforeAll
  static void start() throws IOException {
    judge = new ResponseJudge(ROWS);
  }

  @AfterAll
  static void stop() throws IOException {
    judge.finish();
    judge.close();
  }

  static List<CaseTable.Row> responses() {
    return ROWS;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("responses")
  void isPassedOrAnsweredForAsTheTableSays(CaseTable.Row row) {
    KnownGaps.judge(row.name(), () -> judge.judge(row, false));
  }

  @Test
  void meansTheSameByteByByte() {
    var failed = new ArrayList<String>();
    for (var row : ROWS) {
      if (row.raw().length() <= BYTE_BY_BYTE_MAX && !row.verdict().contains(" extra")) {
        try {
          KnownGaps.judge(row.name(), () -> judge.judge(row, true));
        } catch (AssertionError e) {
          failed.add(String.valueOf(e.getMessage()));
        }
      }
    }
    assertThat(failed).isEmpty();
  }

  @Test
  void namesEveryCaseOnceAndHasEnoughOfThem() {
    var names = ROWS.stream().map(CaseTable.Row::name).toList();
    assertThat(names).doesNotHaveDuplicates().hasSizeGreaterThan(120);
  }
}
