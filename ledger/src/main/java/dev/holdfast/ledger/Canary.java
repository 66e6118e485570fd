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
 * follower froze at is never let through; what it put in quarantine is withheld from the others,
 * who are told which key it is about; entries of a new sort are held back for a while longer, in
 * which the first follower's process would have died of them. Thread-safe.
 *
 * <p>Of a new sort is the first entry of a kind or of a schema since this feed was made, and one
 * whose payload is larger than {@value #LARGE_BYTES} bytes. All others cost what the first follower
 * needs to apply them. A {@link #snapshot} is not held back: it is what has been, and a process
 * that starts has nothing that it could go on serving instead.
 */
public final class Canary implements Feed {
  /** Payloads from here on are of a new sort. */
  public static final int LARGE_BYTES = 64 << 10;

  private static final int KINDS_MAX = 1_000;

  private final Feed feed;
  private final Follower<?> first;
  private final Duration hold;
  private final Time time;
  private final ReentrantLock lock = new ReentrantLock();
  private final HashMap<String, Integer> schemas = new HashMap<>();
  private long looked; // entries up to here were looked at and are let through
  private long heldAt; // the entry of a new sort that is held back, or 0
  private long heldSinceNanos;

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
  }

  @Override
  public long snapshot(Consumer<Sealed> each) throws StoreException {
    return feed.snapshot(each);
  }

  @Override
  public List<Sealed> read(long after, int max) throws StoreException {
    long released = first.view().position();
    var through = new ArrayList<Sealed>();
    for (var sealed : feed.read(after, max)) {
      if (sealed.position() > released) {
        break;
      }
      var passed = pass(sealed);
      if (passed == null) {
        break;
      }
      through.add(passed);
    }
    return through;
  }

  /** The entry as the others get it, or null while it is held back. */
  private @Nullable Sealed pass(Sealed sealed) {
    if (!(Envelope.open(sealed) instanceof Envelope.Decoded.Good(var entry))) {
      return sealed; // the first follower is beyond it: a person decided
    }
    if (holdsBack(entry)) {
      return null;
    }
    var cause = first.report().quarantine().get(entry.key());
    return cause != null && cause.startsWith("position " + entry.position() + ":")
        ? Withheld.of(entry, "the first follower put it in quarantine")
        : sealed;
  }

  private boolean holdsBack(Entry entry) {
    lock.lock();
    try {
      if (entry.position() <= looked) {
        return false;
      }
      int known = schemas.getOrDefault(entry.kind(), 0);
      boolean news = entry.schema() > known || entry.payload().length() >= LARGE_BYTES;
      if (news && !hold.isZero()) {
        if (heldAt != entry.position()) {
          heldAt = entry.position();
          heldSinceNanos = time.nanos();
        }
        if (time.nanos() - heldSinceNanos < hold.toNanos()) {
          return true;
        }
      }
      if (schemas.size() < KINDS_MAX) {
        schemas.merge(entry.kind(), entry.schema(), Math::max);
      }
      looked = entry.position();
      return false;
    } finally {
      lock.unlock();
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
      return heldAt > looked && heldNanosLeft() > 0 ? Math.min(applied, heldAt - 1) : applied;
    } finally {
      lock.unlock();
    }
  }

  private long heldNanosLeft() {
    lock.lock();
    try {
      return heldAt <= looked ? 0 : heldSinceNanos + hold.toNanos() - time.nanos();
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
