package dev.holdfast.certs;

import dev.holdfast.ledger.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What one certificate authority was asked for of late, and how it answered: the budget that all
 * hosts share, charged before each order. Immutable.
 *
 * @param orders when orders were asked for, within {@link #ORDERS_PER}
 * @param failures how often in a row it did not answer
 * @param pausedUntil before that it is not asked for anything, or null
 * @param error why it is paused, or null
 */
record Ca(
    String directory,
    List<Instant> orders,
    int failures,
    @Nullable Instant pausedUntil,
    @Nullable String error) {
  static final Kind<Ca> KIND = Kind.open("acme-authority", 1, Ca.class);
  static final Duration ORDERS_PER = Duration.ofHours(3);

  Ca {
    Objects.requireNonNull(directory, "directory");
    orders = List.copyOf(orders);
  }

  static String key(String directory) {
    return "acme-authority/" + directory;
  }

  static Ca fresh(String directory) {
    return new Ca(directory, List.of(), 0, null, null);
  }

  /** One more order was asked for. */
  Ca charged(Instant now) {
    var recent = new ArrayList<>(recent(now));
    recent.add(now);
    return new Ca(directory, recent, failures, pausedUntil, error);
  }

  /** It is left alone until then; {@code silent} when it did not answer at all. */
  Ca paused(Instant until, String why, boolean silent) {
    return new Ca(directory, orders, silent ? failures + 1 : failures, until, why);
  }

  /** It answered. */
  Ca answered() {
    return failures == 0 && pausedUntil == null ? this : new Ca(directory, orders, 0, null, null);
  }

  boolean paused(Instant now) {
    return pausedUntil != null && now.isBefore(pausedUntil);
  }

  /** The orders that still count. */
  List<Instant> recent(Instant now) {
    return Order.since(orders, now.minus(ORDERS_PER));
  }
}
