package dev.holdfast.drones;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WatchTest {

  @Test
  void aHealthCheckStaysOnThisMachine() {
    assertThat(Watch.healthUri(80, "//example.org/up").getHost()).isEqualTo("127.0.0.1");
    assertThat(Watch.healthUri(80, "up?x=1")).hasToString("http://127.0.0.1:80/up?x=1");
  }
}
