package dev.holdfast.limits;

import java.time.Instant;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A budget that somebody turned down: which, where, how far, why, by whom and until when. Its name
 * need not be known here, so that an older program can follow a newer one's ledger. Immutable.
 *
 * @param name such as {@code deny-deploys}, see {@link KnownRod}
 * @param scope as {@link RodScope#text} writes it
 * @param level share of the budget that is left, 0 to 99 percent
 * @param reason why, in the words of who set it
 * @param actor who set it; for a rule its name
 * @param setAt when
 * @param expiresAt from when on it acts no longer; null for never, which needs to be asked for
 * @param source on what way it came
 */
public record Rod(
    String name,
    String scope,
    int level,
    String reason,
    String actor,
    Instant setAt,
    @Nullable Instant expiresAt,
    Source source) {
  /** Longest reason. */
  public static final int REASON_CHARS_MAX = 500;

  /** Longest actor. */
  public static final int ACTOR_CHARS_MAX = 128;

  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9-]{0,63}");
  private static final String PREFIX = "rod/";

  /** On what way a rod came. */
  public enum Source {
    /** Through the API, into the ledger. */
    OPERATOR,
    /** Set by the platform itself. */
    RULE,
    /** Over the local socket of one node. */
    BREAK_GLASS;

    /** As people read it. */
    public String word() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** Refuses a rod that nobody could tell apart or account for. */
  public Rod {
    Check.that(NAME.matcher(name).matches(), "rod", name, "a name of a-z, 0-9 and '-'");
    scope = RodScope.of(scope).text();
    Check.that(level >= 0 && level < KnownRod.WHOLE, "level of " + name, level, "0 to 99");
    checkText("reason", reason, REASON_CHARS_MAX);
    checkText("actor", actor, ACTOR_CHARS_MAX);
    java.util.Objects.requireNonNull(setAt, "setAt");
    java.util.Objects.requireNonNull(source, "source");
    Check.that(
        expiresAt == null || expiresAt.isAfter(setAt),
        "expiresAt of " + name,
        String.valueOf(expiresAt),
        "later than " + setAt);
  }

  /**
   * Refuses text that is empty, too long, or would disturb a line.
   *
   * @throws IllegalArgumentException naming the value
   */
  static void checkText(String what, String text, int charsMax) {
    Check.that(
        !text.isBlank()
            && text.length() <= charsMax
            && text.chars().noneMatch(Character::isISOControl),
        what,
        text,
        "1 to " + charsMax + " printable characters");
  }

  /** Where the rod of that name and scope stands in the ledger. */
  public static String key(String name, String scope) {
    return PREFIX + name + "/" + scope;
  }

  /** Where it stands in the ledger. */
  public String key() {
    return key(name, scope);
  }

  /** Whether it acts at that time. */
  public boolean acts(Instant now) {
    return expiresAt == null || now.isBefore(expiresAt);
  }

  /** Where it came from as people read it, such as {@code rule disk}. */
  public String from() {
    return source == Source.RULE ? source.word() + " " + actor : source.word();
  }
}
