package dev.holdfast.limits;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What somebody asks of a control rod, in his words. Immutable.
 *
 * @param name of a {@link KnownRod}
 * @param scope as {@link RodScope#of} reads it, or {@code node} for the node that is asked; null
 *     for everywhere
 * @param level as {@link KnownRod#level} reads it
 * @param ttl such as {@code 30m}, or {@code forever}; null for the configured time
 * @param reason why
 * @param drill whether it is set to see that it works
 */
public record RodOrder(
    String name,
    @Nullable String scope,
    @Nullable String level,
    @Nullable String ttl,
    @Nullable String reason,
    boolean drill) {
  private static final String FOREVER = "forever";
  private static final Pattern TTL = Pattern.compile("[0-9]{1,7}[smhd]");

  /** A name is asked for. */
  public RodOrder {
    Objects.requireNonNull(name, "name");
  }

  /**
   * The rod that comes of it.
   *
   * @param node the name of the node that is asked
   */
  public Outcome<Rod> decide(
      RodsConfig config, String node, String actor, Rod.Source source, Instant now) {
    try {
      var known = KnownRod.of(name);
      var wanted = RodScope.of(scope(known, scope, node));
      Check.that(
          level != null, "level of " + name, String.valueOf(level), "one: " + known.levels());
      Check.that(reason != null, "reason", String.valueOf(reason), "why, in one sentence");
      return Outcome.done(
          new Rod(
              name,
              wanted.text(),
              known.level(Objects.requireNonNullElse(level, "")),
              Objects.requireNonNullElse(reason, ""),
              actor,
              now,
              expiry(config, now),
              source));
    } catch (IllegalArgumentException e) {
      return Outcome.refused(new Refusal.Invalid(String.valueOf(e.getMessage())));
    }
  }

  /**
   * The scope that is meant, in full.
   *
   * @throws IllegalArgumentException when the rod does not act there, naming where it does
   */
  public static String scope(KnownRod known, @Nullable String scope, String node) {
    var said = scope == null ? RodScope.GLOBAL.text() : scope;
    var meant = said.equals("node") ? RodScope.node(node) : RodScope.of(said);
    Check.that(
        known.knows(meant.extent()),
        "scope of " + known.word(),
        meant.text(),
        "one of "
            + known.extents().stream()
                .map(RodScope.Extent::word)
                .collect(Collectors.joining(", ")));
    return meant.text();
  }

  private @Nullable Instant expiry(RodsConfig config, Instant now) {
    if (FOREVER.equals(ttl)) {
      return null;
    }
    return now.plus(ttl == null ? config.ttl() : ttl(ttl, config.ttlMax()));
  }

  private static Duration ttl(String text, Duration most) {
    var expected = "1s to " + most.toMinutes() + "m, such as 30m or 2h, or the word " + FOREVER;
    Check.that(TTL.matcher(text).matches(), "ttl", text, expected);
    long count = Long.parseLong(text.substring(0, text.length() - 1));
    var ttl =
        switch (text.charAt(text.length() - 1)) {
          case 'd' -> Duration.ofDays(count);
          case 'h' -> Duration.ofHours(count);
          case 'm' -> Duration.ofMinutes(count);
          default -> Duration.ofSeconds(count);
        };
    Check.that(ttl.isPositive() && ttl.compareTo(most) <= 0, "ttl", text, expected);
    return ttl;
  }
}
