package dev.holdfast.store;

import static dev.holdfast.ledger.Transaction.ANY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Envelope;
import dev.holdfast.ledger.HistoryGone;
import dev.holdfast.ledger.Kinds;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.LedgerConfig;
import dev.holdfast.ledger.LedgerContract;
import dev.holdfast.ledger.Receipt;
import dev.holdfast.ledger.Service;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.ManualTime;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several processes, or what stands for them, on one database. */
@Timeout(120)
class PostgresSharedTest {
  private static final Duration TTL = Duration.ofSeconds(30);
  private static final Duration LONG = Duration.ofSeconds(30);

  private final String url = PostgresRig.url();

  @Test
  void nothingIsLostDoubledOrReorderedByThirtyTwoWritersOnTwoLedgers() throws Exception {
    var history = new History();
    var random = new Random();
    try (var a = ledger();
        var b = ledger();
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var calls = new ArrayList<Callable<Boolean>>();
      for (int w = 0; w < 32; w++) {
        var writer = new Writing(w % 2 == 0 ? a : b, "w" + w, random.nextLong(), history);
        calls.add(() -> writer.write(60));
      }
      for (var done : threads.invokeAll(calls)) {
        assertThat(done.get()).isTrue();
      }
      int entries = history.check(url);
      assertThat(entries).isEqualTo(history.size());
      for (var ledger : List.of(a, b)) {
        assertThat(ledger.awaitBeyond(entries - 1, LONG)).isEqualTo(entries);
        assertThat(ledger.read(entries - 10, 100)).hasSize(10);
      }
    }
  }

