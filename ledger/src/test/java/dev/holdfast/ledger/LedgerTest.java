package dev.holdfast.ledger;

import static dev.holdfast.ledger.Transaction.ANY;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.limits.ManualTime;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is not the store's doing; see {@link LedgerContract} for the rest. */
class LedgerTest {
  private static final Duration LONG = Duration.ofSeconds(20);

  /** Cannot be read back: its compact constructor refuses what it was written with. */
  private record Fickle(int value) {
    static final Kind<Fickle> KIND = Kind.open("fickle", 1, Fickle.class);
    private static boolean strict;

    Fickle {
      if (strict) {
        throw new IllegalArgumentException("fickle");
      }
    }
  }

  private record Blob(String text) {
    static final Kind<Blob> KIND = Kind.open("blob", 1, Blob.class);
  }

  private final MemoryStore memory = new MemoryStore();
  private final GateStore store = new GateStore(memory);
  private Ledger ledger = open(LedgerConfig.defaults());

  private Ledger open(LedgerConfig config) {
    try {
      return Ledger.open(
          store, Kinds.of(Service.KIND, Fickle.KIND, Blob.KIND), config, new ManualTime());
    } catch (StoreException e) {
      throw new AssertionError(e);
    }
  }

  @AfterEach
  void close() {
    store.open();
    ledger.close();
  }

  @Test
  void theGateRefusesAKindThatNobodyCouldRead() {
    var refused =
        ledger.append(
            Transaction.by("t").put(Route.KIND, "route/a", Route.toService("a", "web"), ANY));
    assertInvalid(refused, "kind of route/a: route");
  }

  @Test
  void theGateRefusesWhatIsTooLarge() {
    var blob = new Blob("x".repeat(Entry.PAYLOAD_BYTES_MAX));
    assertInvalid(
        ledger.append(Transaction.by("t").put(Blob.KIND, "b", blob, ANY)), "payload of b");
    assertInvalid(put("x".repeat(600)), "key");
    assertInvalid(ledger.append(Transaction.by("").grant("drone/d1", "a", LONG, ANY)), "actor");
    assertInvalid(ledger.append(Transaction.by("t").grant("a\nb", "a", LONG, ANY)), "key: lease/a");
    assertInvalid(ledger.append(Transaction.by("t").grant("drone/d", "", LONG, ANY)), "holder");
  }

  @Test
  void theGateRefusesWhatItsOwnReaderCannotDecode() {
    Fickle.strict = false;
    var transaction = Transaction.by("t").put(Fickle.KIND, "f", new Fickle(1), ANY);
    Fickle.strict = true;
    assertInvalid(ledger.append(transaction), "payload of f");
    assertThat(ledger.head()).isZero();
  }

  @Test
  void aKeyStandsAtMostOnceInATransaction() {
    assertInvalid(
        ledger.append(Transaction.by("t").delete("a", ANY).delete("a", ANY)), "at most once");
    assertInvalid(ledger.append(Transaction.by("t").fence("d", 1).end("d", 1)), "at most once");
  }

