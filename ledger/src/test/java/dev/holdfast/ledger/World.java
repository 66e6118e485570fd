package dev.holdfast.ledger;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One history in virtual time: a truth that is written and poisoned, the ways to two followers, and
 * an oracle that knows from plain maps what a view at any position has to be. What is driven is
 * {@link Pursuit}, as the follower's thread does.
 */
final class World {
  static final int KEYS = 16;
  private static final List<String> NAMES =
      IntStream.range(0, KEYS).mapToObj(i -> "service/s" + i).toList();
  private static final int FOLLOWERS = 2;
  private static final long SECOND = 1_000_000_000L;
  private static final long FAULTS_UNTIL = 12 * SECOND;
  private static final long HEALED_BY = FAULTS_UNTIL + 1_800 * SECOND;

  /** A beacon a second, a look a second, and what makes a view stale; and a little for lateness. */
  private static final long SILENCE_MAX = (5 + 1 + 1) * SECOND;

  /** A defect that is planted to see whether it is found. */
  enum Plant {
    NONE,
    /** Takes whatever comes next for the next, and hears no beacons. */
    SWALLOWS_GAPS,
    /** Forgets one deletion in a hundred, and says that it did not. */
    DROPS_DELETIONS
  }

  /** What holds at a position. */
  private record State(Map<String, String> values, Map<String, Set<String>> poisoned) {}

  private final Random chance;
  private final Plant plant;
  private final List<Sealed> log = new ArrayList<>();
  private final List<State> states = new ArrayList<>(); // by position
  private final Map<String, Sealed> newest = new HashMap<>();
  private final Map<String, Long> revisions = new HashMap<>();
  private final Map<String, String> values = new HashMap<>();
  private final Map<String, Set<String>> everGood = new HashMap<>();
  private final Map<String, Set<String>> poisoned = new HashMap<>();
  private final Audit audit = new Audit();
  private final List<Seat> seats = new ArrayList<>();
  private Beacon beacon;
  private long head;
  private long nanos;

  /** A follower and what surrounds it. */
  private final class Seat {
    final SimFeed feed = new SimFeed(World.this, chance, plant == Plant.SWALLOWS_GAPS);
    final SimFold fold =
        new SimFold(chance, plant != Plant.DROPS_DELETIONS, plant == Plant.DROPS_DELETIONS);
    final SimShelf shelf = new SimShelf();
    Pursuit<PersistentMap<String, String>> pursuit = fresh();
    Pursuit.Next next = new Pursuit.Next(0, Duration.ZERO);
    long due;
    long wrongSince = -1;

    private Pursuit<PersistentMap<String, String>> fresh() {
      var config = FollowerConfig.defaults().withDeletions(5, 0.3, 1_000);
      var fresh = new Pursuit<>("sim", feed, fold, config, shelf, chance);
      if (plant == Plant.SWALLOWS_GAPS) {
        fresh.rule(new Verdict(1, Long.MAX_VALUE, Verdict.Action.SKIP, "a defect"));
      }
      return fresh;
    }

    void restart(boolean faulty) {
      shelf.crash(chance, faulty);
      pursuit = fresh();
      due = nanos;
    }
  }

  World(long seed, Plant plant) {
    chance = new Random(seed);
    this.plant = plant;
    states.add(new State(Map.of(), Map.of()));
    beacon = new Beacon(0, 0, Map.of(), Instant.EPOCH);
    for (int i = 0; i < FOLLOWERS; i++) {
      seats.add(new Seat());
    }
  }

  static String key(int i) {
    return NAMES.get(i);
  }

  // ---- what feeds see

  long nanos() {
    return nanos;
  }

  long head() {
    return head;
  }

  Beacon beacon() {
    return beacon;
  }

  List<Sealed> read(long after, int max) {
    int from = log.size();
    while (from > 0 && log.get(from - 1).position() > after) {
      from--;
    }
    return log.subList(from, Math.min(log.size(), from + max));
  }

  List<Sealed> snapshot() {
    var all = new ArrayList<>(newest.values());
    all.sort((a, b) -> Long.compare(a.position(), b.position()));
    return all;
  }

  // ---- the history

