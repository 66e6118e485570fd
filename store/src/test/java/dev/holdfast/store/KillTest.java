package dev.holdfast.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ledger.Envelope;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.LedgerConfig;
import dev.holdfast.ledger.LedgerContract;
import dev.holdfast.ledger.Sealed;
import dev.holdfast.ledger.Service;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Time;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What was acknowledged is there, whenever the process is killed. */
class KillTest {
  private static final int ROUNDS = 5; // kills of one ledger, each continuing where the last ended
  private static final int APPENDERS = 4;

  @TempDir private Path home;

  static LongStream seeds() {
    var replay = Long.getLong("seed");
    return replay != null ? LongStream.of(replay) : new Random().longs(2);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void whatWasAcknowledgedSurvivesKill9(long seed) throws Exception {
    var random = new Random(seed);
    var acknowledged = new HashMap<Long, String>();
    for (int round = 0; round < ROUNDS; round++) {
      var child = Child.start(Appender.class, home.toString(), "" + round);
      try {
        for (int lines = 1 + random.nextInt(300); lines > 0; lines--) {
          note(acknowledged, child.line());
        }
        LockSupport.parkNanos(random.nextInt(3_000_000)); // anywhere within a commit
      } finally {
        child.kill();
      }
      for (var line = child.line(); line != null; line = child.line()) {
        note(acknowledged, line);
      }
      var report = SqliteStore.check(home.resolve(SqliteStore.FILE));
      assertThat(report.problems()).isEmpty();
      assertThat(report.head()).isGreaterThanOrEqualTo(acknowledged.size());
      assertKept(acknowledged);
    }
  }

  private void assertKept(Map<Long, String> acknowledged) throws Exception {
    try (var lock = HomeLock.acquire(home);
        var store = SqliteStore.open(home, StoreConfig.defaults())) {
      assertThat(lock).isNotNull();
      long last = 0;
      var keys = new HashMap<Long, String>();
      for (var batch = store.read(0, 512); !batch.isEmpty(); batch = store.read(last, 512)) {
        for (var sealed : batch) {
          assertThat(sealed.position()).isEqualTo(last + 1);
          last++;
          keys.put(last, key(sealed));
        }
      }
      assertThat(keys).containsAllEntriesOf(acknowledged);
    }
  }

  private static String key(Sealed sealed) {
    return switch (Envelope.decode(sealed.envelope())) {
      case Envelope.Decoded.Good(var entry) -> entry.key();
      case Envelope.Decoded.Unreadable(var cause) -> throw new AssertionError(cause);
    };
  }

  /** A line that the kill cut short acknowledged nothing. */
  private static void note(Map<Long, String> acknowledged, @Nullable String line) {
    if (line != null && line.endsWith(".")) {
      var parts = line.split(" ", -1);
      acknowledged.put(Long.valueOf(parts[0]), parts[1]);
    }
  }

  /** Appends as fast as it can and prints every position that was acknowledged. */
  static final class Appender {
    private Appender() {}

    public static void main(String[] args) throws Exception {
      var home = Path.of(args[0]);
      var lock = HomeLock.acquire(home);
      var store = SqliteStore.open(home, StoreConfig.defaults());
      var config = new LedgerConfig(1_024, 256, Duration.ofMinutes(1));
      var ledger = Ledger.open(store, LedgerContract.kinds(), config, Time.system());
      var out = new PrintStream(System.out, true, UTF_8);
      for (int a = 0; a < APPENDERS; a++) {
        var prefix = "r" + args[1] + "-" + a + "-";
        Thread.ofPlatform().start(() -> append(ledger, prefix, out));
      }
      Thread.currentThread().join();
      lock.close();
    }

    private static void append(Ledger ledger, String prefix, PrintStream out) {
      for (int i = 0; i < 1_000_000; i++) {
        var name = prefix + i % 50;
        var receipt =
            ledger
                .append(
                    Transaction.by("kill")
                        .put(
                            Service.KIND,
                            Service.key(name),
                            new Service(name, true, i),
                            Transaction.ANY))
                .orThrow();
        out.println(receipt.entries().getFirst().position() + " " + Service.key(name) + " .");
      }
    }
  }
}
