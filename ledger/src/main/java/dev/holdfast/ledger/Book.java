package dev.holdfast.ledger;

import dev.holdfast.limits.Check;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a follower made of the entries so far: the fold's value, the digest, and the keys in
 * quarantine. It decides nothing about order; {@link Pursuit} does. Confined to one thread.
 *
 * <p>There are two digests. {@link #digest} is the sum over what was applied. {@link #seen} counts
 * for a key in quarantine the entry that came and not the one that is served, and is therefore what
 * the ledger's beacons must agree with: a quarantine is no divergence, it is told by its name.
 */
final class Book<V> {
  private static final int TRIES_PER_ENTRY = 2; // the first failure may be its neighbour's doing
  private static final int REMEMBERED = 1_024; // positions; a power of two

  /** Why a key is in quarantine, and what it adds to each digest. */
  private record Held(String cause, long seen, long good, boolean decided) {}

  private final Fold<V> fold;
  private final Parts parts; // of the digest, by live key
  private final HashMap<String, Held> quarantine = new HashMap<>();
  private final HashMap<String, Integer> live = new HashMap<>();
  private final long[] positions = new long[REMEMBERED];
  private final long[] digests = new long[REMEMBERED];
  private boolean open;
  private V value;
  private long position;
  private long digest;
  private long owed;
  private long decidedHeld;
  private long misapplied;
  private boolean touched;
  private @Nullable Map<String, String> causes;

  /** A view that was open to changes in place does not show one of them. */
  static final class Spoiled extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private Spoiled(Entry entry) {
      super("the fold did not do what position " + entry.position() + " says");
    }
  }

  Book(Fold<V> fold) {
    this.fold = fold;
    parts = new Parts();
    value = fold.start();
  }

  /** A book whose value nobody sees before {@link #settle}, with room for so many keys. */
  Book(Fold<V> fold, int expected) {
    this.fold = fold;
    parts = new Parts(expected);
    open = true;
    value = fold.open();
  }

  /** From now on every value stays as it is. */
  void settle() {
    if (open) {
      value = fold.settle(value);
      open = false;
    }
  }

  /** Whether entries of that kind count, in the digest too. */
  static boolean reads(Fold<?> fold, String kind) {
    return !kind.equals(Verdict.KIND.name())
        && !kind.equals(Withheld.KIND.name())
        && fold.reads(kind);
  }

  V value() {
    return value;
  }

  long position() {
    return position;
  }

  long digest() {
    return digest;
  }

  /** The digest that a beacon at this position must have. */
  long seen() {
    return digest + owed;
  }

  /** What {@link #seen} was at that position, or null when that is not known any more. */
  @Nullable Long seenAt(long at) {
    int slot = (int) at & REMEMBERED - 1;
    return at == position ? Long.valueOf(seen()) : positions[slot] == at ? digests[slot] : null;
  }

  /** Whether there is anything of that key. */
  boolean lives(String key) {
    return parts.size() > 0 && parts.get(key) != 0;
  }

  /** How many keys of that kind live. A key that changed its kind is counted as of the old one. */
  int live(String kind) {
    return live.getOrDefault(kind, 0);
  }

  /** Whether the last entry changed anything that has to be kept: value, digest or decisions. */
  boolean touched() {
    return touched;
  }

  long misapplied() {
    return misapplied;
  }

  /** Why keys are in quarantine. Immutable; the same object until something changes. */
  Map<String, String> causes() {
    var known = causes;
    if (known == null) {
      var map = new HashMap<String, String>();
      quarantine.forEach((key, held) -> map.put(key, held.cause()));
      known = Map.copyOf(map);
      causes = known;
    }
    return known;
  }

  List<String> quarantined() {
    return new ArrayList<>(quarantine.keySet());
  }

  boolean isQuarantined(String key) {
    return quarantine.containsKey(key);
  }

  /** Everything up to that position is in. */
  void advance(long to) {
    position = to;
    int slot = (int) to & REMEMBERED - 1;
    positions[slot] = to;
    digests[slot] = seen();
  }

  /** Whether one more key could be put in quarantine. */
  boolean hasRoomFor(String key) {
    return quarantine.size() - decidedHeld < Follower.QUARANTINE_MAX || quarantine.containsKey(key);
  }

  /**
   * Applies the entry, or puts its key in quarantine.
   *
   * @return false when the quarantine is full; nothing happened then
   * @throws Spoiled when that has to be done over without changes in place
   */
  boolean apply(Entry entry) {
    long part = part(fold, entry);
    return apply(entry, part == 0 && parts.size() == 0 ? 0 : Parts.hash(entry.key()), part);
  }

  /** As {@link #apply(Entry)}, with the key's {@link Parts#hash} and what the entry adds. */
  boolean apply(Entry entry, long hash, long part) {
    boolean read = reads(fold, entry.kind());
    touched = read;
    if (entry.kind().equals(Withheld.KIND.name())) {
      return withheld(entry);
    }
    if (entry.kind().equals(Verdict.KIND.name())) {
      touched = true;
      return true;
    }
    var failure =
        touched || entry.deleted() || !lives(entry.key()) ? attempt(entry) : foreign(entry);
    if (failure != null) {
      if (!hasRoomFor(entry.key())) {
        return false;
      }
      hold(entry, "position " + entry.position() + ": " + failure, false);
      return true;
    }
    settle(entry.key());
    if (entry.deleted() || !read) {
      if (parts.size() > 0) {
        long before = parts.remove(hash);
        digest -= before;
        touched |= before != 0;
        count(entry.kind(), before == 0 ? 0 : -1);
      }
    } else {
      long before = parts.put(hash, part);
      digest += part - before;
      count(entry.kind(), before == 0 ? 1 : 0);
    }
    return true;
  }

  /** What the entry adds to the digest of who folds like that. */
  static long part(Fold<?> fold, Entry entry) {
    return entry.deleted() || !reads(fold, entry.kind())
        ? 0
        : Digest.of(entry.key(), entry.revision(), Envelope.crc(entry.payload()));
  }

  /** A key that is served became something that nobody here can read: what it was stays. */
  private String foreign(Entry entry) {
    touched = true;
    return Check.message("kind of " + entry.key(), entry.kind(), "one that is read here");
  }

  /** Keeps the key's last value although the entry says otherwise. */
  void hold(Entry entry, String cause, boolean decided) {
    hold(entry.key(), part(fold, entry), cause, decided);
  }

  /** Puts an older entry of a key in quarantine in: its last good value. Says nothing new. */
  void reinstate(Entry older) {
    if (quarantine.containsKey(older.key()) && attempt(older) == null) {
      var held = quarantine.get(older.key());
      long part =
          older.deleted()
              ? 0
              : Digest.of(older.key(), older.revision(), Envelope.crc(older.payload()));
      long before = part == 0 ? parts.remove(older.key()) : parts.put(older.key(), part);
      digest += part - before;
      count(older.kind(), part != 0 && before == 0 ? 1 : part == 0 && before != 0 ? -1 : 0);
      if (held != null) {
        hold(older.key(), held.seen(), held.cause(), held.decided());
      }
    }
  }

  private boolean withheld(Entry entry) {
    Withheld withheld;
    try {
      withheld = Withheld.KIND.decode(entry);
    } catch (IllegalArgumentException e) {
      withheld = new Withheld("?", true, 0, false, Check.printable("" + e.getMessage()));
    }
    if (!reads(fold, withheld.kind())
        && !quarantine.containsKey(entry.key())
        && !lives(entry.key())) {
      return true;
    }
    if (!withheld.decided() && !hasRoomFor(entry.key())) {
      return false;
    }
    long seen =
        withheld.deleted() || !reads(fold, withheld.kind())
            ? 0
            : Digest.of(entry.key(), entry.revision(), withheld.crc());
    hold(
        entry.key(),
        seen,
        "position " + entry.position() + ": withheld: " + withheld.cause(),
        withheld.decided());
    return true;
  }

  private void hold(String key, long seen, String cause, boolean decided) {
    settle(key);
    long good = parts.get(key);
    quarantine.put(key, new Held(cause, seen, good, decided));
    owed += seen - good;
    decidedHeld += decided ? 1 : 0;
    causes = null;
    touched = true;
  }

  /** Ends the key's quarantine. */
  private void settle(String key) {
    if (quarantine.isEmpty()) {
      return;
    }
    var held = quarantine.remove(key);
    if (held != null) {
      owed -= held.seen() - held.good();
      decidedHeld -= held.decided() ? 1 : 0;
      causes = null;
    }
  }

  // Whatever a fold throws, a stack overflow in a parser included, is one entry's fault.
  @SuppressWarnings("CatchThrowable")
  private @Nullable String attempt(Entry entry) {
    @Nullable String failure = null;
    for (int i = 0; i < TRIES_PER_ENTRY; i++) {
      try {
        var next = fold.apply(value, entry);
        if (!fold.reads(entry.kind()) || fold.shows(next, entry)) {
          value = next;
          return null;
        }
        if (open) {
          throw new Spoiled(entry);
        }
        misapplied++;
        failure = "the fold did not do what the entry says";
      } catch (Spoiled s) {
        throw s;
      } catch (Throwable t) {
        failure = Check.printable("" + t);
      }
    }
    return failure;
  }

  private void count(String kind, int change) {
    if (change != 0) {
      live.merge(kind, change, Integer::sum);
    }
  }
}
