package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What one line says of who causes the load. */
class AttributionTest {
  private static String sentence(double times) {
    var account =
        new Attribution.Account("shop", Standing.State.NORMAL, 0.8, times, 0, Instant.EPOCH);
    return String.valueOf(
        new Attribution(
                Instant.EPOCH, false, List.of(account), List.of(), List.of(), List.of(), List.of())
            .sentence());
  }

  @Test
  void comparesWithWhatIsNormalOnceThatIsKnown() {
    assertThat(sentence(9)).isEqualTo("80 % of cost is account shop, x9 of normal");
    assertThat(sentence(1)).endsWith(", x1 of normal");
    assertThat(sentence(0)).isEqualTo("80 % of cost is account shop");
    assertThat(Attribution.NONE.sentence()).isNull();
  }
}
