package dev.holdfast.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.api.Test;

class RepeatedTest {
  @Test
  void routesToOneAddressShareItsText() {
    var one = Route.toAddress("one.example.org", "http://" + "10.0.0.1:3000");
    var two = Route.toAddress("two.example.org", "http://10.0.0.1:3000/");
    assertThat(Objects.requireNonNull(one.address())).isEqualTo("http://10.0.0.1:3000");
    assertThat(two.address()).isSameAs(one.address());
  }

  @Test
  void whatPushesAnotherOutIsStillItself() {
    for (int round = 0; round < 2; round++) {
      for (int i = 0; i < 10_000; i++) {
        assertThat(Repeated.NAMES.of("service-" + i)).isEqualTo("service-" + i);
      }
    }
  }
}
