package dev.holdfast.ledger;

import static dev.holdfast.ledger.Transaction.ABSENT;
import static dev.holdfast.ledger.Transaction.ANY;
import static dev.holdfast.ledger.Transaction.PRESENT;
import static dev.holdfast.ledger.Transaction.at;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.limits.ManualTime;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a {@link Ledger} promises on every {@link Store}. */
public abstract class LedgerContract {
  private static final Duration TTL = Duration.ofSeconds(30);

  private final ManualTime time = new ManualTime();
  private Ledger ledger;

  /** An empty store. */
  protected abstract Store openStore() throws Exception;

  @BeforeEach
  public void openLedger() throws Exception {
    ledger = Ledger.open(openStore(), kinds(), LedgerConfig.defaults(), time);
  }

  @AfterEach
  public void closeLedger() {
    ledger.close();
  }

  /** Five fresh seeds, or the one given with {@code -Dseed=}. */
  public static LongStream seeds() {
    var replay = Long.getLong("seed");
    return replay != null ? LongStream.of(replay) : new Random().longs(5);
  }

  /** The kinds that the contract writes. */
  public static Kinds kinds() {
    return Kinds.of(Service.KIND, Route.KIND);
  }

  @Test
  public void aCompactionSendsFollowersBehindItToTheSnapshot() throws Exception {
    for (int i = 1; i <= 30; i++) {
      append(ledger, i % 3);
    }
    var live = new ArrayList<Sealed>();
    ledger.snapshot(live::add);
    assertThat(ledger.compact(20).orThrow().position()).isEqualTo(20);
    assertThat(ledger.floor()).isEqualTo(20);
    assertThatThrownBy(() -> ledger.read(19, 10))
        .isInstanceOf(HistoryGone.class)
        .hasMessage("position: 19 (expected: at least 20; what was before is compacted)");
    assertThat(ledger.read(20, 100)).hasSize(10);
    var after = new ArrayList<Sealed>();
    assertThat(ledger.snapshot(after::add)).isEqualTo(30);
    assertThat(after).isEqualTo(live);
    assertThat(ledger.compact(31))
        .isEqualTo(Outcome.refused(new Refusal.Invalid("position: 31 (expected: 0 to 30)")));
    append(ledger, 0);
    assertThat(ledger.head()).isEqualTo(31);
  }

  private static void append(Ledger ledger, int name) {
    var service = new Service("s" + name, true, 1);
    ledger
        .append(Transaction.by("test").put(Service.KIND, "service/s" + name, service, ANY))
        .orThrow();
  }

  @Test
  public void anAppendAnswersWhatStandsInTheLedger() throws Exception {
    var receipt = put("a", ANY).orThrow();
    assertThat(receipt.position()).isEqualTo(1);
    assertThat(ledger.head()).isEqualTo(1);
    var entry = receipt.entries().getFirst();
    assertThat(Service.KIND.decode(entry)).isEqualTo(new Service("a", true, 1));
    assertThat(entry.revision()).isEqualTo(1);
    assertThat(entry.actor()).isEqualTo("test");
    assertThat(Envelope.decode(ledger.read(0, 9).getFirst().envelope()))
        .isEqualTo(new Envelope.Decoded.Good(entry));
  }

  @Test
  public void absentMeansNeverWrittenOrDeleted() {
    put("a", ABSENT).orThrow();
    assertThat(refusal(put("a", ABSENT))).isInstanceOf(Refusal.Conflict.class);
    append(Transaction.by("test").delete(Service.key("a"), PRESENT)).orThrow();
    assertThat(put("a", ABSENT).orThrow().entries().getFirst().revision()).isEqualTo(3);
  }

  @Test
  public void presentMeansThereAndNotDeleted() {
    assertThat(refusal(put("a", PRESENT))).isInstanceOf(Refusal.NotFound.class);
    put("a", ANY).orThrow();
    put("a", PRESENT).orThrow();
    append(Transaction.by("test").delete(Service.key("a"), ANY)).orThrow();
    assertThat(refusal(put("a", PRESENT))).isInstanceOf(Refusal.NotFound.class);
    assertThat(refusal(append(Transaction.by("test").require(Service.key("a"), PRESENT))))
        .isInstanceOf(Refusal.NotFound.class);
  }

