package dev.holdfast.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PartsTest {
  private final Parts parts = new Parts();

  static LongStream seeds() {
    var replay = Long.getLong("seed");
    return replay != null ? LongStream.of(replay) : new Random().longs(20);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void isAHashMap(long seed) {
    var random = new Random(seed);
    var model = new HashMap<String, Long>();
    int keys = 1 + random.nextInt(3_000);
    int deletions = 1 + random.nextInt(9);
    for (int i = 0; i < 20_000; i++) {
      var key = "route/app" + random.nextInt(keys) + ".example.org";
      long part = random.nextLong();
      boolean delete = random.nextInt(10) < deletions;
      var before = delete ? model.remove(key) : model.put(key, part);
      assertThat(delete ? parts.remove(key) : parts.put(key, part))
          .as("step " + i)
          .isEqualTo(before == null ? 0 : before);
      assertThat(parts.size()).isEqualTo(model.size());
    }
    model.forEach((key, part) -> assertThat(parts.remove(key)).as(key).isEqualTo(part));
    assertThat(parts.size()).isZero();
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void isAHashMapWhereHashesCrowdAtTheEndAndRunOverIt(long seed) {
    var random = new Random(seed);
    var model = new HashMap<Long, Long>();
    for (int i = 0; i < 5_000; i++) {
      // A dozen neighbours in the last slot of the table, and a few in its first.
      long hash = random.nextInt(10) == 0 ? 1 + random.nextInt(3) : -1 - random.nextInt(9);
      long part = random.nextLong();
      boolean delete = random.nextBoolean();
      var before = delete ? model.remove(hash) : model.put(hash, part);
      assertThat(delete ? parts.remove(hash) : parts.put(hash, part))
          .as("step " + i)
          .isEqualTo(before == null ? 0 : before);
    }
    assertThat(parts.size()).isEqualTo(model.size());
  }

  @Test
  void isEmptyWhenItWasCleared() {
    for (int i = 0; i < 1_000; i++) {
      parts.put("key" + i, i);
    }
    parts.clear();
    assertThat(parts.size()).isZero();
    assertThat(parts.remove("key1")).isZero();
    assertThat(parts.put("key1", 5)).isZero();
    assertThat(parts.put("key1", 6)).isEqualTo(5);
  }
}
