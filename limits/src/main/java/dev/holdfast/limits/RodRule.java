package dev.holdfast.limits;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An automatic rule that puts a control rod in when a reading is too high for several looks in a
 * row and takes it out when it is low again for as many. Between the two marks it stays as it is,
 * and so it does on a reading that could not be taken (NaN); its rod expires by itself when nobody
 * looks any more. What a rule does is weaker than what a person may do: it never leaves nothing.
 * Time is an argument. Confined to its owner.
 */
public final class RodRule {
  private final String name;
  private final KnownRod known;
  private final int level;
  private final double high;
  private final double low;
  private final int looks;
  private final Duration ttl;
  private final String reason;
  private int inARow;
  private @Nullable Instant since;
  private @Nullable Instant seen;

  /**
   * A rule that has seen nothing.
   *
   * @param name as people read it behind the word "rule"
   * @param level word or percentage, weaker than off
   * @param high reading from which on it acts
   * @param low reading from which down it stops
   * @param looks readings in a row that it takes
   * @param ttl how long its rod outlives the last look
   * @param reason what people read
   */
  public RodRule(
      String name,
      KnownRod known,
      String level,
      double high,
      double low,
      int looks,
      Duration ttl,
      String reason) {
    this.name = name;
    this.known = known;
    this.level = known.level(level);
    Check.that(this.level > 0, "level of rule " + name, level, "weaker than off");
    Check.that(low < high, "low of rule " + name, low, "less than high " + high);
    Check.that(looks >= 1, "looks of rule " + name, looks, ">= 1");
    Check.that(ttl.isPositive(), "ttl of rule " + name, ttl, "> 0");
    this.high = high;
    this.low = low;
    this.looks = looks;
    this.ttl = ttl;
    this.reason = reason;
  }

  /** As people read it behind the word "rule". */
  public String name() {
    return name;
  }

  /** The rod that it wants in after that reading, or null. */
  public @Nullable Rod look(double reading, Instant now) {
    if (!Double.isNaN(reading)) {
      boolean turns = since == null ? reading >= high : reading <= low;
      inARow = turns ? inARow + 1 : 0;
      if (inARow >= looks) {
        inARow = 0;
        since = since == null ? now : null;
      }
      seen = now;
    }
    var from = since;
    var last = seen;
    if (from == null || last == null) {
      return null;
    }
    var expires = last.plus(ttl);
    return expires.isAfter(from)
        ? new Rod(
            known.word(),
            RodScope.GLOBAL.text(),
            level,
            reason,
            name,
            from,
            expires,
            Rod.Source.RULE)
        : null;
  }
}