  @Test
  public void aRevisionMustStillBeTheOneThatWasRead() {
    put("a", at(0)).orThrow();
    put("a", at(1)).orThrow();
    assertThat(refusal(put("a", at(1))))
        .isEqualTo(new Refusal.Stale("revision of service/a: 1 (expected: 2)"));
    assertThat(ledger.head()).isEqualTo(2);
  }

  @Test
  public void deletingWhatIsGoneChangesNothing() {
    put("a", ANY).orThrow();
    assertThat(append(Transaction.by("t").delete(Service.key("a"), ANY)).orThrow().entries())
        .hasSize(1);
    var again = append(Transaction.by("t").delete(Service.key("a"), ANY)).orThrow();
    var never = append(Transaction.by("t").delete(Service.key("b"), ANY)).orThrow();
    assertThat(again.entries()).isEmpty();
    assertThat(never.entries()).isEmpty();
    assertThat(never.position()).isEqualTo(2);
  }

  @Test
  public void aTransactionHappensAsAWholeOrNotAtAll() throws Exception {
    put("a", ANY).orThrow();
    var refused =
        append(
            Transaction.by("test")
                .put(Service.KIND, Service.key("b"), new Service("b", true, 1), ABSENT)
                .grant("drone/d1", "b", TTL, ANY)
                .put(Service.KIND, Service.key("a"), new Service("a", true, 2), ABSENT));
    assertThat(refusal(refused)).isInstanceOf(Refusal.Conflict.class);
    assertThat(ledger.head()).isEqualTo(1);
    assertThat(ledger.latest(Service.key("b"))).isNull();
    assertThat(ledger.leases("")).isEmpty();
    var done =
        append(
                Transaction.by("test")
                    .put(Service.KIND, Service.key("b"), new Service("b", true, 1), ABSENT)
                    .grant("drone/d1", "b", TTL, ANY)
                    .delete(Service.key("a"), PRESENT))
            .orThrow();
    assertThat(done.entries().stream().map(Entry::key))
        .containsExactly("service/b", "lease/drone/d1", "service/a");
    assertThat(done.position()).isEqualTo(4);
  }

  @Test
  public void aRefusedTransactionDisturbsNoneOfItsNeighbours() throws Exception {
    var calls = new ArrayList<Callable<Outcome<Receipt>>>();
    for (int i = 0; i < 60; i++) {
      var name = "s" + i;
      calls.add(() -> put(name, name.endsWith("7") ? PRESENT : ABSENT));
    }
    var outcomes = together(calls);
    for (int i = 0; i < 60; i++) {
      assertThat(outcomes.get(i) instanceof Outcome.Done).as("s" + i).isEqualTo(i % 10 != 7);
    }
    assertThat(ledger.head()).isEqualTo(54);
  }

  @Test
  public void whatIsHeldIsNotGrantedUntilItExpires() throws Exception {
    long first = epoch(grant("drone/d1", "app-a"));
    assertThat(refusal(grant("drone/d1", "app-b")))
        .isEqualTo(new Refusal.Conflict("lease drone/d1: held by app-a"));
    time.advance(TTL.minusMillis(1));
    assertThat(refusal(grant("drone/d1", "app-b"))).isInstanceOf(Refusal.Conflict.class);
    time.advance(Duration.ofMillis(1));
    long second = epoch(grant("drone/d1", "app-b"));
    assertThat(second).isGreaterThan(first);
    assertThat(ledger.leases("drone/"))
        .containsExactly(new Lease("drone/d1", "app-b", second, null, time.now().plus(TTL)));
  }

