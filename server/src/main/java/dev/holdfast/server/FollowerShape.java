package dev.holdfast.server;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import dev.holdfast.ledger.FollowerReport;
import dev.holdfast.ledger.Standing;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How a follower is, for people and for the control process; digests are hexadecimal. Immutable.
 *
 * @param quarantine why, by key; at most {@value #QUARANTINE_MAX} of them
 */
@JsonIgnoreProperties(ignoreUnknown = true) // of an edge that is newer
record FollowerShape(
    String name,
    String standing,
    @Nullable String cause,
    long position,
    long lag,
    String digest,
    Map<String, String> quarantine,
    FollowerReport.@Nullable Blocked blocked,
    long agreedAt,
    FollowerReport.@Nullable Divergence divergence,
    @Nullable Instant knownAt,
    FollowerReport.Counts counts,
    @Nullable String trouble) {
  private static final int QUARANTINE_MAX = 1_000;

  FollowerShape {
    quarantine = Map.copyOf(quarantine);
  }

  /** What a follower said of itself. */
  static FollowerShape of(FollowerReport report) {
    var quarantine = new TreeMap<String, String>();
    report.quarantine().entrySet().stream()
        .limit(QUARANTINE_MAX)
        .forEach(held -> quarantine.put(held.getKey(), held.getValue()));
    return new FollowerShape(
        report.name(),
        report.standing().getClass().getSimpleName().toLowerCase(Locale.ROOT),
        switch (report.standing()) {
          case Standing.Frozen frozen -> frozen.cause();
          case Standing.Stale stale -> "not known to be right since " + stale.since();
          case Standing.Quarantining _, Standing.Following _, Standing.Warming _ -> null;
        },
        report.position(),
        report.lag(),
        HexFormat.of().toHexDigits(report.digest()),
        quarantine,
        report.blocked(),
        report.agreedAt(),
        report.divergence(),
        report.knownAt(),
        report.counts(),
        report.trouble());
  }

  /** The same by another name. */
  FollowerShape named(String other) {
    return new FollowerShape(
        other,
        standing,
        cause,
        position,
        lag,
        digest,
        quarantine,
        blocked,
        agreedAt,
        divergence,
        knownAt,
        counts,
        trouble);
  }
}
