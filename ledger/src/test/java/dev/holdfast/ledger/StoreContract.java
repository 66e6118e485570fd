package dev.holdfast.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every {@link Store} promises, whoever calls it. */
public abstract class StoreContract {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00.123Z");

  private Store store;

  /** The store; called again after {@link Store#close}, it opens the same rows. */
  protected abstract Store open() throws Exception;

  @BeforeEach
  public void openStore() throws Exception {
    store = open();
  }

  @AfterEach
  public void closeStore() {
    store.close();
  }

  /** Five fresh seeds, or the one given with {@code -Dseed=}. */
  public static LongStream seeds() {
    var replay = Long.getLong("seed");
    return replay != null ? LongStream.of(replay) : new Random().longs(5);
  }

  @Test
  public void anEmptyStoreHasNothing() throws Exception {
    assertThat(store.head()).isZero();
    assertThat(store.read(0, 10)).isEmpty();
    assertThat(store.latest("service/a")).isNull();
    assertThat(store.leases("")).isEmpty();
    assertThat(snapshot()).isEmpty();
    try (var batch = store.begin()) {
      assertThat(batch.head()).isZero();
      assertThat(batch.head("service/a")).isNull();
      assertThat(batch.lease("drone/d1")).isNull();
    }
  }

  @Test
  public void anEntryIsReadBackAsItWasWritten() throws Exception {
    var entry = entry(1, "service/ä", 1, false);
    write(entry);
    var sealed = new Sealed(1, Envelope.encode(entry));
    assertThat(store.head()).isEqualTo(1);
    assertThat(store.read(0, 10)).containsExactly(sealed);
    assertThat(store.latest("service/ä")).isEqualTo(sealed);
    assertThat(snapshot()).containsExactly(sealed);
  }

  @Test
  public void aBatchSeesItsOwnWritesAndNobodyElseDoesBeforeTheCommit() throws Exception {
    try (var batch = store.begin()) {
      append(batch, entry(1, "service/a", 1, false));
      append(batch, entry(2, "service/a", 2, true));
      batch.grant(lease("drone/d1", 1));
      assertThat(batch.head()).isEqualTo(2);
      assertThat(batch.head("service/a")).isEqualTo(new Store.Head(2, 2, true, "service"));
      assertThat(batch.lease("drone/d1")).isEqualTo(lease("drone/d1", 1));
      assertThat(store.head()).isZero();
      assertThat(store.read(0, 10)).isEmpty();
      assertThat(store.leases("")).isEmpty();
      batch.commit();
    }
    assertThat(store.head()).isEqualTo(2);
    assertThat(store.leases("")).hasSize(1);
  }

  @Test
  public void aBatchThatIsClosedWithoutCommitLeavesNothing() throws Exception {
    write(entry(1, "service/a", 1, false));
    var dropped = store.begin();
    append(dropped, entry(2, "service/a", 2, false));
    append(dropped, entry(3, "service/b", 1, false));
    dropped.grant(lease("drone/d1", 1));
    dropped.close();
    dropped.close();
    assertThat(store.head()).isEqualTo(1);
    assertThat(store.latest("service/b")).isNull();
    assertThat(store.leases("")).isEmpty();
    try (var batch = store.begin()) {
      assertThat(batch.head("service/a")).isEqualTo(new Store.Head(1, 1, false, "service"));
      assertThat(batch.lease("drone/d1")).isNull();
    }
    write(entry(2, "service/b", 1, false));
    assertThat(store.head()).isEqualTo(2);
  }

  @Test
  public void positionsAreDenseAndTheStoreItselfMakesSure() throws Exception {
    write(entry(1, "service/a", 1, false));
    for (long position : new long[] {1, 3, 99}) {
      try (var batch = store.begin()) {
        assertThatThrownBy(() -> append(batch, entry(position, "service/b", 1, false)))
            .isInstanceOf(StoreException.class)
            .hasMessageContaining("" + position);
      }
    }
    assertThat(store.head()).isEqualTo(1);
  }