  @Test
  public void theEpochsOfTheFormerHolderAreFenced() {
    long first = epoch(grant("drone/d1", "app-a"));
    append(Transaction.by("t").fence("drone/d1", first)).orThrow();
    time.advance(TTL);
    append(Transaction.by("t").fence("drone/d1", first)).orThrow(); // late, but nobody took it
    ledger.renew("drone/d1", first, TTL).orThrow();
    time.advance(TTL);
    long second = epoch(grant("drone/d1", "app-b"));
    for (var late :
        List.of(
            append(Transaction.by("t").fence("drone/d1", first)),
            append(Transaction.by("t").end("drone/d1", first)),
            ledger.renew("drone/d1", first, TTL))) {
      assertThat(refusal(late))
          .isEqualTo(
              new Refusal.Stale(
                  "epoch of lease drone/d1: " + first + " (expected: " + second + " of app-b)"));
    }
  }

  @Test
  public void aRenewalMovesTheDeadlineAndWritesNoEntry() throws Exception {
    long epoch = epoch(grant("node/n1", "n1"));
    long head = ledger.head();
    time.advance(TTL.minusMillis(1));
    ledger.renew("node/n1", epoch, TTL).orThrow();
    time.advance(TTL.minusMillis(1));
    assertThat(refusal(grant("node/n1", "n2"))).isInstanceOf(Refusal.Conflict.class);
    assertThat(ledger.head()).isEqualTo(head);
    assertThat(ledger.leases("").getFirst().deadline())
        .isEqualTo(time.now().plus(Duration.ofMillis(1)));
  }

  @Test
  public void aRenewalWithoutTimeIsRefused() {
    long epoch = epoch(grant("node/n1", "n1"));
    assertThat(refusal(ledger.renew("node/n1", epoch, Duration.ZERO)))
        .isEqualTo(new Refusal.Invalid("ttl of node/n1: PT0S (expected: > 0)"));
    assertThat(refusal(ledger.renew("node/n2", 1, TTL))).isInstanceOf(Refusal.Stale.class);
  }

  @Test
  public void whatIsGivenBackCanBeTakenAtOnceUnderAHigherEpoch() {
    long first = epoch(grant("drone/d1", "app-a"));
    append(Transaction.by("t").end("drone/d1", first)).orThrow();
    assertThat(refusal(append(Transaction.by("t").fence("drone/d1", first))))
        .isInstanceOf(Refusal.Stale.class);
    assertThat(epoch(grant("drone/d1", "app-b"))).isGreaterThan(first);
  }

  @Test
  public void aCallerWhoNamesTheRevisionKnowsTheEpoch() {
    assertThat(append(Transaction.by("t").grant("drone/d1", "a", TTL, at(0))).orThrow().epochs())
        .containsEntry("drone/d1", 1L);
    append(Transaction.by("t").end("drone/d1", 1)).orThrow();
    assertThat(refusal(append(Transaction.by("t").grant("drone/d1", "a", TTL, at(1)))))
        .isInstanceOf(Refusal.Stale.class);
    assertThat(append(Transaction.by("t").grant("drone/d1", "a", TTL, at(2))).orThrow().epochs())
        .containsEntry("drone/d1", 3L);
  }

  @Test
  public void aChildLivesAsLongAsItsParent() {
    assertThat(refusal(grantChild("drone/d1", "app-a", "node/n1")))
        .isInstanceOf(Refusal.Stale.class);
    long node = epoch(grant("node/n1", "n1"));
    long child = epoch(grantChild("drone/d1", "app-a", "node/n1"));
    time.advance(TTL.minusMillis(1));
    ledger.renew("node/n1", node, TTL).orThrow();
    time.advance(TTL.minusMillis(1));
    assertThat(refusal(grant("drone/d1", "app-b"))).isInstanceOf(Refusal.Conflict.class);
    assertThat(refusal(ledger.renew("drone/d1", child, TTL))).isInstanceOf(Refusal.Invalid.class);
    time.advance(Duration.ofMillis(1));
    assertThat(epoch(grant("drone/d1", "app-b"))).isGreaterThan(child);
  }

