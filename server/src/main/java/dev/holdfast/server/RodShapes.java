package dev.holdfast.server;

import dev.holdfast.limits.Check;
import dev.holdfast.limits.KnownRod;
import dev.holdfast.limits.Rod;
import dev.holdfast.limits.RodScope;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The JSON shapes of control rods, of the API and of the local socket. */
final class RodShapes {
  private RodShapes() {}

  /**
   * A rod that is in.
   *
   * @param level as people write it
   * @param left the share that it leaves, in percent
   * @param acts whether it does anything here now
   * @param effect what it did on the node that answers and on the edges that report to it
   * @param counts what {@code effect} counts
   */
  record RodShape(
      String name,
      String scope,
      String level,
      int left,
      String reason,
      String actor,
      String source,
      Instant setAt,
      @Nullable Instant expiresAt,
      boolean acts,
      long effect,
      String counts) {
    static RodShape of(Rod rod, boolean acts, long effect) {
      var known = KnownRod.find(rod.name());
      return new RodShape(
          rod.name(),
          rod.scope(),
          known == null ? rod.level() + "%" : known.show(rod.level()),
          rod.level(),
          rod.reason(),
          rod.actor(),
          rod.from(),
          rod.setAt(),
          rod.expiresAt(),
          acts,
          effect,
          known == null ? "not known here" : known.effect());
    }
  }

  /** A rod that there is, whether it is in or not. */
  record KnownShape(
      String name,
      String meaning,
      List<String> scopes,
      String levels,
      String counts,
      long total,
      @Nullable Instant drilledAt,
      @Nullable String drilledBy,
      boolean drilled) {
    static KnownShape of(KnownRod known, long total, @Nullable RodDrill drill, boolean drilled) {
      return new KnownShape(
          known.word(),
          known.meaning(),
          known.extents().stream().map(RodScope.Extent::word).toList(),
          known.levels(),
          known.effect(),
          total,
          drill == null ? null : drill.at(),
          drill == null ? null : drill.by(),
          drilled);
    }
  }

  /**
   * All about rods.
   *
   * @param node who answers
   * @param unwritten what happened here that the ledger does not know yet
   */
  record RodList(
      List<RodShape> items,
      List<KnownShape> known,
      String node,
      long unwritten,
      @Nullable String next) {}

  /** What somebody asks to be set. */
  record RodOrderShape(
      @Nullable String scope,
      @Nullable String level,
      @Nullable String ttl,
      @Nullable String reason,
      @Nullable Boolean drill) {}

  /** Which rods were taken out. */
  record RodsLifted(List<RodShape> items, @Nullable String remark) {}

  /** What happened once. */
  record RodNoteShape(
      long number,
      String event,
      String name,
      String scope,
      String level,
      String source,
      Instant at,
      String by,
      String reason,
      @Nullable Instant expiresAt,
      @Nullable String node,
      long effect,
      boolean drill) {
    static RodNoteShape of(RodNote note) {
      var rod = RodShape.of(note.rod(), false, note.effect());
      return new RodNoteShape(
          note.number(),
          note.event().name().toLowerCase(Locale.ROOT),
          rod.name(),
          rod.scope(),
          rod.level(),
          rod.source(),
          note.at(),
          note.by(),
          Objects.requireNonNullElse(note.why(), rod.reason()),
          rod.expiresAt(),
          note.node(),
          note.effect(),
          note.drill());
    }
  }

  /** What happened to rods on an edge and is in no ledger yet. */
  record EdgeRodNotes(List<RodNote> items) {
    static final int NOTES_MAX = 50;

    EdgeRodNotes {
      items = List.copyOf(items);
      Check.that(items.size() <= NOTES_MAX, "items", items.size(), "at most " + NOTES_MAX);
    }
  }

  record RodNoteList(List<RodNoteShape> items, @Nullable String next) {}

  /** A drill that is over. */
  record NewRodDrill(@Nullable String by, String effect) {
    NewRodDrill {
      Objects.requireNonNull(effect, "effect");
    }
  }

  /** A control rod that kept a call from being done, as it stands in Problem Details. */
  record RodHint(
      String name, String scope, String reason, String source, @Nullable Instant expiresAt) {
    static RodHint of(Rod rod) {
      return new RodHint(rod.name(), rod.scope(), rod.reason(), rod.from(), rod.expiresAt());
    }
  }
}
