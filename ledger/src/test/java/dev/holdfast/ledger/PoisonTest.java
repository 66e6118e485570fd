package dev.holdfast.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Time;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The nine poisons of drill H1, beside the writer and beneath it. */
class PoisonTest {
  private static final Duration LONG = Duration.ofSeconds(20);
  private static final Time TIME = Time.system();
  private static final int LIVE = 100;

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

  private record Anything(Object any) {}

  private static final Fold<PersistentMap<String, String>> NAMES =
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
  private final MemoryStore store = new MemoryStore();
  private final StoreFeed feed = new StoreFeed(store);
  private final List<AutoCloseable> parts = new ArrayList<>();
  private Ledger ledger;
  private volatile boolean ended;

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

  private Outcome<Receipt> put(String name) {
    return ledger.append(
        Transaction.by("test")
            .put(Service.KIND, Service.key(name), new Service(name, true, 1), Transaction.ANY));
  }

  private Follower<PersistentMap<String, String>> follow(Feed from) throws InterruptedException {
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

  @ParameterizedTest
  @EnumSource(
      value = Poison.class,
      names = {"BROKEN_PAYLOAD", "UNKNOWN_TYPE", "FUTURE_SCHEMA", "TEN_MEBIBYTES", "DEEP_NESTING"})
  void theWriterRefusesWhatFollowersCouldNotRead(Poison poison) throws Exception {
    Object deep = "x";
    for (int i = 0; i < 100; i++) {
      deep = List.of(deep);
    }
    var name = poison == Poison.UNKNOWN_TYPE ? "moon" : "service";
    int schema = poison == Poison.FUTURE_SCHEMA ? 9 : 1;
    var value =
        switch (poison) {
          case TEN_MEBIBYTES -> "x".repeat(10 << 20);
          case DEEP_NESTING -> deep;
          default -> "x";
        };
    long before = ledger.head();
    var kind = Kind.open(name, schema, Anything.class);
    var outcome =
        ledger.append(
            Transaction.by("poisoner")
                .put(kind, "service/s1", new Anything(value), Transaction.ANY));
    assertThat(outcome)
        .isInstanceOfSatisfying(
            Outcome.Refused.class,
            refused -> assertThat(refused.refusal()).isInstanceOf(Refusal.Invalid.class));
    assertThat(ledger.head()).isEqualTo(before);
  }

  @ParameterizedTest
  @EnumSource(Poison.class)
  void beneathTheWriterItIsNeverServedAndNeverFatal(Poison poison) throws Exception {
    var follower = follow(feed);
    var before = content(follower);
    long last = inject(poison);
    switch (poison.row) {
      case QUARANTINES ->
          await(() ->
              follower.standing() instanceof Standing.Quarantining
                  && follower.view().position() >= last);
      case FREEZES -> await(() -> follower.standing() instanceof Standing.Frozen);
      case PASSES -> await(() -> follower.view().position() >= last);
    }
    assertThat(content(follower)).containsAllEntriesOf(before).doesNotContainKey("service/moon");
    assertThat(follower.report().head()).isEqualTo(last); // it knows how far behind it is

    decide(follower, poison, last);
    await(() ->
        follower.standing() instanceof Standing.Following
            && follower.view().position() >= store.head());
    feed.beat();
    await(() -> follower.report().agreedAt() == store.head());
    assertThat(follower.report().divergence()).isNull();
  }

  /** Puts it behind the last entry, and a good one behind that; the position of that one. */
  private long inject(Poison poison) {
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

  private void seal(long at, String kind, int schema, byte[] payload) {
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

  private static Entry good(long at, String name, long revision) {
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

  /** What the verbs skip and repair write. */
  private void decide(Follower<?> follower, Poison poison, long last) {
    long at = last;
    var blocked = follower.report().blocked();
    if (blocked != null) {
      at++;
      var action = poison == Poison.MASS_DELETION ? Verdict.Action.APPLY : Verdict.Action.SKIP;
      var verdict = new Verdict(blocked.from(), blocked.through(), action, "drill");
      store.poison(
          at,
          Envelope.encode(
              new Entry(
                  at,
                  Verdict.key(verdict.from()),
                  "verdict",
                  1,
                  1,
                  Instant.EPOCH,
                  "operator",
                  false,
                  Verdict.KIND.encode(verdict))));
    } else if (poison.row == Row.QUARANTINES) {
      at++;
      store.poison(at, Envelope.encode(good(at, "s1", 3)));
    }
  }

  @Test
  void massDeletionIsHeldBackBeforeAnyOfItAndUndoneByRepair() throws Exception {
    var follower = follow(feed);
    long last = inject(Poison.MASS_DELETION);
    await(() -> follower.standing() instanceof Standing.Frozen);
    assertThat(follower.view().position()).isEqualTo(LIVE);
    assertThat(((Standing.Frozen) follower.standing()).cause())
        .contains("delete 60 of 100 keys of kind service");
    var verdict = new Verdict(LIVE + 1, LIVE + 60, Verdict.Action.SKIP, "no");
    store.poison(
        last + 1,
        Envelope.encode(
            new Entry(
                last + 1,
                Verdict.key(LIVE + 1),
                "verdict",
                1,
                1,
                Instant.EPOCH,
                "operator",
                false,
                Verdict.KIND.encode(verdict))));
    for (int i = 0; i < 60; i++) {
      store.poison(last + 2 + i, Envelope.encode(good(last + 2 + i, "s" + i, 3)));
    }
    await(() -> follower.view().position() >= last + 61);
    assertThat(follower.standing()).isEqualTo(new Standing.Following());
    assertThat(content(follower)).hasSize(LIVE + 1);
    feed.beat();
    await(() -> follower.report().agreedAt() == store.head());
  }

  @Test
  void aHeldFollowerAppliesNothingAndHearsTheHead() throws Exception {
    var follower = follow(ledger);
    follower.hold("freeze-stream");
    await(() -> follower.standing() instanceof Standing.Frozen);
    put("new").orThrow();
    await(() -> follower.report().lag() == 1);
    assertThat(content(follower)).hasSize(LIVE);
    follower.release();
    await(() -> content(follower).size() == LIVE + 1);
  }

  @Test
  void othersDoNotSeeWhatTheFirstCouldNotTake() throws Exception {
    var first = follow(feed);
    var others = follow(new Canary(feed, first, Duration.ofMillis(100), TIME));
    long last = inject(Poison.BROKEN_PAYLOAD);
    await(() -> others.view().position() >= last);
    assertThat(others.report().quarantine().get("service/s1")).contains("withheld");
    assertThat(others.report().seen()).isEqualTo(first.report().seen());
    assertThat(content(others)).isEqualTo(content(first));
    inject(last + 1);
    await(() -> first.standing() instanceof Standing.Frozen);
    Thread.sleep(50);
    assertThat(others.standing()).isInstanceOf(Standing.Quarantining.class);
    assertThat(others.view().position()).isEqualTo(last);
  }

  private void inject(long at) {
    store.poison(at, Payload.of("nonsense"));
  }

  @ParameterizedTest
  @EnumSource(
      value = Poison.class,
      names = {"UNKNOWN_TYPE", "BAD_CRC", "GAP", "TEN_MEBIBYTES", "MASS_DELETION"})
  void othersNeedNoDecisionOfTheirOwn(Poison poison) throws Exception {
    var first = follow(feed);
    var others = follow(new Canary(feed, first, Duration.ZERO, TIME));
    var before = content(others);
    long last = inject(poison);
    await(() -> !(first.standing() instanceof Standing.Following));
    var blocked = first.report().blocked();
    if (blocked != null) {
      assertThat(others.awaitApplied(blocked.from(), Duration.ofMillis(100))).isFalse();
      assertThat(others.view().position()).isEqualTo(LIVE);
      store.poison(last + 1, verdict(last + 1, blocked.from(), blocked.through()));
    }
    long end = blocked == null ? last : last + 1;
    var standings = new ArrayList<Standing>();
    await(() -> {
      standings.add(others.standing());
      return others.view().position() == end;
    });
    assertThat(standings).noneMatch(Standing.Frozen.class::isInstance);
    assertThat(content(others)).isEqualTo(content(first)).containsAllEntriesOf(before);
    assertThat(others.report().seen()).isEqualTo(first.report().seen());
    assertThat(others.report().quarantine().keySet())
        .isEqualTo(first.report().quarantine().keySet());
  }

  private static Payload verdict(long at, long from, long through) {
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

  @Test
  void whatWasReadBeforeIsNotNew() throws Exception {
    var first = follow(ledger);
    var canary = new Canary(ledger, first, LONG, TIME);
    canary.know("service", 1);
    var others = follow(canary);
    assertThat(others.awaitApplied(put("new").orThrow().position(), LONG.dividedBy(2))).isTrue();
  }

  @Test
  void anEntryOfANewSortIsHeldBack() throws Exception {
    var first = follow(ledger);
    var hold = Duration.ofMillis(300);
    var others = follow(new Canary(ledger, first, hold, TIME));
    long begun = System.nanoTime();
    long at = put("new").orThrow().position(); // the first of its kind that passes here
    await(() -> first.view().position() >= at);
    assertThat(others.awaitApplied(at, LONG)).isTrue();
    assertThat(System.nanoTime() - begun).isGreaterThanOrEqualTo(hold.toNanos());
    begun = System.nanoTime();
    assertThat(others.awaitApplied(put("newer").orThrow().position(), LONG)).isTrue();
    assertThat(System.nanoTime() - begun).isLessThan(hold.toNanos());
  }

  @Test
  void theWriterAsksTheFollowersFirst() throws Exception {
    var picky =
        new Follower<>(
            "picky",
            ledger,
            new Fold<String>() {
              @Override
              public String start() {
                return "";
              }

              @Override
              public String apply(String view, Entry entry) {
                if (entry.key().endsWith("/odd")) {
                  throw new IllegalStateException("odd");
                }
                while (entry.key().endsWith("/endless") && !ended) {
                  Thread.onSpinWait();
                }
                return view;
              }
            },
            TIME);
    parts.add(picky);
    ledger.rehearse(picky);
    assertThat(refusal(put("odd"))).contains("odd").contains("picky");
    assertThat(refusal(put("endless"))).contains("not applied in");
    put("even").orThrow();
  }

  private static String refusal(Outcome<Receipt> outcome) {
    return switch (outcome) {
      case Outcome.Done<Receipt> done -> "done " + done;
      case Outcome.Refused<Receipt>(var refusal) -> refusal.message();
    };
  }

  @Test
  void itStartsFromItsDiskWhenNobodyAnswersAndSaysSinceWhen() throws Exception {
    var config = FollowerConfig.defaults().withShelf(folder.resolve("shelf"));
    var follower = new Follower<>("first", ledger, NAMES, config, TIME);
    follower.start();
    assertThat(follower.awaitApplied(LIVE, LONG)).isTrue();
    put("new").orThrow();
    assertThat(follower.awaitApplied(LIVE + 1, LONG)).isTrue();
    follower.close();
    var again = new Follower<>("again", new DeadFeed(), NAMES, config, TIME);
    parts.add(again);
    again.start();
    await(() -> again.view().position() == LIVE + 1);
    await(() -> again.standing() instanceof Standing.Stale);
    assertThat(content(again)).isEqualTo(content(follower));
    assertThat(((Standing.Stale) again.standing()).since())
        .isBetween(Instant.now().minusSeconds(60), Instant.now());
  }

  @Test
  void whatItMakesIsComparedWithTheLedger() throws Exception {
    ledger.audit();
    var follower = follow(ledger);
    put("new").orThrow();
    await(() -> follower.report().agreedAt() == ledger.head());
    assertThat(follower.agrees(ledger.reckon())).isTrue();
    assertThat(follower.unshown(ledger, 10)).isEmpty();
  }

  @Test
  void aFoldThatForgetsIsNamedKeyByKey() throws Exception {
    var forgetful =
        new Follower<>(
            "forgetful",
            ledger,
            new Fold<PersistentMap<String, String>>() {
              @Override
              public PersistentMap<String, String> start() {
                return NAMES.start();
              }

              @Override
              public PersistentMap<String, String> apply(
                  PersistentMap<String, String> view, Entry entry) {
                return entry.key().endsWith("/s7") ? view : NAMES.apply(view, entry);
              }

              @Override
              public boolean shows(PersistentMap<String, String> view, Entry entry) {
                return NAMES.shows(view, entry);
              }
            },
            TIME);
    parts.add(forgetful);
    forgetful.start();
    await(() -> forgetful.standing() instanceof Standing.Quarantining);
    assertThat(forgetful.report().quarantine()).containsOnlyKeys("service/s7");
    assertThat(forgetful.report().counts().misapplied()).isPositive();
    assertThat(forgetful.unshown(ledger, 10)).containsExactly("service/s7");
  }

  /** Nobody answers. */
  private static final class DeadFeed implements Feed {
    @Override
    public long snapshot(Consumer<Sealed> each) throws StoreException {
      throw new StoreException("nobody answers");
    }

    @Override
    public List<Sealed> read(long after, int max) throws StoreException {
      throw new StoreException("nobody answers");
    }

    @Override
    public long awaitBeyond(long position, Duration wait) throws InterruptedException {
      Thread.sleep(wait);
      return 0;
    }

    @Override
    public boolean beats() {
      return true;
    }
  }

  private static Map<String, String> content(Follower<PersistentMap<String, String>> follower) {
    var content = new HashMap<String, String>();
    follower.view().value().forEach(content::put);
    return content;
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    for (long end = System.nanoTime() + LONG.toNanos(); !condition.getAsBoolean(); ) {
      assertThat(System.nanoTime()).as("it did not come").isLessThan(end);
      Thread.sleep(2);
    }
  }
}
