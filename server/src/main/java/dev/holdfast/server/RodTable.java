package dev.holdfast.server;

import static java.util.stream.Collectors.toUnmodifiableSet;

import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Fold;
import dev.holdfast.ledger.Kind;
import dev.holdfast.ledger.PersistentMap;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.ledger.Verdict;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Rod;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the ledger says about control rods. Whether one has expired is not decided here. Immutable.
 *
 * @param rods by key
 * @param notes the last ones, by key
 * @param drills by key
 */
record RodTable(
    PersistentMap<String, Versioned<Rod>> rods,
    PersistentMap<String, Versioned<RodNote>> notes,
    PersistentMap<String, RodDrill> drills) {
  /** Rods in the ledger. */
  static final Kind<Rod> KIND = Kind.open("rod", 1, Rod.class);

  /** A value and how often its key was written. */
  record Versioned<T>(T value, long revision) {}

  private static final Set<String> KINDS =
      Set.of(KIND.name(), RodNote.KIND.name(), RodDrill.KIND.name());

  /** What a follower of rods has to be given: what it reads, and what people decided of it. */
  static final Set<String> FOLLOWED =
      Stream.concat(KINDS.stream(), Stream.of(Verdict.KIND.name())).collect(toUnmodifiableSet());

  static final Fold<RodTable> FOLD =
      new Fold<>() {

        @Override
        public RodTable start() {
          return new RodTable(PersistentMap.empty(), PersistentMap.empty(), PersistentMap.empty());
        }

        @Override
        public boolean reads(String kind) {
          return KINDS.contains(kind);
        }

        @Override
        public RodTable apply(RodTable table, Entry entry) {
          if (entry.kind().equals(KIND.name())) {
            return new RodTable(rods(table.rods(), entry), table.notes(), table.drills());
          }
          if (entry.kind().equals(RodNote.KIND.name())) {
            var note = entry.deleted() ? null : RodNote.KIND.decode(entry);
            return new RodTable(
                table.rods(),
                note == null
                    ? table.notes().without(entry.key())
                    : table.notes().with(entry.key(), new Versioned<>(note, entry.revision())),
                table.drills());
          }
          if (entry.kind().equals(RodDrill.KIND.name())) {
            return new RodTable(
                table.rods(),
                table.notes(),
                entry.deleted()
                    ? table.drills().without(entry.key())
                    : table.drills().with(entry.key(), RodDrill.KIND.decode(entry)));
          }
          return table;
        }
      };

  private static PersistentMap<String, Versioned<Rod>> rods(
      PersistentMap<String, Versioned<Rod>> rods, Entry entry) {
    if (entry.deleted()) {
      return rods.without(entry.key());
    }
    var rod = KIND.decode(entry);
    Check.that(entry.key().equals(rod.key()), "key", entry.key(), rod.key());
    return rods.with(entry.key(), new Versioned<>(rod, entry.revision()));
  }

  /** All rods, expired ones included. */
  List<Rod> all() {
    var all = new ArrayList<Rod>();
    rods.forEach((_, rod) -> all.add(rod.value()));
    return all;
  }

  /** The rod at that key, or null. */
  @Nullable Rod rod(String key) {
    var found = rods.get(key);
    return found == null ? null : found.value();
  }

  /** The notes, newest first. */
  List<RodNote> history() {
    var all = new ArrayList<RodNote>();
    notes.forEach((_, note) -> all.add(note.value()));
    all.sort(Comparator.comparingLong(RodNote::number).reversed());
    return all;
  }

  private long lastNumber() {
    var history = history();
    return history.isEmpty() ? 0 : history.getFirst().number();
  }

  /**
   * Adds the notes to the transaction under the next numbers. When somebody else wrote one
   * meanwhile, the transaction is refused and made anew.
   */
  void note(Transaction transaction, List<RodNote> more) {
    long number = lastNumber();
    for (var note : more) {
      number++;
      var key = RodNote.key(number);
      var old = notes.get(key);
      transaction.put(
          RodNote.KIND,
          key,
          note.numbered(number),
          old == null ? Transaction.ABSENT : Transaction.at(old.revision()));
    }
  }
}