  @Test
  public void revisionsOfAKeyAreDenseAndTheStoreItselfMakesSure() throws Exception {
    write(entry(1, "service/a", 1, false));
    for (long revision : new long[] {1, 3}) {
      try (var batch = store.begin()) {
        assertThatThrownBy(() -> append(batch, entry(2, "service/a", revision, false)))
            .isInstanceOf(StoreException.class);
      }
    }
    try (var batch = store.begin()) {
      assertThatThrownBy(() -> append(batch, entry(2, "service/new", 2, false)))
          .isInstanceOf(StoreException.class);
    }
    assertThat(store.head()).isEqualTo(1);
  }

  @Test
  public void readsAnswerInOrderAfterAPositionAndNoMoreThanAsked() throws Exception {
    try (var batch = store.begin()) {
      for (long i = 1; i <= 20; i++) {
        append(batch, entry(i, "service/s" + i, 1, false));
      }
      batch.commit();
    }
    assertThat(store.read(0, 100).stream().map(Sealed::position))
        .containsExactlyElementsOf(LongStream.rangeClosed(1, 20).boxed().toList());
    assertThat(store.read(7, 3).stream().map(Sealed::position)).containsExactly(8L, 9L, 10L);
    assertThat(store.read(19, 3).stream().map(Sealed::position)).containsExactly(20L);
    assertThat(store.read(20, 3)).isEmpty();
    assertThat(store.read(99, 3)).isEmpty();
  }

  @Test
  public void aSnapshotHasTheNewestOfEveryLiveKeyInOrderOfPosition() throws Exception {
    write(
        entry(1, "service/z", 1, false),
        entry(2, "service/a", 1, false),
        entry(3, "service/gone", 1, false),
        entry(4, "service/z", 2, false),
        entry(5, "service/gone", 2, true));
    var seen = new ArrayList<Sealed>();
    assertThat(store.snapshot(seen::add)).isEqualTo(5);
    assertThat(seen.stream().map(Sealed::position)).containsExactly(2L, 4L);
    assertThat(store.latest("service/gone"))
        .isEqualTo(new Sealed(5, Envelope.encode(entry(5, "service/gone", 2, true))));
    write(entry(6, "service/gone", 3, false));
    assertThat(snapshot().stream().map(Sealed::position)).containsExactly(2L, 4L, 6L);
  }

  @Test
  public void theNewestOfEveryKeyIsReadAfterAPositionDeletionsIncluded() throws Exception {
    write(
        entry(1, "service/z", 1, false),
        entry(2, "service/a", 1, false),
        entry(3, "service/gone", 1, false),
        entry(4, "service/z", 2, false),
        entry(5, "service/gone", 2, true));
    assertThat(positions(store.newest(0, 10))).containsExactly(2L, 4L, 5L);
    assertThat(positions(store.newest(2, 10))).containsExactly(4L, 5L);
    assertThat(positions(store.newest(0, 2))).containsExactly(2L, 4L);
    assertThat(store.newest(5, 10)).isEmpty();
    assertThat(store.counts()).containsExactly(new Store.Count("service", 2, 1));
  }

  @Test
  public void aCompactionLeavesTheNewestOfEveryKeyAndEverythingBeyondIt() throws Exception {
    write(
        entry(1, "service/a", 1, false),
        entry(2, "service/b", 1, false),
        entry(3, "service/a", 2, false),
        entry(4, "service/b", 2, true),
        entry(5, "service/a", 3, false),
        entry(6, "service/a", 4, false));
    var live = snapshot();
    var newest = store.newest(0, 10);
    assertThat(compact(0, 4, 100)).isEqualTo(new Store.Compacted(4, 3));
    assertThat(store.floor()).isEqualTo(4);
    assertThat(positions(store.read(0, 10))).containsExactly(4L, 5L, 6L);
    assertThat(positions(store.read(4, 10))).containsExactly(5L, 6L);
    assertThat(snapshot()).isEqualTo(live);
    assertThat(store.newest(0, 10)).isEqualTo(newest);
    assertThat(store.head()).isEqualTo(6);
    assertThat(compact(0, 2, 100)).isEqualTo(new Store.Compacted(2, 0));
    assertThat(store.floor()).as("it never falls").isEqualTo(4);
    write(entry(7, "service/b", 3, false), entry(8, "service/a", 5, false));
    assertThat(compact(0, 7, 100)).isEqualTo(new Store.Compacted(7, 3));
    assertThat(positions(store.read(0, 10))).containsExactly(7L, 8L);
    store.close();
    store = open();
    assertThat(store.floor()).isEqualTo(7);
    assertThat(store.head()).isEqualTo(8);
  }

