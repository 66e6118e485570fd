package dev.holdfast.limits;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BoundedQueueTest {
  private static final Duration LONG = Duration.ofSeconds(20);

  @Test
  void refusesToGrowBeyondItsCapacity() throws InterruptedException {
    var queue = new BoundedQueue<Integer>("test", 2);
    assertThat(List.of(queue.offer(1), queue.offer(2), queue.offer(3)))
        .containsExactly(true, true, false);
    assertThat(queue.refused()).isEqualTo(1);
    assertThat(queue.take(10, LONG)).containsExactly(1, 2);
    assertThat(queue.offer(4)).isTrue();
  }

  @Test
  void takesInOrderAndNoMoreThanAsked() throws InterruptedException {
    var queue = new BoundedQueue<Integer>("test", 10);
    for (int i = 0; i < 5; i++) {
      queue.offer(i);
    }
    assertThat(queue.take(3, LONG)).containsExactly(0, 1, 2);
    assertThat(queue.take(3, LONG)).containsExactly(3, 4);
  }

  @Test
  void answersEmptyWhenTheWaitPasses() throws InterruptedException {
    assertThat(new BoundedQueue<Integer>("test", 1).take(1, Duration.ofMillis(1))).isEmpty();
  }

  @Test
  void wakesAWaitingConsumer() throws InterruptedException {
    var queue = new BoundedQueue<Integer>("test", 1);
    var got = new ArrayList<Integer>();
    var consumer =
        Thread.ofVirtual()
            .start(() -> {
              try {
                got.addAll(queue.take(1, LONG));
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    queue.offer(7);
    assertThat(consumer.join(LONG)).isTrue();
    assertThat(got).containsExactly(7);
  }

  @Test
  void whatIsInsideCanBeTakenAfterClose() throws InterruptedException {
    var queue = new BoundedQueue<Integer>("test", 2);
    queue.offer(1);
    queue.close();
    queue.close();
    assertThat(queue.offer(2)).isFalse();
    assertThat(queue.take(5, LONG)).containsExactly(1);
    assertThat(queue.take(5, LONG)).isEmpty();
  }
}
