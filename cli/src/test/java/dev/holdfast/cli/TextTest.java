package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class TextTest {

  @Test
  void makesControlCharactersHarmless() {
    assertThat(Text.safe("a\u001B[2Jb\u009Bc\u202Ed\r\te\nf"))
        .isEqualTo("a\uFFFD[2Jb\uFFFDc\uFFFDd\uFFFD\te\nf");
    assertThat(Text.oneLine("a\nb")).isEqualTo("a\uFFFDb");
  }

  @Test
  void keepsOnlyTheColoursOfALogLine() {
    assertThat(Text.logLine("\u001B[1;31mred\u001B[2J", true))
        .isEqualTo("\u001B[1;31mred\uFFFD[2J\u001B[0m");
    assertThat(Text.logLine("\u001B[1;31mred\u001B[0m", false)).isEqualTo("red");
  }

  @Test
  void escapesC1InJson() {
    assertThat(Json.line(Json.object().put("a", "\u009B\u001B")))
        .isEqualTo("{\"a\":\"\\u009b\\u001B\"}");
  }

  @Test
  void readsSizesAndAgesLikeAPerson() {
    assertThat(Text.size(999)).isEqualTo("999 B");
    assertThat(Text.size(1_250_000)).isEqualTo("1.3 MB");
    assertThat(Text.size(999_960)).isEqualTo("1.0 MB");
    assertThat(Text.age(Duration.ofSeconds(-3))).isEqualTo("0s");
    assertThat(Text.age(Duration.ofHours(50))).isEqualTo("2d");
  }

  @Test
  void alignsColumnsWithoutTrailingBlanks() {
    assertThat(Text.table(List.of(List.of("a", "b"), List.of("ccc", ""))))
        .containsExactly("a    b", "ccc");
  }
}