  @Test
  void aFullQueueSaysSoAtOnce() throws Exception {
    ledger.close();
    ledger = open(new LedgerConfig(2, 1, LONG));
    store.shut();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var waiting = new ArrayList<Future<Outcome<Receipt>>>();
      waiting.add(threads.submit(() -> put("a0")));
      store.awaitArrival(); // the writer holds a0, two more fit
      for (int i = 1; i <= 10; i++) {
        var name = "a" + i;
        waiting.add(threads.submit(() -> put(name)));
      }
      long end = System.nanoTime() + LONG.toNanos();
      while (waiting.stream().filter(Future::isDone).count() < 8 && System.nanoTime() < end) {
        Thread.onSpinWait();
      }
      store.open();
      int done = 0;
      for (var future : waiting) {
        switch (future.get(20, TimeUnit.SECONDS)) {
          case Outcome.Done<Receipt> _ -> done++;
          case Outcome.Refused<Receipt>(var refusal) -> {
            assertThat(refusal).isInstanceOf(Refusal.OverBudget.class);
            assertThat(refusal.message()).contains("ledger.queueMax: 2");
          }
        }
      }
      assertThat(done).isEqualTo(3);
    }
  }

  @Test
  void aStoreThatFailsRefusesTheBatchAndHeals() throws Exception {
    put("a").orThrow();
    memory.failWith("the disk is full");
    assertUnavailable(put("b"), "the disk is full");
    assertThat(ledger.head()).isEqualTo(1);
    assertThat(ledger.read(0, 10)).hasSize(1);
    assertThat(ledger.latest("service/b")).isNull();
    memory.failWith(null);
    assertThat(put("b").orThrow().position()).isEqualTo(2);
  }

  @Test
  void anErrorDoesNotEndTheWriterOrLeaveAnybodyWaiting() {
    store.throwAtCommit(new StackOverflowError());
    assertUnavailable(put("a"), "StackOverflowError");
    store.throwAtCommit(null);
    put("a").orThrow();
    assertThat(ledger.head()).isEqualTo(1);
  }

  @Test
  void whatIsCommittedIsDoneWhateverTheBatchThrowsAtItsEnd() throws Exception {
    store.throwAtClose(new IllegalStateException("broken at the end"));
    assertThat(put("a").orThrow().position()).isEqualTo(1);
    assertThat(ledger.head()).isEqualTo(1);
    assertThat(ledger.read(0, 10)).hasSize(1);
  }

  @Test
  void aRowThatTheStoreCannotTakeDisturbsNoNeighbour() throws Exception {
    store.refuseKey("service/bad");
    store.shut();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var first = threads.submit(() -> put("first"));
      store.awaitArrival();
      var good = threads.submit(() -> put("good"));
      var bad = threads.submit(() -> put("bad"));
      store.open();
      first.get(20, TimeUnit.SECONDS).orThrow();
      good.get(20, TimeUnit.SECONDS).orThrow();
      assertUnavailable(bad.get(20, TimeUnit.SECONDS), "cannot take service/bad");
    }
    assertThat(ledger.head()).isEqualTo(2);
  }

  @Test
  void whoeverGaveUpIsNotWritten() throws Exception {
    ledger.close();
    ledger = open(new LedgerConfig(10, 1, Duration.ofMillis(20)));
    store.shut();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var first = threads.submit(() -> put("first"));
      store.awaitArrival();
      assertUnavailable(put("late"), "did not come to it in PT0.02S");
      store.open();
      first.get(20, TimeUnit.SECONDS).orThrow();
    }
    put("after").orThrow();
    assertThat(ledger.latest("service/late")).isNull();
    assertThat(ledger.head()).isEqualTo(2);
  }

  @Test
  void anInterruptIsAnsweredWithYesOrNoAndNeverWithPerhaps() throws Exception {
    store.shut();
    var outcomes = new ArrayList<Outcome<Receipt>>();
    var taken = Thread.ofPlatform().start(() -> outcomes.add(put("taken")));
    store.awaitArrival();
    taken.interrupt();
    var queued = new ArrayList<Outcome<Receipt>>();
    var waiting = Thread.ofPlatform().start(() -> queued.add(put("queued")));
    waiting.interrupt();
    assertThat(waiting.join(LONG)).isTrue();
    assertUnavailable(queued.getFirst(), "interrupted before");
    store.open();
    assertThat(taken.join(LONG)).isTrue();
    outcomes.getFirst().orThrow();
    put("after").orThrow();
    assertThat(ledger.latest("service/queued")).isNull();
  }

  @Test
  void closeFinishesWhatWaits() throws Exception {
    store.shut();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var waiting = new ArrayList<Future<Outcome<Receipt>>>();
      waiting.add(threads.submit(() -> put("s0")));
      store.awaitArrival();
      for (int i = 1; i < 20; i++) {
        var name = "s" + i;
        waiting.add(threads.submit(() -> put(name)));
      }
      var closing = threads.submit(ledger::close);
      store.open();
      closing.get(20, TimeUnit.SECONDS);
      long done = 0;
      for (var future : waiting) {
        switch (future.get(20, TimeUnit.SECONDS)) {
          case Outcome.Done<Receipt> _ -> done++;
          case Outcome.Refused<Receipt>(var refusal) ->
              assertThat(refusal.message()).isEqualTo("the ledger is closed");
        }
      }
      assertThat(done).isEqualTo(memory.head()).isPositive();
    }
    assertUnavailable(put("late"), "the ledger is closed");
  }

  @Test
  void waitingEndsWithTheNextEntryOrWithTheLedger() throws Exception {
    assertThat(ledger.awaitBeyond(0, Duration.ofMillis(1))).isZero();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var first = threads.submit(() -> ledger.awaitBeyond(0, LONG));
      put("a").orThrow();
      assertThat(first.get(10, TimeUnit.SECONDS)).isEqualTo(1);
      var ready = new CountDownLatch(1);
      var second =
          threads.submit(() -> {
            ready.countDown();
            return ledger.awaitBeyond(1, Duration.ofSeconds(60));
          });
      ready.await();
      awaitBlocked(second);
      ledger.close();
      assertThat(second.get(10, TimeUnit.SECONDS)).isEqualTo(1);
    }
    long before = System.nanoTime();
    assertThat(ledger.awaitBeyond(1, Duration.ofMillis(20))).isEqualTo(1);
    assertThat(System.nanoTime() - before).isGreaterThan(15_000_000L); // or followers would spin
  }

  private static void awaitBlocked(Future<?> future) throws Exception {
    try {
      future.get(50, TimeUnit.MILLISECONDS);
      throw new AssertionError("did not wait");
    } catch (TimeoutException e) {
      assertThat(future.isDone()).isFalse();
    } catch (ExecutionException e) {
      throw new AssertionError(e);
    }
  }

  private Outcome<Receipt> put(String name) {
    return ledger.append(
        Transaction.by("t").put(Service.KIND, "service/" + name, new Service("a", true, 1), ANY));
  }

  private static void assertInvalid(Outcome<Receipt> outcome, String message) {
    assertThat(outcome)
        .isInstanceOfSatisfying(
            Outcome.Refused.class,
            refused -> {
              assertThat(refused.refusal()).isInstanceOf(Refusal.Invalid.class);
              assertThat(refused.refusal().message()).contains(message);
            });
  }

  private static void assertUnavailable(Outcome<Receipt> outcome, String message) {
    assertThat(outcome)
        .isInstanceOfSatisfying(
            Outcome.Refused.class,
            refused -> {
              assertThat(refused.refusal()).isInstanceOf(Refusal.Unavailable.class);
              assertThat(refused.refusal().message()).contains(message);
            });
  }
}
