package dev.holdfast.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
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

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void whatWasFilledInPlaceIsTheMapOfTheSameChanges(long seed) {
    var random = new Random(seed);
    int[] hashes = hashes(random);
    int ids = 1 + random.nextInt(3_000);
    var model = new HashMap<Key, Integer>();
    PersistentMap<Key, Integer> map = PersistentMap.open();
    for (int step = 0; step < 4_000; step++) {
      var key = new Key(random.nextInt(ids), 0);
      key = new Key(key.id(), step % 3 == 0 ? hashes[key.id() % hashes.length] : key.id() * 7_919);
      model.put(key, step);
      map = map.with(key, step);
      assertThat(map.get(key)).isEqualTo(step);
      assertThat(map.size()).isEqualTo(model.size());
    }
    assertThat(map.get(new Key(-1, hashes[0]))).isNull();
    assertSame(map, model);
    assertSame(map.settled(), model);
    for (int step = 0; step < 500; step++) {
      var key = List.copyOf(model.keySet()).get(random.nextInt(model.size()));
      if (random.nextBoolean()) {
        model.remove(key);
        map = map.without(key);
        if (model.isEmpty()) {
          break;
        }
      } else {
        model.put(key, -step);
        map = map.with(key, -step);
      }
    }
    assertSame(map, model);
  }

  @Test
  void whatWasSettledStaysWhateverIsPutInAfterwards() {
    PersistentMap<String, Integer> open = PersistentMap.open();
    assertThat(open.settled().size()).isZero();
    open = open.with("a", 1).with("b", 2);
    var before = open.settled();
    open = open.with("a", 3).with("c", 4);
    assertThat(before.get("a")).isEqualTo(1);
    assertThat(before.get("c")).isNull();
    assertThat(before.settled()).isSameAs(before);
    assertThat(open.without("nobody")).isSameAs(open);
    assertThat(open.without("a").get("b")).isEqualTo(2);
    assertThat(open.get("a")).isEqualTo(3);
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
