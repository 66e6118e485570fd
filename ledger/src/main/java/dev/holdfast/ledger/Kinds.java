package dev.holdfast.ledger;

import dev.holdfast.limits.Check;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** All kinds that this program can read and may therefore write. Immutable. */
public final class Kinds {
  private final Map<String, Kind<?>> byName;

  private Kinds(Map<String, Kind<?>> byName) {
    this.byName = byName;
  }

  /**
   * The given kinds, {@link Lease#KIND} and {@link Verdict#KIND}.
   *
   * @throws IllegalStateException when two have one name
   */
  public static Kinds of(Kind<?>... kinds) {
    Map<String, Kind<?>> byName =
        Arrays.stream(kinds).collect(Collectors.toMap(Kind::name, Function.identity()));
    byName.put(Lease.KIND.name(), Lease.KIND);
    byName.put(Verdict.KIND.name(), Verdict.KIND);
    return new Kinds(Map.copyOf(byName));
  }

  /** The kind of that name, or null. */
  public @Nullable Kind<?> find(String name) {
    return byName.get(name);
  }

  /** Whether the entry's payload may be shown; what is unknown may not. */
  public boolean mayShow(Entry entry) {
    var kind = byName.get(entry.kind());
    return kind != null && !kind.secret();
  }

  /**
   * The gate that a writer passes before it commits: what a follower could not read is refused.
   *
   * @throws IllegalArgumentException naming the entry's key and the cause
   */
  void check(Entry entry) {
    var kind = byName.get(entry.kind());
    if (kind == null) {
      throw new IllegalArgumentException(
          Check.message("kind of " + entry.key(), entry.kind(), "one of " + byName.keySet()));
    }
    if (!entry.deleted()) {
      kind.decode(entry);
    }
  }
}
