package dev.holdfast.server;

import dev.holdfast.ledger.Kind;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Rod;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What happened to a control rod: one of the last {@link #KEPT}, which stand in the ledger as keys
 * that are used in turn, so that they outlive a snapshot and never grow. Immutable.
 *
 * @param number counted from 1 over all notes
 * @param event what happened
 * @param rod as it was then
 * @param at when, by the clock of the node
 * @param by who did it
 * @param why in his words, where they are not those of the rod itself
 * @param node the only node that it happened on, or null for all
 * @param effect what the rod had done by then, on the node that wrote this
 * @param drill whether it was done to see that it works
 */
record RodNote(
    long number,
    Event event,
    Rod rod,
    Instant at,
    String by,
    @Nullable String why,
    @Nullable String node,
    long effect,
    boolean drill) {
  /** Notes in the ledger. */
  static final Kind<RodNote> KIND = Kind.open("rod-note", 1, RodNote.class);

  /** How many are kept. */
  static final int KEPT = 256;

  static final String PREFIX = "rod-note/";

  /** What may happen. */
  enum Event {
    /** It was put in, or put in anew. */
    SET,
    /** Somebody took it out. */
    LIFTED,
    /** Its time was over. */
    EXPIRED
  }

  RodNote {
    Check.that(number >= 0, "number", number, ">= 0");
    Objects.requireNonNull(event, "event");
    Objects.requireNonNull(rod, "rod");
    Objects.requireNonNull(at, "at");
    Objects.requireNonNull(by, "by");
  }

  /** A note that has no number yet. */
  static RodNote of(
      Event event, Rod rod, Instant at, String by, @Nullable String why, @Nullable String node) {
    return new RodNote(0, event, rod, at, by, why, node, 0, false);
  }

  RodNote with(long effectThen, boolean drilled) {
    return new RodNote(number, event, rod, at, by, why, node, effectThen, drilled);
  }

  /** The same, of that node and without a number. */
  RodNote of(String only) {
    return new RodNote(0, event, rod, at, by, why, only, effect, drill);
  }

  RodNote numbered(long next) {
    return new RodNote(next, event, rod, at, by, why, node, effect, drill);
  }

  /** Where the note of that number stands, which is where an older one stood. */
  static String key(long number) {
    return PREFIX + String.format("%03d", number % KEPT);
  }
}
