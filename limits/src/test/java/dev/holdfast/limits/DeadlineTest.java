package dev.holdfast.limits;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class DeadlineTest {

  @Test
  void countsDownAndStopsAtZero() {
    var time = new ManualTime();
    var deadline = Deadline.after(time, Duration.ofSeconds(2));
    time.advance(Duration.ofSeconds(1));
    assertThat(deadline.left()).isEqualTo(Duration.ofSeconds(1));
    assertThat(deadline.passed()).isFalse();
    time.advance(Duration.ofSeconds(5));
    assertThat(deadline.left()).isZero();
    assertThat(deadline.passed()).isTrue();
  }

  @Test
  void aPartOfTheWayNeverOutlivesTheWhole() {
    var time = new ManualTime();
    var whole = Deadline.after(time, Duration.ofSeconds(2));
    assertThat(whole.within(Duration.ofSeconds(9))).isSameAs(whole);
    assertThat(whole.within(Duration.ofSeconds(1)).left()).isEqualTo(Duration.ofSeconds(1));
  }
}
