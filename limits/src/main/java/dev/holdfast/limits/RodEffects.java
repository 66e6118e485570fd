package dev.holdfast.limits;

import java.util.Collection;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * What control rods did since the process began: one number for each that is in, and one for each
 * that is known. Bounded by the rods that are in. Thread-safe.
 */
public final class RodEffects {
  private final Map<KnownRod, LongAdder> totals = new EnumMap<>(KnownRod.class); // never changed
  private final ConcurrentHashMap<String, Count> counts = new ConcurrentHashMap<>();

  /** What one rod did. */
  static final class Count {
    private final LongAdder own = new LongAdder();
    private final @Nullable LongAdder total;

    Count(@Nullable LongAdder total) {
      this.total = total;
    }

    void add() {
      own.increment();
      if (total != null) {
        total.increment();
      }
    }

    long sum() {
      return own.sum();
    }
  }

  /** Nothing was done. */
  public RodEffects() {
    for (var known : KnownRod.values()) {
      totals.put(known, new LongAdder());
    }
  }

  /** The counter of that rod, the same as long as it stays in. */
  Count of(Rod rod) {
    return counts.computeIfAbsent(
        name(rod),
        _ -> {
          var known = KnownRod.find(rod.name());
          return new Count(known == null ? null : totals.get(known));
        });
  }

  private static String name(Rod rod) {
    return rod.source() + " " + rod.key();
  }

  /** What all rods of that name did. */
  public long total(KnownRod known) {
    return Objects.requireNonNull(totals.get(known)).sum();
  }

  /** Forgets the numbers of rods that are not in any more. */
  public void keep(Collection<Rod> in) {
    var names = new HashSet<String>();
    in.forEach(rod -> names.add(name(rod)));
    counts.keySet().retainAll(names);
  }
}
