package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TraceContextTest {
  private static final String GOOD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  private static boolean valid(String text) {
    var bytes = ("x" + text).getBytes(ISO_8859_1);
    return TraceContext.valid(bytes, 1, text.length());
  }

  @ParameterizedTest
  @ValueSource(strings = {GOOD, "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-09-what"})
  void believesWhatIsValid(String text) {
    assertThat(valid(text)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g"
      })
  void believesNothingElse(String text) {
    assertThat(valid(text)).isFalse();
  }

  @Test
  void saysWhetherItIsSampled() {
    assertThat(TraceContext.sampled(GOOD.getBytes(ISO_8859_1), 0)).isTrue();
    assertThat(TraceContext.sampled(GOOD.replace("-01", "-02").getBytes(ISO_8859_1), 0)).isFalse();
  }

  @Test
  void beginsTracesThatAreValidAndDiffer() {
    var random = new SplittableRandom(1);
    var first = new byte[TraceContext.BYTES + 2];
    var second = new byte[TraceContext.BYTES + 2];
    TraceContext.begin(first, 2, random);
    TraceContext.begin(second, 2, random);
    assertThat(TraceContext.valid(first, 2, TraceContext.BYTES)).isTrue();
    assertThat(new String(first, 2, TraceContext.BYTES, ISO_8859_1)).matches("00-.{32}-.{16}-00");
    assertThat(first).isNotEqualTo(second);
  }
}
