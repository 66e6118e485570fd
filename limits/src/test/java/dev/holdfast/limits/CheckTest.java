package dev.holdfast.limits;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CheckTest {

  @Test
  void aMessageNamesValueAndExpectation() {
    assertThat(Check.message("port", 99999, "1 to 65535"))
        .isEqualTo("port: 99999 (expected: 1 to 65535)");
  }

  @Test
  void hostileValuesAreCutAndMadeHarmless() {
    assertThat(Check.message("name", "a\r\nb\u001b[31m", "a label"))
        .isEqualTo("name: a\uFFFD\uFFFDb\uFFFD[31m (expected: a label)");
    assertThat(Check.printable("x".repeat(5000))).hasSize(201);
  }
}
