package dev.holdfast.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PersistentMapTest {

  static LongStream seeds() {
    var replay = Long.getLong("seed");
    return replay != null ? LongStream.of(replay) : new Random().longs(50);
  }

  /** A key whose hash is chosen, so that collisions happen at every depth. */
  private record Key(int id, int hash) {
    @Override
    public int hashCode() {
      return hash;
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void isAHashMapOfWhichEveryVersionStays(long seed) {
    var random = new Random(seed);
    int[] hashes = hashes(random);
    var model = new HashMap<Key, Integer>();
    PersistentMap<Key, Integer> map = PersistentMap.empty();
    var oldModel = Map.copyOf(model);
    var oldMap = map;
    for (int step = 0; step < 1_500; step++) {
      int id = random.nextInt(60);
      var key = new Key(id, hashes[id % hashes.length]);
      if (random.nextInt(5) < (step / 300 % 2 == 0 ? 4 : 1)) {
        model.put(key, step);
        map = map.with(key, step);
      } else {
        model.remove(key);
        map = map.without(key);
      }
      assertThat(map.get(key)).isEqualTo(model.get(key));
      if (step % 50 == 0) {
        assertSame(map, model);
        assertSame(oldMap, oldModel);
        oldModel = Map.copyOf(model);
        oldMap = map;
      }
    }
    for (var key : Map.copyOf(model).keySet()) {
      map = map.without(key);
      model.remove(key);
      assertSame(map, model);
    }
    assertThat(map.size()).isZero();
  }

  @Test
  void removingWhatIsNotThereIsTheSameMap() {
    var map = PersistentMap.<String, Integer>empty().with("a", 1);
    assertThat(map.without("b")).isSameAs(map);
    assertThat(PersistentMap.<String, Integer>empty().without("a").size()).isZero();
  }

  @Test
  void equalHashesAtTheBottomStayApart() {
    PersistentMap<Key, Integer> map = PersistentMap.empty();
    for (int i = 0; i < 100; i++) {
      map = map.with(new Key(i, -1), i);
    }
    map = map.with(new Key(1_000, 0x7fff_ffff), 1_000);
    assertThat(map.size()).isEqualTo(101);
    for (int i = 0; i < 99; i++) {
      map = map.without(new Key(i, -1));
    }
    assertThat(map.get(new Key(99, -1))).isEqualTo(99);
    assertThat(map.get(new Key(0, -1))).isNull();
    assertThat(map.get(new Key(1_000, 0x7fff_ffff))).isEqualTo(1_000);
    assertThat(map.size()).isEqualTo(2);
  }

  private static int[] hashes(Random random) {
    int[] hashes = new int[1 + random.nextInt(40)];
    int few = random.nextInt();
    for (int i = 0; i < hashes.length; i++) {
      // Equal low bits share a path down the tree, equal in all they end in one bucket.
      hashes[i] = random.nextBoolean() ? few : few ^ (random.nextInt() << random.nextInt(32));
    }
    return hashes;
  }

  private static void assertSame(PersistentMap<Key, Integer> map, Map<Key, Integer> model) {
    var seen = new HashMap<Key, Integer>();
    map.forEach((key, value) -> assertThat(seen.put(key, value)).isNull());
    assertThat(seen).isEqualTo(model);
    assertThat(map.size()).isEqualTo(model.size());
    model.forEach((key, value) -> assertThat(map.get(key)).isEqualTo(value));
  }
}
