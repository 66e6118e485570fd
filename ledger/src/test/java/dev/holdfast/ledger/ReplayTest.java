package dev.holdfast.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ReplayTest {
  private final List<Shelf.Frame> frames = new ArrayList<>();
  private long position;

  /** Services by key, in place while it is open; drops what a test says. */
  private static final class Filed implements Fold<PersistentMap<String, Service>> {
    String dropped = "";
    String deadly = "";

    @Override
    public PersistentMap<String, Service> start() {
      return PersistentMap.empty();
    }

    @Override
    public PersistentMap<String, Service> open() {
      return PersistentMap.open();
    }

    @Override
    public PersistentMap<String, Service> settle(PersistentMap<String, Service> open) {
      return open.settled();
    }

    @Override
    public boolean shows(PersistentMap<String, Service> view, Entry entry) {
      return entry.deleted() == (view.get(entry.key()) == null);
    }

    @Override
    public PersistentMap<String, Service> apply(PersistentMap<String, Service> view, Entry entry) {
      if (entry.key().equals(deadly)) {
        throw new StackOverflowError();
      }
      if (entry.deleted()) {
        return view.without(entry.key());
      }
      var service = Service.KIND.decode(entry);
      return entry.key().equals(dropped) ? view : view.with(entry.key(), service);
    }
  }

  @Test
  void bothWaysMakeTheSameBook() throws Exception {
    var random = new Random(1);
    for (int i = 0; i < 5_000; i++) {
      add("service/s" + random.nextInt(1_000), random.nextInt(10) == 0, random.nextInt(50) == 0);
    }
    var fold = new Filed();
    fold.deadly = "service/s7";
    var one = read(fold, true);
    var two = read(fold, false);
    assertThat(one.digest()).isEqualTo(two.digest());
    assertThat(one.seen()).isEqualTo(two.seen());
    assertThat(one.causes()).isEqualTo(two.causes()).isNotEmpty();
    assertThat(one.live("service")).isEqualTo(two.live("service"));
    assertThat(one.value().size()).isEqualTo(two.value().size()).isPositive();
    two.value()
        .forEach((key, service) -> assertThat(one.value().get(key)).as(key).isEqualTo(service));
    var later = one.value();
    assertThat(one.apply(entry("service/new", false))).isTrue();
    assertThat(later.get("service/new")).as("a settled value stays").isNull();
  }

  @Test
  void aFoldThatDropsAChangeInPlaceIsFoundAndAskedAgainWithout() throws Exception {
    for (int i = 0; i < 600; i++) {
      add("service/s" + i, false, false);
    }
    var fold = new Filed();
    fold.dropped = "service/s300";
    assertThatThrownBy(() -> read(fold, true)).isInstanceOf(Book.Spoiled.class);
    var shelf = new SimShelf();
    var draft = shelf.draft();
    frames.forEach(draft::add);
    draft.finish(new Shelf.Mark(position, 1));
    var pursuit =
        new Pursuit<>(
            "test",
            new StoreFeed(new MemoryStore()),
            fold,
            FollowerConfig.defaults(),
            shelf,
            new Random(1));
    pursuit.step(1, Instant.EPOCH);
    assertThat(pursuit.view().position()).isEqualTo(600);
    assertThat(pursuit.view().value().size()).isEqualTo(599);
    assertThat(pursuit.report().quarantine()).containsOnlyKeys("service/s300");
  }

  @Test
  void anAttemptThatIsGivenUpLeavesNothing() throws Exception {
    for (int i = 0; i < 3_000; i++) {
      add("service/s" + i, false, false);
    }
    try (var replay = new Replay<>("test", new Filed(), new Verdicts(), true)) {
      var first = replay.apply(frames.size());
      frames.forEach(first);
      var second = replay.apply(0);
      frames.subList(0, 700).forEach(second);
      assertThat(replay.book().value().size()).isEqualTo(700);
      assertThat(replay.book().live("service")).isEqualTo(700);
    }
    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.getName().equals("replay-test") && thread.isAlive());
  }

  @Test
  void whoIsAskedToEndLeavesNoThread() {
    for (int i = 0; i < 20_000; i++) {
      add("service/s" + i, false, false);
    }
    try (var replay = new Replay<>("ended", new Filed(), new Verdicts(), true)) {
      var taking = replay.apply(frames.size());
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> frames.forEach(taking)).hasMessage("interrupted");
    }
    assertThat(Thread.interrupted()).isTrue();
    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.getName().equals("replay-ended") && thread.isAlive());
  }

  private Book<PersistentMap<String, Service>> read(Filed fold, boolean inPlace)
      throws InterruptedException {
    try (var replay = new Replay<>("test", fold, new Verdicts(), inPlace)) {
      var taking = replay.apply(frames.size());
      frames.forEach(taking);
      return replay.book();
    }
  }

  private void add(String key, boolean deleted, boolean skipped) {
    var entry = entry(key, deleted);
    frames.add(
        new Shelf.Frame(
            new Sealed(entry.position(), Envelope.encode(entry)),
            Digest.ofKey(key),
            (deleted ? Shelf.DELETED : 0) | (skipped ? Shelf.SKIPPED : 0)));
  }

  private Entry entry(String key, boolean deleted) {
    position++;
    return new Entry(
        position,
        key,
        "service",
        1,
        position,
        Instant.EPOCH,
        "test",
        deleted,
        deleted ? Payload.EMPTY : Service.KIND.encode(new Service(key.substring(8), true, 1)));
  }
}
