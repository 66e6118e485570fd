package dev.holdfast.edge;

import dev.holdfast.limits.GradientLimit;
import dev.holdfast.limits.Keys;
import dev.holdfast.limits.RetryBudget;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** What all event loops know of one app. Thread-safe. */
final class AppState {
  private static final int WHOLE = 1024;
  private static final int MEMORY = 32;
  private static final long CONTENDED_NANOS = 5_000_000_000L;

  final String name;
  final long key;
  final AccountState account;
  final GradientLimit limit;
  final RetryBudget retries;
  final Share clients;
  final AtomicInteger inFlight = new AtomicInteger();
  final AtomicInteger waiting = new AtomicInteger();

  /** Those of them who are within their share. */
  final AtomicInteger waitingLight = new AtomicInteger();

  private volatile long contendedUntilNanos;
  private volatile int waitShare; // of those within their share, lately

  /** Event loops that hold on to it; changed only inside the map that has it. */
  int holders;

  AppState(String name, AccountState account, AdmissionConfig config, long now) {
    this.name = name;
    this.account = account;
    key = Keys.of(name);
    var app = config.app();
    limit =
        new GradientLimit(
            app.min(),
            app.initial(),
            app.max(),
            app.tolerance(),
            app.window(),
            app.samplesMin(),
            now);
    retries = new RetryBudget(app.retryPercent(), Duration.ofSeconds(10), 1, now);
    clients = new Share(config.share().client(), now);
    contendedUntilNanos = now;
  }

  /**
   * What is under way or waits because the limit is reached; who waits for his share does not say
   * that the limit is too small.
   */
  int wanted(long now) {
    return inFlight.get() + (contended(now) ? waitingLight : waiting).get();
  }

  /**
   * Somebody within his share came. A few who have to wait for others are chance; only when one in
   * four has to, others are in the way. An update that is lost costs nothing.
   */
  void came(boolean waits, long now) {
    int share = waitShare;
    if (waits) {
      share += (WHOLE - share) / MEMORY;
      waitShare = share;
      if (share > WHOLE / 4) {
        contendedUntilNanos = now + CONTENDED_NANOS;
      }
    } else if (share > 0) {
      waitShare = share - Math.ceilDiv(share, MEMORY);
    }
  }

  /** Whether those within their share had to wait for others lately: only then shares count. */
  boolean contended(long now) {
    return contendedUntilNanos - now > 0;
  }
}
