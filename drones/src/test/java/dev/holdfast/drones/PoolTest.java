package dev.holdfast.drones;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Lease;
import dev.holdfast.ledger.Receipt;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.ManualTime;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class PoolTest {
  private static final int THREADS = 8;
  private static final int STEPS = 120;
  private static final DronesConfig CONFIG = config(5, 20_000, 20_010);

  private static DronesConfig config(int drones, int first, int last) {
    return new DronesConfig(
        drones,
        first,
        last,
        Duration.ofSeconds(30),
        Duration.ofSeconds(90),
        Duration.ofSeconds(5),
        Duration.ofSeconds(30),
        Duration.ofSeconds(30),
        Duration.ofHours(1),
        Duration.ofMinutes(10),
        4,
        50,
        1_000);
  }

  /** Traffic of edges that applied everything up to a position. */
  private static final class Edges implements Traffic {
    private long applied = Long.MAX_VALUE;

    @Override
    public boolean applied(long position) {
      return position <= applied;
    }

    @Override
    public int inFlight(String service, String endpointId) {
      return 0;
    }

    @Override
    public void forget(String service, String endpointId) {}
  }

  @TestFactory
  List<DynamicTest> neverGivesOneDroneOrPortToTwo() {
    var given = Long.getLong("seed");
    var seeds = given != null ? LongStream.of(given) : LongStream.rangeClosed(1, 12);
    return seeds
        .mapToObj(seed -> DynamicTest.dynamicTest("seed " + seed, () -> placeConcurrently(seed)))
        .toList();
  }

  private static void placeConcurrently(long seed) throws Exception {
    var written = Collections.synchronizedList(new ArrayList<Receipt>());
    try (var books = new Books()) {
      books
          .append(
              Transaction.by("test").grant("node/n", "n", Duration.ofHours(1), Transaction.ABSENT))
          .orThrow();
      var threads =
          IntStream.range(0, THREADS)
              .mapToObj(i ->
                  Thread.ofVirtual()
                      .start(() -> tenant("app" + i, new Random(seed * 31 + i), books, written)))
              .toList();
      for (var thread : threads) {
        assertThat(thread.join(Duration.ofSeconds(30))).isTrue();
      }
    }
    var entries =
        written.stream()
            .flatMap(r -> r.entries().stream())
            .sorted(Comparator.comparingLong(Entry::position))
            .toList();
    check(entries);
    // Everybody got something, and somebody was refused: otherwise nothing was proved.
    assertThat(written.size()).isGreaterThan(THREADS).isLessThan(THREADS * STEPS);
  }

  /** Places and ends processes of one app, often deciding from a view that is long past. */
  private static void tenant(String app, Random random, Books books, List<Receipt> written) {
    var pool = new Pool(CONFIG, new Edges(), new ManualTime());
    var mine = new ArrayList<Instance>();
    var fleet = books.follower.view().value();
    for (int i = 0; i < STEPS; i++) {
      if (random.nextInt(3) > 0) {
        fleet = books.follower.view().value();
      }
      var transaction = Transaction.by(app);
      if (!mine.isEmpty() && random.nextInt(2) == 0) {
        var leaving = mine.removeLast();
        transaction
            .delete(leaving.key(), Transaction.PRESENT)
            .end(leaving.droneLease(), leaving.epoch())
            .end(Instance.portLease(leaving.port()), portEpoch(written, leaving));
        written.add(books.append(transaction).orThrow());
        continue;
      }
      var instance = pool.choose(fleet, new Action.Place(app, "web", 1, 1));
      if (instance != null) {
        Pool.grant(transaction, fleet, instance, "node/n");
        transaction.put(Instance.KIND, instance.key(), instance, Transaction.ABSENT);
        if (books.append(transaction) instanceof Outcome.Done<Receipt>(var receipt)) {
          written.add(receipt);
          mine.add(instance);
        }
      }
    }
  }

  private static long portEpoch(List<Receipt> written, Instance instance) {
    synchronized (written) {
      return written.stream()
          .filter(r -> r.entries().stream().anyMatch(e -> e.key().equals(instance.key())))
          .mapToLong(r -> r.epochs().getOrDefault(Instance.portLease(instance.port()), 0L))
          .findFirst()
          .orElseThrow();
    }
  }

  /** An oracle of its own: reads the entries in order and believes nothing else. */
  private static void check(List<Entry> entries) {
    Map<String, Lease.State> leases = new HashMap<>();
    Map<String, Instance> instances = new HashMap<>();
    Map<Integer, String> drones = new HashMap<>();
    Map<Integer, String> ports = new HashMap<>();
    for (var entry : entries) {
      if (entry.kind().equals("lease")) {
        var state = Lease.KIND.decode(entry);
        var before = leases.put(entry.key(), state);
        if (state.held()) {
          assertThat(before == null || !before.held()).as("free before " + entry).isTrue();
          assertThat(state.epoch()).isGreaterThan(before == null ? 0 : before.epoch());
        }
      } else if (entry.deleted()) {
        var gone = Objects.requireNonNull(instances.remove(entry.key()));
        drones.remove(gone.drone());
        ports.remove(gone.port());
      } else {
        var instance = Instance.KIND.decode(entry);
        assertThat(instances.put(entry.key(), instance)).isNull();
        assertThat(drones.put(instance.drone(), entry.key())).as("drone " + entry).isNull();
        assertThat(ports.put(instance.port(), entry.key())).as("port " + entry).isNull();
        var key = Lease.entryKey(instance.droneLease());
        var lease = Objects.requireNonNull(leases.get(key), key);
        assertThat(lease.epoch()).as("epoch of " + entry.key()).isEqualTo(instance.epoch());
        assertThat(lease.held()).isTrue();
      }
    }
  }

  private static Instance choose(Pool pool, Books books, int index) {
    var place = new Action.Place("shop", "web", index, 1);
    return Objects.requireNonNull(pool.choose(books.fleet(), place));
  }

  @Test
  void aPortRestsUntilEveryEdgeForgotItAndThenSomeMore() throws Exception {
    var time = new ManualTime();
    var edges = new Edges();
    var pool = new Pool(config(2, 20_000, 20_003), edges, time);
    try (var books = new Books()) {
      books
          .append(
              Transaction.by("test").grant("node/n", "n", Duration.ofHours(1), Transaction.ABSENT))
          .orThrow();
      var instance = choose(pool, books, 1);
      var transaction = Transaction.by("test");
      Pool.grant(transaction, books.fleet(), instance, "node/n");
      transaction.put(Instance.KIND, instance.key(), instance, Transaction.ABSENT);
      long placed = books.append(transaction).orThrow().position();
      assertThat(pool.rested(books.fleet(), placed)).isEmpty();
      books.append(Transaction.by("test").delete(instance.key(), Transaction.PRESENT)).orThrow();
      edges.applied = placed;
      assertThat(pool.rested(books.fleet(), placed + 1)).isEmpty();
      time.advance(Duration.ofSeconds(31));
      assertThat(pool.rested(books.fleet(), placed + 1)).isEmpty(); // one edge lags
      edges.applied = placed + 1;
      assertThat(pool.rested(books.fleet(), placed + 2))
          .containsExactly(new Pool.Rested(Instance.portLease(instance.port()), 1));
      // What rests is not given out: of four ports, the next three are others.
      for (int i = 0; i < 4; i++) {
        var next = choose(pool, books, 2);
        assertThat(next.port()).isNotEqualTo(instance.port());
      }
    }
  }

  @Test
  void aPoolWithoutAFreeDroneGivesNothing() throws Exception {
    var pool = new Pool(config(1, 20_000, 20_003), new Edges(), Time.system());
    try (var books = new Books()) {
      books.place("shop", "worker", 1, 1, Instance.State.UP);
      assertThat(pool.choose(books.fleet(), new Action.Place("shop", "web", 1, 1))).isNull();
      assertThat(pool.used(books.fleet())).isEqualTo(1);
    }
  }
}