  @Test
  public void aCompactionGoesInStepsAndNotAtAllWithoutItsCommit() throws Exception {
    write(entry(1, "service/a", 1, false), entry(2, "service/a", 2, false));
    write(entry(3, "service/a", 3, false), entry(4, "service/a", 4, false));
    try (var batch = store.begin()) {
      assertThat(batch.compact(0, 4, 100)).isEqualTo(new Store.Compacted(4, 3));
    }
    assertThat(store.floor()).isZero();
    assertThat(store.read(0, 10)).hasSize(4);
    assertThat(compact(0, 4, 2)).isEqualTo(new Store.Compacted(2, 2));
    assertThat(store.floor()).isEqualTo(2);
    assertThat(compact(2, 4, 2)).isEqualTo(new Store.Compacted(4, 1));
    assertThat(positions(store.read(0, 10))).containsExactly(4L);
  }

  @Test
  public void theNameOfALedgerIsTheSameEachTime() throws Exception {
    var id = store.id();
    assertThat(id).isNotEmpty();
    store.close();
    store = open();
    assertThat(store.id()).isEqualTo(id);
  }

  private Store.Compacted compact(long from, long upTo, int max) throws StoreException {
    try (var batch = store.begin()) {
      var done = batch.compact(from, upTo, max);
      batch.commit();
      return done;
    }
  }

  private static List<Long> positions(List<Sealed> entries) {
    return entries.stream().map(Sealed::position).toList();
  }

  @Test
  public void aReaderThatThrowsBreaksNothing() throws Exception {
    write(entry(1, "service/a", 1, false));
    assertThatThrownBy(() ->
            store.snapshot(sealed -> {
              throw new IllegalStateException("enough");
            }))
        .hasMessage("enough");
    assertThat(snapshot()).hasSize(1);
    write(entry(2, "service/b", 1, false));
    assertThat(snapshot()).hasSize(2);
  }

  @Test
  public void noTwoRowsForOneLeaseEvenIfTheCallerDidNotLook() throws Exception {
    try (var batch = store.begin()) {
      batch.grant(lease("drone/d1", 1));
      batch.commit();
    }
    var usurper = new Lease("drone/d1", "usurper", 2, null, NOW);
    try (var batch = store.begin()) {
      assertThatThrownBy(() -> batch.grant(usurper)).isInstanceOf(StoreException.class);
    }
    assertThat(store.leases("drone/")).containsExactly(lease("drone/d1", 1));
    try (var batch = store.begin()) {
      batch.end("drone/d1");
      batch.grant(usurper);
      batch.commit();
    }
    assertThat(store.leases("drone/")).containsExactly(usurper);
  }

  @Test
  public void aRenewalMovesTheDeadlineOfExactlyThatEpoch() throws Exception {
    try (var batch = store.begin()) {
      batch.grant(lease("node/n1", 3));
      batch.grant(new Lease("drone/d1", "n1", 1, "node/n1", null));
      batch.commit();
    }
    var later = new Lease("node/n1", "holder", 3, null, NOW.plusSeconds(99));
    try (var batch = store.begin()) {
      batch.renew(later);
      batch.commit();
    }
    assertThat(store.leases("node/")).containsExactly(later);
    for (var wrong :
        List.of(
            new Lease("node/n1", "holder", 2, null, NOW),
            new Lease("node/n2", "holder", 3, null, NOW))) {
      try (var batch = store.begin()) {
        assertThatThrownBy(() -> batch.renew(wrong)).isInstanceOf(StoreException.class);
      }
    }
    assertThat(store.leases(""))
        .containsExactly(new Lease("drone/d1", "n1", 1, "node/n1", null), later);
  }

  @Test
  public void leasesAreListedByPrefixInOrderOfKey() throws Exception {
    try (var batch = store.begin()) {
      for (var key : List.of("drone/d2", "node/n1", "drone/d10", "dron", "drone0", "drone/d1")) {
        batch.grant(lease(key, 1));
      }
      batch.commit();
    }
    assertThat(store.leases("drone/").stream().map(Lease::key))
        .containsExactly("drone/d1", "drone/d10", "drone/d2");
    assertThat(store.leases("x")).isEmpty();
    assertThat(store.leases("")).hasSize(6);
  }

