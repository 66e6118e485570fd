package dev.holdfast.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Time;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A ledger with some live keys, and all that can be wrong with what comes next. */
abstract class PoisonStage {
  static final Duration LONG = Duration.ofSeconds(20);
  static final Time TIME = Time.system();
  static final int LIVE = 100;

  /** What a follower does about a poison. */
  enum Row {
    QUARANTINES,
    FREEZES,
    PASSES
  }

  enum Poison {
    BROKEN_PAYLOAD(Row.QUARANTINES),
    UNKNOWN_TYPE(Row.QUARANTINES), // of a key that is served; of another key it is nobody's
    FUTURE_SCHEMA(Row.QUARANTINES),
    TEN_MEBIBYTES(Row.FREEZES),
    DEEP_NESTING(Row.QUARANTINES),
    BAD_CRC(Row.FREEZES),
    GAP(Row.FREEZES),
    DUPLICATE(Row.PASSES),
    MASS_DELETION(Row.FREEZES);

    final Row row;

    Poison(Row row) {
      this.row = row;
    }
  }

  static final Fold<PersistentMap<String, String>> NAMES =
      new Fold<>() {
        @Override
        public PersistentMap<String, String> start() {
          return PersistentMap.empty();
        }

        @Override
        public boolean reads(String kind) {
          return kind.equals(Service.KIND.name());
        }

        @Override
        public boolean shows(PersistentMap<String, String> view, Entry entry) {
          var shown = view.get(entry.key());
          return entry.deleted() ? shown == null : Service.KIND.decode(entry).name().equals(shown);
        }

        @Override
        public PersistentMap<String, String> apply(
            PersistentMap<String, String> view, Entry entry) {
          if (!reads(entry.kind())) {
            return view;
          }
          return entry.deleted()
              ? view.without(entry.key())
              : view.with(entry.key(), Service.KIND.decode(entry).name());
        }
      };

  @TempDir Path folder;
  final MemoryStore store = new MemoryStore();
  final StoreFeed feed = new StoreFeed(store);
  final List<AutoCloseable> parts = new ArrayList<>();
  Ledger ledger;
  volatile boolean ended;

  @BeforeEach
  void open() throws Exception {
    ledger = Ledger.open(store, Kinds.of(Service.KIND), LedgerConfig.defaults(), TIME);
    parts.add(ledger);
    IntStream.range(0, LIVE).forEach(i -> put("s" + i).orThrow());
  }

  @AfterEach
  void close() throws Exception {
    ended = true;
    for (var part : parts.reversed()) {
      part.close();
    }
  }

  Outcome<Receipt> put(String name) {
    return ledger.append(
        Transaction.by("test")
            .put(Service.KIND, Service.key(name), new Service(name, true, 1), Transaction.ANY));
  }

  Follower<PersistentMap<String, String>> follow(Feed from) throws InterruptedException {
    var follower =
        new Follower<>(
            "test",
            from,
            NAMES,
            FollowerConfig.defaults().withPatience(Duration.ofSeconds(60), Duration.ofMillis(50)),
            TIME);
    parts.add(follower);
    follower.start();
    assertThat(follower.awaitApplied(LIVE, LONG)).isTrue();
    return follower;
  }

  /** Puts it behind the last entry, and a good one behind that; the position of that one. */
  long inject(Poison poison) {
    long at = LIVE + 1;
    switch (poison) {
      case BROKEN_PAYLOAD -> seal(at, "service", 1, "{".getBytes(UTF_8));
      case UNKNOWN_TYPE -> seal(at, "moon", 1, "{}".getBytes(UTF_8));
      case FUTURE_SCHEMA -> seal(at, "service", 99, "{}".getBytes(UTF_8));
      case TEN_MEBIBYTES -> store.poison(at, Payload.of(new byte[10 << 20]));
      case DEEP_NESTING -> seal(at, "service", 1, "[".repeat(100_000).getBytes(UTF_8));
      case BAD_CRC -> {
        byte[] bytes = Envelope.encode(good(at, "s1", 2)).bytes();
        bytes[40] ^= 1;
        store.poison(at, Payload.of(bytes));
      }
      case GAP -> at += 3;
      case DUPLICATE -> {
        at = LIVE;
        store.poison(at, Envelope.encode(good(at, "other", 1)));
      }
      case MASS_DELETION -> {
        for (int i = 0; i < 60; i++) {
          store.poison(
              at + i,
              Envelope.encode(
                  new Entry(
                      at + i,
                      Service.key("s" + i),
                      "service",
                      1,
                      2,
                      TIME.now(),
                      "gc",
                      true,
                      Payload.EMPTY)));
        }
        at += 59;
      }
    }
    store.poison(at + 1, Envelope.encode(good(at + 1, "last", 1)));
    return at + 1;
  }

  void seal(long at, String kind, int schema, byte[] payload) {
    store.poison(
        at,
        Envelope.encode(
            new Entry(
                at,
                "service/s1",
                kind,
                schema,
                2,
                Instant.EPOCH,
                "gc",
                false,
                Payload.of(payload))));
  }

  static Entry good(long at, String name, long revision) {
    return new Entry(
        at,
        Service.key(name),
        "service",
        1,
        revision,
        Instant.EPOCH,
        "t",
        false,
        Service.KIND.encode(new Service(name, true, 1)));
  }

  void inject(long at) {
    store.poison(at, Payload.of("nonsense"));
  }

  static Payload verdict(long at, long from, long through) {
    var verdict = new Verdict(from, through, Verdict.Action.SKIP, "no");
    return Envelope.encode(
        new Entry(
            at,
            Verdict.key(from),
            "verdict",
            1,
            1,
            Instant.EPOCH,
            "operator",
            false,
            Verdict.KIND.encode(verdict)));
  }

  static Map<String, String> content(Follower<PersistentMap<String, String>> follower) {
    var content = new HashMap<String, String>();
    follower.view().value().forEach(content::put);
    return content;
  }

  static void await(BooleanSupplier condition) throws InterruptedException {
    for (long end = System.nanoTime() + LONG.toNanos(); !condition.getAsBoolean(); ) {
      assertThat(System.nanoTime()).as("it did not come").isLessThan(end);
      Thread.sleep(2);
    }
  }
}
