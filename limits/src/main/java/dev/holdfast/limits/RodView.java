package dev.holdfast.limits;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All control rods that one node has to heed, ready to be asked on the request path: a question
 * costs an array access while no such rod is in, and allocates nothing. Whether a rod has expired
 * is decided when it is asked for. Immutable, but for its counters, which are thread-safe.
 */
public final class RodView {
  private static final Inserted[] NOTHING = {};

  /** No rod is in. */
  public static final RodView NONE = of("none", List.of(), new RodEffects());

  private final EnumMap<KnownRod, Shelf> shelves; // never changed
  private final List<Inserted> all;
  private final boolean requests;

  /** A rod that is in, with what it did. */
  public static final class Inserted {
    private final Rod rod;
    private final long expiresMillis;
    private final RodEffects.Count count;

    private Inserted(Rod rod, RodEffects.Count count) {
      this.rod = rod;
      var expires = rod.expiresAt();
      expiresMillis = expires == null ? Long.MAX_VALUE : expires.toEpochMilli();
      this.count = count;
    }

    /** Which. */
    public Rod rod() {
      return rod;
    }

    /** The share that it leaves, in percent. */
    public int level() {
      return rod.level();
    }

    /** It refused, held or delayed something. */
    public void felt() {
      count.add();
    }

    /** How often. */
    public long effect() {
      return count.sum();
    }

    /** Whether it acts at that time. */
    public boolean acts(long nowMillis) {
      return nowMillis < expiresMillis;
    }

    /** Whole seconds until it expires, at least 1 and at most {@code most}. */
    public long secondsLeft(long nowMillis, long most) {
      return Math.clamp(Math.ceilDiv(expiresMillis - nowMillis, 1_000L), 1, most);
    }
  }

  /** Rods of one name: those that act on the whole node, and those on a part of it, by its name. */
  private static final class Shelf {
    final Map<String, Inserted[]> apps = new HashMap<>();
    final Map<String, Inserted[]> accounts = new HashMap<>();
    final Map<String, Inserted[]> upstreams = new HashMap<>();
    Inserted[] whole = NOTHING;

    void add(RodScope scope, Inserted inserted) {
      var one = new Inserted[] {inserted};
      switch (scope.extent()) {
        case GLOBAL, NODE -> whole = joined(whole, one);
        case APP -> apps.merge(scope.name(), one, RodView::joined);
        case ACCOUNT -> accounts.merge(scope.name(), one, RodView::joined);
        case UPSTREAM -> upstreams.merge(scope.name(), one, RodView::joined);
      }
    }
  }

  private RodView(EnumMap<KnownRod, Shelf> shelves, List<Inserted> all) {
    this.shelves = shelves;
    this.all = all;
    requests = shelf(KnownRod.MAINTENANCE) != null || shelf(KnownRod.PAUSE) != null;
  }

  /**
   * The view of that node. Rods for other nodes and rods that are not known here are left out.
   *
   * @param effects where their counters are
   */
  public static RodView of(String node, Collection<Rod> rods, RodEffects effects) {
    var shelves = new EnumMap<KnownRod, Shelf>(KnownRod.class);
    var all = new ArrayList<Inserted>();
    for (var rod : rods) {
      var known = KnownRod.find(rod.name());
      var scope = RodScope.of(rod.scope());
      boolean elsewhere = scope.extent() == RodScope.Extent.NODE && !scope.name().equals(node);
      if (known == null || elsewhere) {
        continue;
      }
      var inserted = new Inserted(rod, effects.of(rod));
      all.add(inserted);
      shelves.computeIfAbsent(known, _ -> new Shelf()).add(scope, inserted);
    }
    all.sort(Comparator.comparing(i -> i.rod().key()));
    return new RodView(shelves, List.copyOf(all));
  }

  private static Inserted[] joined(Inserted[] some, Inserted[] more) {
    var both = Arrays.copyOf(some, some.length + more.length);
    System.arraycopy(more, 0, both, some.length, more.length);
    return both;
  }

  private @Nullable Shelf shelf(KnownRod known) {
    return shelves.get(known);
  }

  /** Every rod that this node has to heed, expired ones included, in order of name and scope. */
  public List<Inserted> all() {
    return all;
  }

  /** Whether a rod of that name is in, expired ones included. */
  public boolean has(KnownRod known) {
    return shelf(known) != null;
  }

  /** Whether a rod is in that a request may have to heed. */
  public boolean heedsRequests() {
    return requests;
  }

  /** The strictest rod of that name for the node as a whole, or null. */
  public @Nullable Inserted find(KnownRod known, long nowMillis) {
    var shelf = shelf(known);
    return shelf == null ? null : strictest(null, shelf.whole, nowMillis);
  }

  /** The strictest rod of that name for that app of that account, or null. */
  public @Nullable Inserted find(
      KnownRod known, String app, @Nullable String account, long nowMillis) {
    var shelf = shelf(known);
    if (shelf == null) {
      return null;
    }
    var found = strictest(null, shelf.whole, nowMillis);
    found = strictest(found, shelf.apps.get(app), nowMillis);
    return account == null ? found : strictest(found, shelf.accounts.get(account), nowMillis);
  }

  /** The strictest rod of that name for calls to that host, or null. */
  public @Nullable Inserted findUpstream(KnownRod known, String host, long nowMillis) {
    var shelf = shelf(known);
    return shelf == null
        ? null
        : strictest(strictest(null, shelf.whole, nowMillis), shelf.upstreams.get(host), nowMillis);
  }

  private static @Nullable Inserted strictest(
      @Nullable Inserted found, Inserted @Nullable [] some, long nowMillis) {
    var best = found;
    if (some == null) {
      return best;
    }
    for (var inserted : some) {
      if (inserted.acts(nowMillis)
          && (best == null
              || inserted.level() < best.level()
              || (inserted.level() == best.level()
                  && inserted.expiresMillis > best.expiresMillis))) {
        best = inserted;
      }
    }
    return best;
  }
}