  /** Lets it happen. An assertion error says what was wrong, and when. */
  void run() throws InterruptedException {
    for (int i = 0; i < 6; i++) {
      put(key(i));
    }
    long write = 0;
    long beat = SECOND;
    while (nanos < FAULTS_UNTIL) {
      nanos = Math.min(Math.min(write, beat), next());
      if (nanos >= write) {
        happen();
        write = nanos + chance.nextLong(SECOND / 2);
      }
      if (nanos >= beat) {
        beat();
        beat += SECOND;
      }
      steps();
    }
    heal(beat);
  }

  private long next() {
    return seats.stream().mapToLong(seat -> seat.due).min().orElseThrow();
  }

  private void heal(long firstBeat) throws InterruptedException {
    for (var seat : seats) {
      seat.feed.perfect();
      seat.fold.forgetful(false);
      seat.due = nanos;
    }
    long beat = firstBeat;
    long operator = nanos + 3 * SECOND;
    while (!healed()) {
      nanos = Math.max(nanos, Math.min(Math.min(beat, operator), next()));
      if (nanos >= HEALED_BY) {
        check(false, "not healed: " + seats.stream().map(this::told).toList());
      }
      if (nanos >= beat) {
        beat();
        beat += SECOND;
      }
      if (nanos >= operator) {
        operate();
        operator += 3 * SECOND;
      }
      steps();
    }
  }

  private String told(Seat seat) {
    return seat.pursuit.report() + " " + seat.pursuit.view().value().size() + " of " + values;
  }

  private void steps() throws InterruptedException {
    for (var seat : seats) {
      if (seat.due <= nanos) {
        seat.next = seat.pursuit.step(nanos, Instant.EPOCH.plusNanos(nanos));
        seat.due = nanos + Math.max(1_000_000, seat.next.atMost().toNanos());
        judge(seat);
      }
    }
  }

  /** Whatever may happen, to the truth or on the way. */
  private void happen() {
    int what = chance.nextInt(100);
    var seat = seats.get(chance.nextInt(FOLLOWERS));
    if (what < 62) {
      put(key(chance.nextInt(KEYS)));
    } else if (what < 74) {
      delete(key(chance.nextInt(KEYS)));
    } else if (what < 77) {
      write(key(chance.nextInt(KEYS)), "moon", false, "m" + head);
    } else if (what < 80) {
      poison(key(chance.nextInt(KEYS)));
    } else if (what < 82) {
      head++; // a gap
      remember();
      put(key(chance.nextInt(KEYS)));
    } else if (what < 84) {
      store(new Sealed(head + 1, Payload.of("nonsense " + chance.nextInt())));
      remember();
    } else if (what < 86) {
      for (var key : List.copyOf(values.keySet())) {
        if (chance.nextInt(10) < 7) {
          delete(key);
        }
      }
    } else if (what < 91) {
      seat.feed.die(nanos + chance.nextLong(9 * SECOND));
    } else if (what < 95) {
      seat.fold.forgetful(chance.nextBoolean());
    } else {
      seat.restart(true);
    }
    for (var waiting : seats) {
      if (waiting.next.beyond() >= 0 && waiting.next.beyond() < head && !waiting.feed.dead()) {
        waiting.due = Math.min(waiting.due, nanos + chance.nextLong(20_000_000));
      }
    }
  }

  private void put(String key) {
    var text = "v" + (head + 1);
    everGood.computeIfAbsent(key, _ -> new HashSet<>()).add(text);
    values.put(key, text);
    poisoned.remove(key);
    write(key, SimFold.READ, false, text);
  }

  private void delete(String key) {
    if (newest.containsKey(key)) {
      values.remove(key);
      poisoned.remove(key);
      write(key, SimFold.READ, true, "");
    }
  }

  private void poison(String key) {
    values.remove(key);
    poisoned.put(key, Set.copyOf(everGood.getOrDefault(key, Set.of())));
    write(key, SimFold.READ, false, "bad" + head);
  }