  @Test
  public void everythingIsThereAfterReopening() throws Exception {
    write(entry(1, "service/a", 1, false), entry(2, "service/a", 2, true));
    try (var batch = store.begin()) {
      batch.grant(lease("drone/d1", 7));
      batch.commit();
    }
    var before = store.read(0, 10);
    store.close();
    store.close();
    store = open();
    assertThat(store.head()).isEqualTo(2);
    assertThat(store.read(0, 10)).isEqualTo(before).hasSize(2);
    assertThat(store.leases("")).containsExactly(lease("drone/d1", 7));
    write(entry(3, "service/a", 3, false));
    assertThat(store.head()).isEqualTo(3);
  }

  @Test
  public void theLargestEntryFits() throws Exception {
    var payload = Payload.of("x".repeat(Entry.PAYLOAD_BYTES_MAX));
    var entry =
        new Entry(
            1,
            "k".repeat(Entry.KEY_BYTES_MAX),
            "k".repeat(Entry.KIND_BYTES_MAX),
            1,
            1,
            NOW,
            "a".repeat(Entry.ACTOR_BYTES_MAX),
            false,
            payload);
    write(entry);
    assertThat(Envelope.decode(store.read(0, 1).getFirst().envelope()))
        .isEqualTo(new Envelope.Decoded.Good(entry));
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  public void anyRunOfBatchesEqualsTheModel(long seed) throws Exception {
    var random = new Random(seed);
    var log = new ArrayList<Entry>();
    var heads = new HashMap<String, Entry>();
    var leases = new TreeMap<String, Lease>();
    for (int round = 0; round < 25; round++) {
      var newLog = new ArrayList<>(log);
      var newHeads = new HashMap<>(heads);
      var newLeases = new TreeMap<>(leases);
      try (var batch = store.begin()) {
        for (int i = random.nextInt(6); i > 0; i--) {
          var key = "service/s" + random.nextInt(8);
          var head = newHeads.get(key);
          long revision = head == null ? 1 : head.revision() + 1;
          var entry = entry(newLog.size() + 1, key, revision, random.nextInt(4) == 0);
          append(batch, entry);
          newLog.add(entry);
          newHeads.put(key, entry);
          var leaseKey = "drone/d" + random.nextInt(4);
          if (newLeases.remove(leaseKey) == null) {
            batch.grant(lease(leaseKey, entry.position()));
            newLeases.put(leaseKey, lease(leaseKey, entry.position()));
          } else {
            batch.end(leaseKey);
          }
        }
        if (random.nextInt(3) > 0) {
          batch.commit();
          log = newLog;
          heads = newHeads;
          leases = newLeases;
        }
      }
    }
    assertThat(store.head()).isEqualTo(log.size());
    assertThat(store.read(0, 10_000)).isEqualTo(log.stream().map(StoreContract::seal).toList());
    assertThat(store.leases("")).isEqualTo(List.copyOf(leases.values()));
    assertThat(snapshot())
        .isEqualTo(
            log.stream()
                .filter(entry -> !entry.deleted())
                .filter(heads::containsValue)
                .map(StoreContract::seal)
                .toList());
  }

  /** An entry of kind service with a payload that its kind can read. */
  public static Entry entry(long position, String key, long revision, boolean deleted) {
    var payload =
        deleted ? Payload.EMPTY : Service.KIND.encode(new Service("s" + position, true, 1));
    return new Entry(position, key, "service", 1, revision, NOW, "test", deleted, payload);
  }

  private static Sealed seal(Entry entry) {
    return new Sealed(entry.position(), Envelope.encode(entry));
  }

  private static Lease lease(String key, long epoch) {
    return new Lease(key, "holder", epoch, null, NOW.plusSeconds(epoch));
  }

  private static void append(Store.Batch batch, Entry entry) throws StoreException {
    batch.append(entry, Envelope.encode(entry));
  }

  private void write(Entry... entries) throws StoreException {
    try (var batch = store.begin()) {
      for (var entry : entries) {
        append(batch, entry);
      }
      batch.commit();
    }
  }

  private List<Sealed> snapshot() throws StoreException {
    var seen = new ArrayList<Sealed>();
    store.snapshot(seen::add);
    return seen;
  }
}