  @Test
  void ofTwoLedgersThatWantOneLeaseOneGetsItWhateverTheirClocksSay() throws Exception {
    var ahead = new ManualTime(); // years away from the database's clock, in either direction
    try (var a = ledger();
        var b = Ledger.open(PostgresRig.open(url), kinds(), LedgerConfig.defaults(), ahead)) {
      for (int round = 0; round < 20; round++) {
        var key = "drone/d" + round;
        var ledgers = List.of(a, b, a, b);
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
          var grants = new ArrayList<Callable<Outcome<Receipt>>>();
          for (var ledger : ledgers) {
            grants.add(() -> ledger.append(Transaction.by("t").grant(key, "x", TTL, ANY)));
          }
          int won = 0;
          for (var grant : threads.invokeAll(grants)) {
            won += grant.get() instanceof Outcome.Done ? 1 : 0;
          }
          assertThat(won).isEqualTo(1);
        }
      }
      assertThat(b.leases("drone/")).hasSize(20);
    }
  }

  @Test
  void whatAnotherProcessWritesIsHeardSoon() throws Exception {
    try (var a = ledger();
        var b = ledger()) {
      for (int i = 1; i <= 5; i++) {
        long head = a.head();
        put(a, "s" + i, "t" + i).orThrow();
        long began = System.nanoTime();
        assertThat(b.awaitBeyond(head, LONG)).isEqualTo(head + 1);
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
        assertThat(b.read(head, 10)).hasSize(1);
      }
    }
  }

  @Test
  void aCompactionByAnotherProcessIsNoticedByReaders() throws Exception {
    try (var a = ledger();
        var b = ledger()) {
      for (int i = 0; i < 30; i++) {
        put(a, "s" + i % 3, "t" + i).orThrow();
      }
      a.compact(20).orThrow();
      assertThatThrownBy(() -> b.read(10, 5)).isInstanceOf(HistoryGone.class);
      assertThat(b.read(20, 100)).hasSize(10);
    }
  }

  @Test
  void whoWasPausedInTheMiddleOfABatchHasWrittenNothing() throws Exception {
    var short1 = PostgresConfig.of(url, null).withBatchWait(Duration.ofMillis(300));
    try (var old = PostgresStore.open(short1, Time.system());
        var b = ledger()) {
      var batch = old.begin();
      var entry = entry(1, "old");
      batch.append(entry, Envelope.encode(entry)); // holds the lock, then says no more
      put(b, "a", "new").orThrow();
      assertThatThrownBy(batch::commit).isInstanceOf(StoreException.class);
      batch.close();
      assertThat(History.entries(url)).extracting(Entry::actor).containsExactly("new");
      try (var again = old.begin()) {
        assertThat(again.head()).isEqualTo(1);
      }
    }
  }

  @Test
  void aProcessThatIsStoppedAndWakesUpHarmsNothing() throws Exception {
    var history = new History();
    PostgresRig.open(url).close();
    var child = Child.start(Stopped.class, url);
    try (var b = ledger()) {
      var random = new Random();
      for (int round = 0; round < 3; round++) {
        for (int i = random.nextInt(20); i >= 0; i--) {
          note(history, child.line());
        }
        signal(child, "STOP");
        for (int i = 0; i < 20; i++) {
          var mark = "r" + round + "-" + i;
          long began = System.nanoTime();
          history.acknowledged(mark, put(b, "s" + i % 5, mark).orThrow().position(), began);
        }
        signal(child, "CONT");
      }
      for (int i = 0; i < 20; i++) {
        note(history, child.line());
      }
    } finally {
      child.kill();
    }
    for (var line = child.line(); line != null; line = child.line()) {
      note(history, line);
    }
    for (var entry : History.entries(url)) { // it died with an answer under way
      if (entry.actor().startsWith("c")) {
        history.unknown(entry.actor());
      }
    }
    assertThat(history.check(url)).isGreaterThanOrEqualTo(history.size());
  }

  @Test
  void aDatabaseThatIsBehindWhatWasSeenIsNotUsed() throws Exception {
    try (var a = ledger(Duration.ofSeconds(1));
        var b = ledger()) {
      put(a, "a", "1").orThrow();
      put(b, "a", "2").orThrow();
      put(a, "a", "3").orThrow();
      try (var connection = PostgresRig.connect(url);
          var statement = connection.createStatement()) {
        statement.execute("UPDATE ledger_head SET epoch = 1"); // as an old primary would have it
      }
      try (var store = PostgresRig.open(url)) {
        assertThat(store.head()).as("who never saw more takes it").isEqualTo(3);
      }
      var refused = Writing.refusal(put(a, "a", "4"));
      assertThat(refused).isInstanceOf(Refusal.Unavailable.class);
      assertThat(refused.message()).contains("old primary");
      assertThat(History.entries(url)).hasSize(3);
    }
  }

  @Test
  void manyMayOpenAnEmptyDatabaseAtOnce() throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var opens = new ArrayList<Callable<String>>();
      for (int i = 0; i < 6; i++) {
        opens.add(() -> {
          try (var store = PostgresRig.open(url)) {
            return store.id();
          }
        });
      }
      var ids = new ArrayList<String>();
      for (var open : threads.invokeAll(opens)) {
        ids.add(open.get());
      }
      assertThat(ids).hasSize(6).containsOnly(ids.getFirst());
      assertThat(ids.getFirst()).hasSize(32);
    }
  }

  private Ledger ledger() throws Exception {
    return ledger(LONG);
  }

  private Ledger ledger(Duration appendWait) throws Exception {
    var config = new LedgerConfig(1_024, 256, appendWait);
    return Ledger.open(PostgresRig.open(url), kinds(), config, Time.system());
  }

  private static Kinds kinds() {
    return LedgerContract.kinds();
  }

  private static Entry entry(long position, String mark) throws Exception {
    return new Entry(
        position,
        "service/a",
        Service.KIND.name(),
        1,
        1,
        Instant.EPOCH,
        mark,
        false,
        Service.KIND.encode(new Service("a", true, 1)));
  }

  static Outcome<Receipt> put(Ledger ledger, String name, String mark) {
    return ledger.append(Writing.put(mark, name));
  }

  private static void note(History history, @Nullable String line) {
    if (line != null && line.endsWith(".")) {
      var parts = line.split(" ", -1);
      history.acknowledged(parts[0], Long.parseLong(parts[1]), Long.parseLong(parts[2]));
    }
  }

  private static void signal(Child child, String signal) throws Exception {
    var kill = new ProcessBuilder("kill", "-" + signal, "" + child.pid()).start();
    assertThat(kill.waitFor()).isZero();
  }
}
