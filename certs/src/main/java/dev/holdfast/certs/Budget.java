package dev.holdfast.certs;

import dev.holdfast.limits.Check;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Whether an authority may be asked for one more order: pure arithmetic over what it was asked. */
final class Budget {
  private Budget() {}

  /** Nothing may be ordered before that moment. */
  record Wait(Instant until, String why) {}

  /** What the order has to wait for, or null. A rehearsal spends nothing of the host's own. */
  static @Nullable Wait wait(
      Order order, Ca ca, boolean rehearsal, CertsConfig.Limits limits, Instant now) {
    var pause = ca.pausedUntil();
    if (pause != null && ca.paused(now)) {
      return new Wait(pause, "the authority is left alone: " + ca.error());
    }
    var wait = wait("orders", "3 h", ca.orders(), Ca.ORDERS_PER, limits.orders(), now);
    if (wait == null && !rehearsal) {
      wait =
          wait(
              "certificates for " + order.host(),
              "7 days",
              order.issues(),
              Order.ISSUES_PER,
              limits.duplicates(),
              now);
    }
    if (wait == null && !rehearsal) {
      wait =
          wait(
              "failed validations of " + order.host(),
              "1 h",
              order.trials(),
              Order.TRIALS_PER,
              limits.failures(),
              now);
    }
    return wait;
  }

  private static @Nullable Wait wait(
      String what, String per, List<Instant> times, Duration window, int max, Instant now) {
    var counted = Order.since(times, now.minus(window)).stream().sorted().toList();
    if (counted.size() < max) {
      return null;
    }
    var until = counted.get(counted.size() - max).plus(window);
    return new Wait(
        until, Check.message(what, counted.size(), "fewer than " + max + " per " + per));
  }
}