  private void write(String key, String kind, boolean deleted, String text) {
    if (!kind.equals(SimFold.READ)) {
      write(
          new Entry(
              head + 1,
              "moon/" + key,
              kind,
              1,
              revision("moon/" + key),
              Instant.EPOCH.plusNanos(nanos),
              "sim",
              false,
              Payload.of(text)));
      return;
    }
    write(
        new Entry(
            head + 1,
            key,
            kind,
            1,
            revision(key),
            Instant.EPOCH.plusNanos(nanos),
            "sim",
            deleted,
            deleted ? Payload.EMPTY : Payload.of(text)));
  }

  private long revision(String key) {
    return revisions.merge(key, 1L, Long::sum);
  }

  private void write(Entry entry) {
    var sealed = new Sealed(entry.position(), Envelope.encode(entry));
    store(sealed);
    if (entry.deleted()) {
      newest.remove(entry.key());
    } else {
      newest.put(entry.key(), sealed);
    }
    remember();
  }

  private void store(Sealed sealed) {
    log.add(sealed);
    head = sealed.position();
  }

  private void remember() {
    while (states.size() <= head) {
      states.add(new State(Map.copyOf(values), Map.copyOf(poisoned)));
    }
  }

  private void beat() {
    read(audit.position(), 1 << 20).forEach(audit::take);
    audit.at(head);
    beacon = new Beacon(head, head, audit.digests(), Instant.EPOCH.plusNanos(nanos));
  }

  // ---- people

  private void operate() {
    for (var seat : seats) {
      var report = seat.pursuit.report();
      var blocked = report.blocked();
      if (blocked != null) {
        var action =
            blocked.cause().contains("kind " + SimFold.READ)
                ? Verdict.Action.APPLY
                : Verdict.Action.SKIP;
        var verdict = new Verdict(blocked.from(), blocked.through(), action, "healed");
        var key = Verdict.key(verdict.from());
        write(
            new Entry(
                head + 1,
                key,
                Verdict.KIND.name(),
                1,
                revision(key),
                Instant.EPOCH.plusNanos(nanos),
                "operator",
                false,
                Verdict.KIND.encode(verdict)));
      }
      report.quarantine().keySet().forEach(this::put); // as "ledger repair KEY" does
    }
  }

  // ---- the oracle

  private boolean healed() {
    for (var seat : seats) {
      var report = seat.pursuit.report();
      if (!(report.standing() instanceof Standing.Following)
          || report.divergence() != null
          || report.position() != head
          || report.agreedAt() != head
          || wrong(seat) != null) {
        return false;
      }
    }
    return true;
  }

  /** A wrong view must be told of, by the standing or as a divergence, within the bound. */
  private void judge(Seat seat) {
    var report = seat.pursuit.report();
    boolean told =
        report.divergence() != null
            || switch (report.standing()) {
              case Standing.Warming _, Standing.Frozen _, Standing.Stale _ -> true;
              case Standing.Following _, Standing.Quarantining _ -> false;
            };
    var wrong = told ? null : wrong(seat);
    if (wrong == null) {
      seat.wrongSince = -1;
    } else if (seat.wrongSince < 0) {
      seat.wrongSince = nanos;
    } else {
      check(
          nanos - seat.wrongSince <= SILENCE_MAX,
          "a wrong view since " + seat.wrongSince / SECOND + " s: " + wrong);
    }
  }

  /** How the view differs from what it has to be, or null. */
  private @Nullable String wrong(Seat seat) {
    var view = seat.pursuit.view();
    if (view.position() >= states.size()) {
      return "at " + view.position() + ", which was never written";
    }
    var truth = states.get((int) view.position());
    var quarantine = seat.pursuit.report().quarantine();
    for (int i = 0; i < KEYS; i++) {
      var key = key(i);
      var served = view.value().get(key);
      var good = truth.poisoned().get(key);
      if (good != null) {
        // A value that was forged before the poison came cannot be told from the last good one;
        // but that the key is in quarantine is said, and so are its readers warned.
        if (!quarantine.containsKey(key) && (served == null || !good.contains(served))) {
          return key + " is poisoned and " + served + " is served";
        }
      } else if (!Objects.equals(served, truth.values().get(key)) && !quarantine.containsKey(key)) {
        return key + " is " + served + ", not " + truth.values().get(key);
      }
    }
    return null;
  }

  private void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError("at " + nanos / 1e9 + " s: " + what);
    }
  }
}
