package dev.holdfast.edge;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Requests within requests: an app sees the inner one only where it is the next one for sure. */
class SmugglingTest {
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
    return CaseTable.read("request-smuggling.txt");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("requests")
  void neverLetsTheInnerRequestBeTakenForOne(CaseTable.Row row) {
    KnownGaps.judge(row.name(), () -> judge.judge(row, Delivery.whole()));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("requests")
  void neitherWhenItComesByteByByte(CaseTable.Row row) {
    KnownGaps.judge(row.name(), () -> judge.judge(row, Delivery.byteByByte()));
  }
}
