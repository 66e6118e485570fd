package dev.holdfast.server;

import dev.holdfast.limits.Check;
import dev.holdfast.limits.KnownRod;
import dev.holdfast.limits.MetricSource;
import dev.holdfast.limits.MetricText;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Rod;
import dev.holdfast.limits.RodEffects;
import dev.holdfast.limits.RodOrder;
import dev.holdfast.limits.RodView;
import dev.holdfast.limits.RodsConfig;
import dev.holdfast.limits.Time;
import dev.holdfast.server.RodShapes.KnownShape;
import dev.holdfast.server.RodShapes.RodList;
import dev.holdfast.server.RodShapes.RodShape;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * All control rods that this node heeds, from wherever they come: the ledger, the node's own local
 * ones (break-glass), and rules. Whoever heeds them reads {@link #view}, one volatile read. It
 * needs no ledger, no store and no network: what is set here acts at once whatever else is dead.
 * Thread-safe.
 */
final class RodBoard implements MetricSource {
  /** How long a rule is quiet after a person took its rod out. */
  static final Duration RULE_QUIET = Duration.ofMinutes(30);

  private final String node;
  private final RodsConfig config;
  private final Time time;
  private final LocalRods local;
  private final RodEffects effects = new RodEffects();
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<String, Rod> ruled = new HashMap<>(); // by rule; guarded by lock
  private final Map<String, Instant> quiet = new HashMap<>(); // rules, until; guarded by lock
  private volatile Supplier<RodTable> decided = RodTable.FOLD::start;
  private volatile Supplier<RodFelt> elsewhere = () -> RodFelt.NONE;
  private volatile RodView view = RodView.NONE;

  /** A board with what the file of local rods says. */
  RodBoard(Path file, String node, RodsConfig config, Time time) {
    this.node = node;
    this.config = config;
    this.time = time;
    local = new LocalRods(file);
    publish();
  }

  /** What to heed now. */
  RodView view() {
    return view;
  }

  String node() {
    return node;
  }

  RodsConfig config() {
    return config;
  }

  LocalRods local() {
    return local;
  }

  RodTable table() {
    return decided.get();
  }

  /** From now on what the ledger says counts, too. */
  void decidedBy(Supplier<RodTable> table) {
    decided = table;
    publish();
  }

  /** Brings the view to what is known now. */
  void publish() {
    lock.lock();
    try {
      var all = new ArrayList<>(decided.get().all());
      all.addAll(local.all());
      all.addAll(ruled.values());
      effects.keep(all);
      view = RodView.of(node, all, effects);
    } finally {
      lock.unlock();
    }
  }

  /** What the rod did here since it was put in. */
  long effect(Rod rod) {
    for (var inserted : view.all()) {
      if (inserted.rod().equals(rod)) {
        return inserted.effect();
      }
    }
    return 0;
  }

  /** What other nodes say of what rods do there counts in what people see. */
  void alsoFelt(Supplier<RodFelt> there) {
    elsewhere = there;
  }

  /** What the rod did here and, if it stands in the ledger, on the nodes that report it. */
  long effectEverywhere(Rod rod) {
    return effect(rod) + elsewhere.get().of(rod);
  }

  /** What rods did here. */
  RodFelt felt() {
    var rods = new HashMap<String, Long>();
    for (var inserted : view.all()) {
      if (inserted.rod().source() == Rod.Source.OPERATOR && inserted.effect() > 0) {
        rods.put(inserted.rod().key(), inserted.effect());
      }
    }
    var totals = new HashMap<String, Long>();
    for (var known : KnownRod.values()) {
      if (effects.total(known) > 0) {
        totals.put(known.word(), effects.total(known));
      }
    }
    return new RodFelt(rods, totals);
  }

  // ---- break-glass

  /** A rod that was set on this node alone, and why it will be gone after a restart, if so. */
  record Here(Rod rod, @Nullable String unsaved) {}

  /** Sets a rod on this node alone; it acts when this returns, whatever the disk does. */
  Outcome<Here> setHere(String actor, RodOrder order) {
    return switch (order.decide(config, node, actor, Rod.Source.BREAK_GLASS, time.now())) {
      case Outcome.Done<Rod>(var rod) -> putHere(rod, order.drill());
      case Outcome.Refused<Rod>(var refusal) -> Outcome.refused(refusal);
    };
  }

  private Outcome<Here> putHere(Rod rod, boolean drill) {
    if (!local.put(rod)) {
      return Outcome.refused(
          new Refusal.OverBudget(
              Check.message("local rods", LocalRods.RODS_MAX + 1, "at most " + LocalRods.RODS_MAX),
              Duration.ofMinutes(1)));
    }
    publish();
    local.note(
        RodNote.of(RodNote.Event.SET, rod, rod.setAt(), rod.actor(), null, node).with(0, drill));
    return Outcome.done(new Here(rod, local.save()));
  }

  /** A rod that was taken out, and what it had done here by then. */
  record Lifted(Rod rod, long effect) {}

  /** Takes a rod out that stands in no ledger: a local one, a rule's, or both. */
  List<Lifted> liftHere(String actor, String name, String scope, @Nullable String why) {
    var key = Rod.key(name, scope);
    var lifted = new ArrayList<Rod>();
    var own = local.get(key);
    if (own != null) {
      lifted.add(own);
    }
    lock.lock();
    try {
      ruled.forEach((rule, rod) -> {
        if (rod.key().equals(key)) {
          lifted.add(rod);
          quiet.put(rule, time.now().plus(RULE_QUIET));
        }
      });
    } finally {
      lock.unlock();
    }
    var out = lifted.stream().map(rod -> new Lifted(rod, effect(rod))).toList();
    if (!lifted.isEmpty()) {
      lifted.forEach(rod -> note(RodNote.Event.LIFTED, rod, actor, why));
      if (own != null) {
        local.remove(own);
      }
      lock.lock();
      try {
        ruled.values().removeAll(lifted);
      } finally {
        lock.unlock();
      }
      publish();
      var _ = local.save();
    }
    return out;
  }

  private void note(RodNote.Event event, Rod rod, String by, @Nullable String why) {
    local.note(RodNote.of(event, rod, time.now(), by, why, node).with(effect(rod), false));
  }

  /** Forgets local rods whose time is over; to be called about once a second. */
  void prune() {
    var now = time.now();
    var over = local.all().stream().filter(rod -> !rod.acts(now)).toList();
    for (var rod : over) {
      note(RodNote.Event.EXPIRED, rod, "clock", null);
      local.remove(rod);
    }
    if (!over.isEmpty()) {
      publish();
      var _ = local.save();
    }
  }

  // ---- rules

  /** What a rule wants in now, or null. */
  void ruled(String rule, @Nullable Rod wanted) {
    Rod before;
    lock.lock();
    try {
      var until = quiet.get(rule);
      if (until != null && !time.now().isBefore(until)) {
        quiet.remove(rule);
        until = null;
      }
      before = ruled.get(rule);
      if (wanted == null || until != null) {
        ruled.remove(rule);
      } else {
        ruled.put(rule, wanted);
      }
      if (until != null) {
        return; // who took it out has written it down
      }
    } finally {
      lock.unlock();
    }
    if (before == null && wanted != null) {
      local.note(RodNote.of(RodNote.Event.SET, wanted, time.now(), wanted.from(), null, node));
    } else if (before != null && wanted == null) {
      note(RodNote.Event.LIFTED, before, before.from(), "it is over");
    }
    if (before != null || wanted != null) {
      publish();
    }
  }

  // ---- what people see

  /** All about rods, as of now. */
  RodList list() {
    var now = time.now();
    var table = table();
    var there = elsewhere.get();
    var known = new ArrayList<KnownShape>();
    for (var rod : KnownRod.values()) {
      var drill = table.drills().get(RodDrill.key(rod));
      known.add(
          KnownShape.of(
              rod,
              effects.total(rod) + there.total(rod),
              drill,
              drill != null && drill.counts(config.drilledWithin(), now)));
    }
    var items = new ArrayList<RodShape>();
    view.all().stream()
        .filter(inserted -> inserted.acts(now.toEpochMilli()))
        .forEach(inserted -> {
          var rod = inserted.rod();
          items.add(RodShape.of(rod, true, inserted.effect() + there.of(rod)));
        });
    for (var rod : table.all()) { // of other nodes, or of a newer platform: they do nothing here
      if (rod.acts(now) && items.stream().noneMatch(shape -> same(shape, rod))) {
        items.add(RodShape.of(rod, false, there.of(rod)));
      }
    }
    return new RodList(items, known, node, local.unwritten(), null);
  }

  private static boolean same(RodShape shape, Rod rod) {
    return shape.name().equals(rod.name())
        && shape.scope().equals(rod.scope())
        && shape.source().equals(rod.from());
  }

  @Override
  public void write(MetricText out) {
    long now = time.now().toEpochMilli();
    var seen = view;
    out.gauge("holdfast_rods", "Control rods that are in on this node.");
    for (var known : KnownRod.values()) {
      out.sample(
          seen.all().stream()
              .filter(i -> i.rod().name().equals(known.word()) && i.acts(now))
              .count(),
          "rod",
          known.word());
    }
    out.counter("holdfast_rod_effects", "What control rods refused, held or delayed.");
    for (var known : KnownRod.values()) {
      out.sample(effects.total(known), "rod", known.word());
    }
    out.gauge(
        "holdfast_rod_drilled_seconds", "When a rod was last seen to work, seconds since 1970.");
    var table = table();
    for (var known : KnownRod.values()) {
      var drill = table.drills().get(RodDrill.key(known));
      out.sample(drill == null ? 0 : drill.at().getEpochSecond(), "rod", known.word());
    }
    out.gauge("holdfast_rod_notes_unwritten", "What happened to rods and is in no ledger yet.")
        .sample(local.unwritten());
  }
}