  @Test
  public void aChildDiesWithTheEndOfItsParent() {
    long node = epoch(grant("node/n1", "n1"));
    long child = epoch(grantChild("drone/d1", "app-a", "node/n1"));
    append(Transaction.by("t").end("node/n1", node)).orThrow();
    assertThat(epoch(grant("drone/d1", "app-b"))).isGreaterThan(child);
  }

  @Test
  public void aChildDoesNotComeBackToLifeWithTheNextHolderOfItsParent() {
    epoch(grant("node/n1", "n1"));
    long child = epoch(grantChild("drone/d1", "app-a", "node/n1"));
    time.advance(TTL);
    epoch(grant("node/n1", "n1 after its restart"));
    assertThat(epoch(grantChild("drone/d1", "app-b", "node/n1"))).isGreaterThan(child);
    assertThat(refusal(grant("drone/d1", "app-c"))).isInstanceOf(Refusal.Conflict.class);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  public void concurrentAppendersGetDensePositions(long seed) throws Exception {
    var random = new Random(seed);
    var calls = new ArrayList<Callable<Outcome<Receipt>>>();
    for (int i = 0; i < 200; i++) {
      var name = "s" + random.nextInt(20);
      calls.add(() -> put(name, ANY));
    }
    var positions =
        together(calls).stream()
            .map(outcome -> outcome.orThrow().entries().getFirst().position())
            .sorted()
            .toList();
    assertThat(positions).isEqualTo(LongStream.rangeClosed(1, 200).boxed().toList());
    assertThat(ledger.read(0, 1_000)).hasSize(200);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  public void ofConcurrentGrantsOfOneLeaseExactlyOneWins(long seed) throws Exception {
    var random = new Random(seed);
    for (int round = 0; round < 5; round++) {
      var calls = new ArrayList<Callable<Outcome<Receipt>>>();
      int threads = 2 + random.nextInt(40);
      for (int i = 0; i < threads; i++) {
        var holder = "holder-" + i;
        calls.add(() -> grant("drone/d1", holder));
      }
      var outcomes = together(calls);
      var winners =
          IntStream.range(0, threads)
              .filter(i -> outcomes.get(i) instanceof Outcome.Done)
              .mapToObj(i -> "holder-" + i)
              .toList();
      assertThat(winners).hasSize(1);
      var lease = ledger.leases("drone/").getFirst();
      assertThat(lease.holder()).isEqualTo(winners.getFirst());
      if (random.nextBoolean()) {
        append(Transaction.by("t").end("drone/d1", lease.epoch())).orThrow();
      } else {
        time.advance(TTL);
      }
    }
  }

  private static List<Outcome<Receipt>> together(List<Callable<Outcome<Receipt>>> calls)
      throws InterruptedException, ExecutionException {
    var start = new CountDownLatch(1);
    var futures = new ArrayList<Future<Outcome<Receipt>>>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (var call : calls) {
        futures.add(
            threads.submit(() -> {
              start.await();
              return call.call();
            }));
      }
      start.countDown();
      var outcomes = new ArrayList<Outcome<Receipt>>();
      for (var future : futures) {
        outcomes.add(future.get());
      }
      return outcomes;
    }
  }

  private Outcome<Receipt> put(String name, Transaction.Expect expect) {
    return append(
        Transaction.by("test")
            .put(Service.KIND, Service.key(name), new Service(name, true, 1), expect));
  }

  private Outcome<Receipt> grant(String key, String holder) {
    return append(Transaction.by("test").grant(key, holder, TTL, ANY));
  }

  private Outcome<Receipt> grantChild(String key, String holder, String parent) {
    return append(Transaction.by("test").grantChild(key, holder, parent, ANY));
  }

  private Outcome<Receipt> append(Transaction transaction) {
    return ledger.append(transaction);
  }

  private static long epoch(Outcome<Receipt> outcome) {
    return outcome.orThrow().epochs().values().iterator().next();
  }

  private static Refusal refusal(Outcome<Receipt> outcome) {
    return switch (outcome) {
      case Outcome.Refused<Receipt>(var refusal) -> refusal;
      case Outcome.Done<Receipt>(var receipt) ->
          throw new AssertionError("not refused: " + receipt);
    };
  }
}
