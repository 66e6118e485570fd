package dev.holdfast.edge;

import dev.holdfast.limits.Keys;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * What keys are called: a bounded table in which a key has four places and the last that came takes
 * the first of them that is not its own. Thread-safe, lock-free; a name may be forgotten, never
 * mistaken.
 */
final class Names {
  private static final int WAYS = 4;

  private record Name(long key, String text) {}

  private final AtomicReferenceArray<@Nullable Name> names;
  private final int sets;

  Names(int capacity) {
    sets = Math.max(1, Integer.highestOneBit(capacity - 1) * 2 / WAYS);
    names = new AtomicReferenceArray<>(sets * WAYS);
  }

  /** Whether {@link #put} would be of no use. Allocates nothing. */
  boolean knows(long key) {
    return text(key) != null;
  }

  void put(long key, String text) {
    int first = first(key);
    for (int i = first; i < first + WAYS; i++) {
      var name = names.get(i);
      if (name == null || name.key == key) {
        names.set(i, new Name(key, text));
        return;
      }
    }
    int victim = first + (int) (Keys.mix(key ^ first) & (WAYS - 1));
    names.set(victim, new Name(key, text));
  }

  /** The key's name, or null. */
  @Nullable String text(long key) {
    int first = first(key);
    for (int i = first; i < first + WAYS; i++) {
      var name = names.get(i);
      if (name != null && name.key == key) {
        return name.text;
      }
    }
    return null;
  }

  private int first(long key) {
    return (int) (Keys.mix(key) & (sets - 1)) * WAYS;
  }
}
