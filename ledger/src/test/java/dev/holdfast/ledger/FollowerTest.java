package dev.holdfast.ledger;

import static dev.holdfast.ledger.StoreContract.entry;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.limits.Time;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FollowerTest {
  private static final Duration LONG = Duration.ofSeconds(20);

  /** Service names by key; entries that the kind cannot read throw. */
  private static final Fold<PersistentMap<String, String>> NAMES =
      new Fold<>() {
        @Override
        public PersistentMap<String, String> start() {
          return PersistentMap.empty();
        }

        @Override
        public PersistentMap<String, String> apply(
            PersistentMap<String, String> view, Entry entry) {
          return entry.deleted()
              ? view.without(entry.key())
              : view.with(entry.key(), Service.KIND.decode(entry).name());
        }
      };

  private final LogFeed feed = new LogFeed();
  private final List<Follower<?>> followers = new ArrayList<>();

  static LongStream seeds() {
    var replay = Long.getLong("seed");
    return replay != null ? LongStream.of(replay) : new Random().longs(10);
  }

  @AfterEach
  void close() {
    followers.forEach(Follower::close);
  }

  @Test
  void followsFromTheSnapshotOn() throws Exception {
    feed.add(entry(1, "service/a", 1, false));
    var follower = follow(NAMES);
    applied(follower, 1);
    assertThat(follower.standing()).isEqualTo(new Standing.Following());
    feed.add(entry(2, "service/b", 1, false), entry(3, "service/a", 2, true));
    applied(follower, 3);
    assertThat(content(follower)).isEqualTo(Map.of("service/b", "s2"));
  }

  @Test
  void aBadPayloadQuarantinesItsKeyAndAGoodOneHealsIt() throws Exception {
    var follower = follow(NAMES);
    applied(follower, 0); // a snapshot taken later would not hold the last good value
    feed.add(entry(1, "service/a", 1, false), entry(2, "service/b", 1, false));
    feed.add(bad(3, "service/a", 2), entry(4, "service/b", 2, false));
    applied(follower, 4);
    assertThat(follower.standing())
        .isInstanceOfSatisfying(
            Standing.Quarantining.class,
            standing -> {
              assertThat(standing.causes()).containsOnlyKeys("service/a");
              assertThat(standing.causes().get("service/a")).startsWith("position 3: ");
            });
    assertThat(content(follower)).isEqualTo(Map.of("service/a", "s1", "service/b", "s4"));
    feed.add(entry(5, "service/a", 3, false));
    applied(follower, 5);
    assertThat(follower.standing()).isEqualTo(new Standing.Following());
    assertThat(content(follower)).isEqualTo(Map.of("service/a", "s5", "service/b", "s4"));
    assertThat(follower.view().digest()).isEqualTo(cold().view().digest());
  }

  @Test
  void whatTheFoldDoesNotReadIsNotInTheDigest() throws Exception {
    var follower =
        follow(
            new Fold<PersistentMap<String, String>>() {
              @Override
              public PersistentMap<String, String> start() {
                return PersistentMap.empty();
              }

              @Override
              public PersistentMap<String, String> apply(
                  PersistentMap<String, String> view, Entry entry) {
                return view;
              }

              @Override
              public boolean reads(String kind) {
                return !kind.equals(Service.KIND.name());
              }
            });
    feed.add(entry(1, "service/a", 1, false), entry(2, "service/b", 1, false));
    applied(follower, 2);
    assertThat(follower.view().digest()).isZero();
    var other = entry(3, "service/b", 2, false);
    feed.add(
        new Entry(
            3, other.key(), "moon", 1, 2, other.time(), other.actor(), false, other.payload()));
    applied(follower, 3);
    assertThat(follower.view().digest()).isNotZero();
    feed.add(
        entry(4, "service/b", 3, false)); // of the kind that is not read again: what it was stays
    applied(follower, 4);
    assertThat(follower.report().quarantine()).containsOnlyKeys("service/b");
    assertThat(follower.report().seen()).isZero();
    feed.add(entry(5, "service/b", 4, true));
    applied(follower, 5);
    assertThat(follower.report().quarantine()).isEmpty();
    assertThat(follower.view().digest()).isZero();
  }

  @Test
  void aFoldThatOverflowsTheStackIsOneEntrysFault() throws Exception {
    var follower = follow(failingFor(entry -> entry.position() == 2, new StackOverflowError()));
    applied(follower, 0);
    feed.add(entry(1, "service/a", 1, false), entry(2, "service/a", 2, false));
    feed.add(entry(3, "service/b", 1, false));
    applied(follower, 3);
    assertThat(follower.standing()).isInstanceOf(Standing.Quarantining.class);
    assertThat(content(follower)).isEqualTo(Map.of("service/a", "s1", "service/b", "s3"));
  }

  @Test
  void aFailureThatDoesNotComeAgainIsNobodysFault() throws Exception {
    var failures = new AtomicInteger(1);
    var follower =
        follow(
            failingFor(entry -> failures.getAndDecrement() > 0, new IllegalStateException("once")));
    feed.add(entry(1, "service/a", 1, false));
    applied(follower, 1);
    assertThat(follower.standing()).isEqualTo(new Standing.Following());
  }

  @Test
  void theCauseOfAQuarantineIsBounded() throws Exception {
    var follower = follow(failingFor(_ -> true, new IllegalStateException("x".repeat(1 << 20))));
    feed.add(entry(1, "service/a", 1, false));
    applied(follower, 1);
    assertThat(follower.standing())
        .isInstanceOfSatisfying(
            Standing.Quarantining.class,
            standing -> assertThat(standing.causes().get("service/a")).hasSizeLessThan(300));
  }

  @Test
  void moreQuarantineThanItsBoundFreezes() throws Exception {
    var follower = follow(failingFor(_ -> true, new IllegalStateException("no")));
    for (int i = 1; i <= Follower.QUARANTINE_MAX + 1; i++) {
      feed.add(entry(i, "service/s" + i, 1, false));
    }
    assertThat(frozen(follower).cause()).contains("more than " + Follower.QUARANTINE_MAX);
  }

  @Test
  void anUnreadableEnvelopeFreezesAndServingGoesOn() throws Exception {
    var follower = follow(NAMES);
    feed.add(entry(1, "service/a", 1, false));
    applied(follower, 1);
    feed.put(new Sealed(2, Payload.of("nonsense")));
    feed.add(entry(3, "service/b", 1, false));
    var frozen = frozen(follower);
    assertThat(frozen.position()).isEqualTo(1);
    assertThat(frozen.cause()).startsWith("the envelope at 2 cannot be read");
    assertThat(content(follower)).isEqualTo(Map.of("service/a", "s1"));
    assertThat(follower.view().position()).isEqualTo(1);
  }

  @Test
  void anUnreadableEnvelopeInTheSnapshotFreezesToo() throws Exception {
    feed.add(entry(1, "service/a", 1, false));
    feed.put(new Sealed(2, Payload.of("nonsense")));
    assertThat(frozen(follow(NAMES)).cause()).contains("envelope at 2");
  }

  @Test
  void anEntryAtAnothersPositionFreezes() throws Exception {
    var follower = follow(NAMES);
    feed.put(new Sealed(1, Envelope.encode(entry(7, "service/a", 1, false))));
    assertThat(frozen(follower).cause()).isEqualTo("the entry stored at 1 says 7");
  }

  @Test
  void aGapThatStaysFreezes() throws Exception {
    var follower = follow(NAMES);
    feed.add(entry(1, "service/a", 1, false));
    applied(follower, 1);
    feed.add(entry(4, "service/b", 1, false));
    assertThat(frozen(follower).cause()).isEqualTo("the entries from 2 to 3 are missing");
    assertThat(content(follower)).isEqualTo(Map.of("service/a", "s1"));
  }

  @Test
  void aGapThatIsFilledByReadingAgainIsNone() throws Exception {
    var follower = follow(NAMES);
    applied(follower, 0);
    feed.skipOnce(2);
    feed.add(
        entry(1, "service/a", 1, false),
        entry(2, "service/b", 1, false),
        entry(3, "service/c", 1, false));
    applied(follower, 3);
    assertThat(follower.standing()).isEqualTo(new Standing.Following());
    assertThat(content(follower)).hasSize(3);
  }

  @Test
  void aFeedThatFailsIsAskedAgain() throws Exception {
    feed.failTimes(3);
    feed.add(entry(1, "service/a", 1, false));
    var follower = follow(NAMES);
    applied(follower, 1);
    feed.failTimes(2);
    feed.add(entry(2, "service/b", 1, false));
    applied(follower, 2);
  }

  @Test
  void aFeedThatPromisesMoreThanItHasIsNotAskedInALoop() throws Exception {
    var follower = follow(NAMES);
    applied(follower, 0);
    int before = feed.reads.get();
    feed.promise(1);
    assertThat(follower.awaitApplied(1, Duration.ofMillis(300))).isFalse();
    assertThat(feed.reads.get() - before).isLessThan(300); // spinning makes many thousands
    feed.add(entry(1, "service/a", 1, false));
    applied(follower, 1);
  }

  @Test
  void aViewThatWasTakenStaysAsItWas() throws Exception {
    feed.add(entry(1, "service/a", 1, false));
    var follower = follow(NAMES);
    applied(follower, 1);
    var taken = follower.view();
    feed.add(entry(2, "service/a", 2, true));
    applied(follower, 2);
    assertThat(taken.value().get("service/a")).isEqualTo("s1");
    assertThat(taken.position()).isEqualTo(1);
    assertThat(follower.view().value().size()).isZero();
    assertThat(follower.view().digest()).isZero();
  }

  @Test
  void startAndCloseMayBeCalledAgain() throws Exception {
    var follower = follow(NAMES);
    follower.start();
    applied(follower, 0);
    follower.close();
    follower.close();
    assertThat(follower.view().position()).isZero();
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void howeverItCameThereTheDigestIsTheSame(long seed) throws Exception {
    var random = new Random(seed);
    var fromTheStart = follow(NAMES);
    applied(fromTheStart, 0);
    @Nullable Follower<PersistentMap<String, String>> inTheMiddle = null;
    var revisions = new HashMap<String, Long>();
    var model = new HashMap<String, String>();
    long last = 20L + random.nextInt(200);
    for (long position = 1; position <= last; position++) {
      var key = "service/s" + random.nextInt(20);
      long revision = revisions.merge(key, 1L, Long::sum);
      boolean deleted = random.nextInt(3) == 0;
      feed.add(entry(position, key, revision, deleted));
      if (deleted) {
        model.remove(key);
      } else {
        model.put(key, "s" + position);
      }
      if (position == last / 2) {
        inTheMiddle = follow(NAMES);
      }
    }
    var atTheEnd = cold();
    for (var follower : List.of(fromTheStart, Checks.notNull(inTheMiddle), atTheEnd)) {
      applied(follower, last);
      assertThat(follower.view().digest()).isEqualTo(atTheEnd.view().digest());
      assertThat(content(follower)).isEqualTo(model);
    }
    assertThat(atTheEnd.view().digest() == 0).isEqualTo(model.isEmpty());
  }

  /** For the compiler, which cannot know that a loop ran. */
  private static final class Checks {
    private Checks() {}

    static <T> T notNull(@Nullable T value) {
      if (value == null) {
        throw new AssertionError("null");
      }
      return value;
    }
  }

  private Follower<PersistentMap<String, String>> cold() throws InterruptedException {
    var follower = follow(NAMES);
    applied(follower, feed.head());
    return follower;
  }

  private <V> Follower<V> follow(Fold<V> fold) {
    var follower = new Follower<>("test", feed, fold, Time.system());
    followers.add(follower);
    follower.start();
    return follower;
  }

  private static void applied(Follower<?> follower, long position) throws InterruptedException {
    assertThat(follower.awaitApplied(position, LONG)).as(follower.standing().toString()).isTrue();
  }

  private static Standing.Frozen frozen(Follower<?> follower) throws InterruptedException {
    for (long end = System.nanoTime() + LONG.toNanos(); System.nanoTime() < end; ) {
      if (follower.standing() instanceof Standing.Frozen frozen) {
        return frozen;
      }
      Thread.sleep(1);
    }
    throw new AssertionError("not frozen but " + follower.standing());
  }

  private static Map<String, String> content(Follower<PersistentMap<String, String>> follower) {
    var content = new HashMap<String, String>();
    follower.view().value().forEach(content::put);
    return content;
  }

  private static Entry bad(long position, String key, long revision) {
    return new Entry(
        position, key, "service", 1, revision, Instant.EPOCH, "t", false, Payload.of("{"));
  }

  private static Fold<PersistentMap<String, String>> failingFor(
      Predicate<Entry> fails, Throwable failure) {
    return new Fold<>() {
      @Override
      public PersistentMap<String, String> start() {
        return NAMES.start();
      }

      @Override
      public PersistentMap<String, String> apply(PersistentMap<String, String> view, Entry entry) {
        if (fails.test(entry)) {
          if (failure instanceof Error error) {
            throw error;
          }
          throw (RuntimeException) failure;
        }
        return NAMES.apply(view, entry);
      }
    };
  }

  /** A log that a test writes at will. Thread-safe. */
  private static final class LogFeed implements Feed {
    final AtomicInteger reads = new AtomicInteger();
    private final TreeMap<Long, Sealed> log = new TreeMap<>();
    private long promised;
    private long skipped;
    private int failures;

    synchronized void add(Entry... entries) {
      for (var entry : entries) {
        put(new Sealed(entry.position(), Envelope.encode(entry)));
      }
    }

    synchronized void put(Sealed sealed) {
      log.put(sealed.position(), sealed);
      promise(sealed.position());
    }

    synchronized void promise(long head) {
      promised = head;
      notifyAll();
    }

    synchronized void failTimes(int times) {
      failures = times;
    }

    synchronized void skipOnce(long position) {
      skipped = position;
    }

    synchronized long head() {
      return promised;
    }

    @Override
    public synchronized long snapshot(Consumer<Sealed> each) throws StoreException {
      fail();
      var newest = new HashMap<String, Sealed>();
      var unreadable = new ArrayList<Sealed>();
      for (var sealed : log.values()) {
        switch (Envelope.decode(sealed.envelope())) {
          case Envelope.Decoded.Good(var entry) -> {
            if (entry.deleted()) {
              newest.remove(entry.key());
            } else {
              newest.put(entry.key(), sealed);
            }
          }
          case Envelope.Decoded.Unreadable _ -> unreadable.add(sealed);
        }
      }
      newest.values().forEach(each);
      unreadable.forEach(each);
      return log.isEmpty() ? 0 : log.lastKey();
    }

    @Override
    public synchronized List<Sealed> read(long after, int max) throws StoreException {
      reads.incrementAndGet();
      fail();
      long hidden = log.containsKey(skipped) && log.lastKey() > skipped ? skipped : 0;
      skipped = hidden == 0 ? skipped : 0;
      return log.tailMap(after, false).values().stream()
          .filter(sealed -> sealed.position() != hidden)
          .limit(max)
          .toList();
    }

    @Override
    public synchronized long awaitBeyond(long position, Duration wait) throws InterruptedException {
      long end = System.nanoTime() + wait.toNanos();
      for (long left = wait.toMillis(); promised <= position && left > 0; ) {
        wait(left);
        left = (end - System.nanoTime()) / 1_000_000;
      }
      return promised;
    }

    private void fail() throws StoreException {
      if (failures > 0) {
        failures--;
        throw new StoreException("not now");
      }
    }
  }
}
