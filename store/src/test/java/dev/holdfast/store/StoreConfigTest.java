package dev.holdfast.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class StoreConfigTest {

  @Test
  void theDefaultsAreTheseAndNoOthers() {
    assertThat(StoreConfig.defaults())
        .isEqualTo(
            new StoreConfig(
                17_592_186_044_416L,
                16_777_216,
                4_194_304,
                1_000,
                4,
                Duration.ofSeconds(5),
                8_388_608,
                67_108_864));
  }

  @Test
  void namesTheBadValue() {
    assertThatThrownBy(() -> StoreConfig.defaults().withBytesMax(1))
        .hasMessage("bytesMax: 1 (expected: >= 65536)");
    assertThatThrownBy(() -> StoreConfig.defaults().withFreeBytesMin(-1))
        .hasMessage("freeBytesMin: -1 (expected: >= 0)");
  }
}
