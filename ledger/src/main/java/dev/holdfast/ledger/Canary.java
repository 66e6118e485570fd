package dev.holdfast.ledger;

import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A feed that lets an entry through only after a follower that goes first has applied it. What that
 * follower froze at is never let through; what it put in quarantine, or passed over because a
 * person said so, is withheld from the others, who are told which key it is about; entries of a new
 * sort are held back for a while longer, in which the first follower's process would have died of
 * them. Thread-safe.
 *
 * <p>Of a new sort is the first entry of a kind or of a schema since this feed was made, but for
 * those that it was told of ({@link #know}), and one whose payload is larger than {@value
 * #LARGE_BYTES} bytes. All others cost what the first follower needs to apply them. Several new
 * sorts wait at the same time. A {@link #snapshot} is not held back: it is what has been, and a
 * process that starts has nothing that it could go on serving instead; of what is in quarantine it
 * gives the names only.
 */
public final class Canary implements Feed {
  /** Payloads from here on are of a new sort. */
  public static final int LARGE_BYTES = 64 << 10;

  private static final int KINDS_MAX = 1_000;
  private static final int WAITING_MAX = 1_000;

  private final Feed feed;
  private final Follower<?> first;
  private final Duration hold;
  private final Time time;
  private final ReentrantLock lock = new ReentrantLock();
  private final HashMap<String, Integer> schemas = new HashMap<>(); // known, by kind
  private final HashMap<Sort, Long> waiting = new HashMap<>(); // since when, of what is new
  private long looked; // entries up to here were looked at and are let through
  private long heldAt; // the first entry that is held back, or 0
  private long heldUntilNanos;

  /** What is new: a schema of a kind, or one large entry at its position. */
  private record Sort(String kind, int schema, long large) {}

  /**
   * A feed behind a follower that reads from {@code feed} itself.
   *
   * @param hold how long entries of a new sort are held back after the first follower took them; 0
   *     for not at all
   */
  public Canary(Feed feed, Follower<?> first, Duration hold, Time time) {
    this.feed = feed;
    this.first = first;
    this.hold = hold;
    this.time = time;
    looked = first.view().position(); // what has been is not new
    learn(Verdict.KIND.name(), Verdict.KIND.schema()); // a person's word is waited for
  }

  /** Entries of that kind up to that schema are not new: followers have read them before. */
  public void know(String kind, int schema) {
    lock.lock();
    try {
      learn(kind, schema);
    } finally {
      lock.unlock();
    }
  }

  /** Whether it stands in the place of an entry and names its key: so it may be shown. */
  public static boolean namesKey(Entry entry) {
    return Withheld.names(entry);
  }

  @Override
  public long snapshot(Consumer<Sealed> each) throws StoreException {
    return feed.snapshot(sealed ->
        each.accept(
            Envelope.open(sealed) instanceof Envelope.Decoded.Good(var entry)
                ? shielded(sealed, entry)
                : sealed));
  }

  @Override
  public List<Sealed> read(long after, int max) throws StoreException {
    long applied = first.view().position();
    var through = new ArrayList<Sealed>();
    var batch = feed.read(after, max);
    notice(batch, applied);
    long next = after + 1;
    for (var sealed : batch) {
      if (sealed.position() > applied) {
        break;
      }
      while (next < sealed.position() && through.size() < max && first.passedOver(next)) {
        through.add(Withheld.place(next++));
      }
      var passed = through.size() < max ? pass(sealed) : null;
      if (passed == null) {
        break;
      }
      through.add(passed);
      next = sealed.position() + 1;
    }
    return through;
  }

  /** The entry as the others get it, or null while it is held back. */
  private @Nullable Sealed pass(Sealed sealed) {
    return switch (Envelope.open(sealed)) {
      case Envelope.Decoded.Unreadable _ ->
          first.passedOver(sealed.position()) ? Withheld.place(sealed.position()) : sealed;
      case Envelope.Decoded.Good(var entry) -> holdsBack(entry) ? null : shielded(sealed, entry);
    };
  }

  private Sealed shielded(Sealed sealed, Entry entry) {
    if (entry.deleted() && first.passedOver(entry)) {
      return Withheld.of(entry, true, "a person said not to apply it");
    }
    var cause = first.report().quarantine().get(entry.key());
    boolean held = cause != null && cause.startsWith("position " + entry.position() + ":");
    return held || first.refused(entry.position()) // another entry may have come for that key since
        ? Withheld.of(entry, false, "the first follower put it in quarantine")
        : sealed;
  }

  // ---- what is new

  /** Everything new that came begins to wait now. */
  private void notice(List<Sealed> batch, long applied) {
    lock.lock();
    try {
      for (var sealed : batch) {
        if (sealed.position() > looked
            && sealed.position() <= applied
            && waiting.size() < WAITING_MAX
            && Envelope.open(sealed) instanceof Envelope.Decoded.Good(var entry)) {
          var sort = news(entry);
          if (sort != null) {
            waiting.putIfAbsent(sort, time.nanos());
          }
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Sort news(Entry entry) {
    if (hold.isZero()) {
      return null;
    }
    if (entry.payload().length() >= LARGE_BYTES) {
      return new Sort(entry.kind(), entry.schema(), entry.position());
    }
    return entry.schema() > schemas.getOrDefault(entry.kind(), 0)
        ? new Sort(entry.kind(), entry.schema(), 0)
        : null;
  }

  private boolean holdsBack(Entry entry) {
    lock.lock();
    try {
      if (entry.position() <= looked) {
        return false;
      }
      var sort = news(entry);
      if (sort != null) {
        long now = time.nanos();
        long until = waiting.computeIfAbsent(sort, _ -> now) + hold.toNanos();
        if (until - now > 0) {
          heldAt = entry.position();
          heldUntilNanos = until;
          return true;
        }
        waiting.remove(sort);
        learn(entry.kind(), entry.schema());
      }
      looked = entry.position();
      return false;
    } finally {
      lock.unlock();
    }
  }

  private void learn(String kind, int schema) {
    if (schemas.size() < KINDS_MAX) {
      schemas.merge(kind, schema, Math::max);
    }
  }

  @Override
  public long awaitBeyond(long position, Duration wait) throws InterruptedException {
    var deadline = Deadline.after(time, wait);
    while (true) {
      long released = released();
      if (released > position || deadline.passed()) {
        return released;
      }
      long held = heldNanosLeft();
      if (held > 0) {
        time.sleep(Duration.ofNanos(Math.min(held, deadline.leftNanos())));
      } else if (!first.awaitApplied(position + 1, deadline.left())) {
        return released();
      }
    }
  }

  /** Position of the last entry that is let through, as far as that is known. */
  private long released() {
    long applied = first.view().position();
    lock.lock();
    try {
      return heldNanosLeft() > 0 ? Math.min(applied, heldAt - 1) : applied;
    } finally {
      lock.unlock();
    }
  }

  private long heldNanosLeft() {
    lock.lock();
    try {
      return heldAt <= looked ? 0 : heldUntilNanos - time.nanos();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public @Nullable Beacon beacon() {
    return feed.beacon();
  }

  @Override
  public boolean beats() {
    return feed.beats();
  }

  @Override
  public long oldest() {
    return feed.oldest();
  }
}
