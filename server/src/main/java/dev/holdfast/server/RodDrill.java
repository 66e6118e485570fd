package dev.holdfast.server;

import dev.holdfast.ledger.Kind;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.KnownRod;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;

/**
 * When somebody last saw that a control rod works. Immutable.
 *
 * @param rod its name
 * @param at when
 * @param by who, or which drill
 * @param effect what was seen
 */
record RodDrill(String rod, Instant at, String by, String effect) {
  /** Drills in the ledger. */
  static final Kind<RodDrill> KIND = Kind.open("rod-drill", 1, RodDrill.class);

  private static final int EFFECT_CHARS_MAX = 500;

  RodDrill {
    Objects.requireNonNull(rod, "rod");
    Objects.requireNonNull(at, "at");
    Objects.requireNonNull(by, "by");
    Check.that(
        effect.length() <= EFFECT_CHARS_MAX,
        "effect",
        effect,
        "at most " + EFFECT_CHARS_MAX + " characters");
  }

  static String key(String rod) {
    return "rod-drill/" + rod;
  }

  static String key(KnownRod rod) {
    return key(rod.word());
  }

  /** Whether it is recent enough to rely on. */
  boolean counts(Duration within, Instant now) {
    return at.plus(within).isAfter(now);
  }
}
