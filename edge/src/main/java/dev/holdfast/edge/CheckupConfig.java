package dev.holdfast.edge;

import dev.holdfast.limits.Check;
import java.time.Duration;

/**
 * How endpoints are asked whether they are well. Immutable.
 *
 * @param every how long between two questions where the policy says nothing, spread by a tenth
 * @param timeout how long the answer may take, at most
 * @param fall failures in a row after which an endpoint is left out
 * @param rise good answers in a row after which it is back
 * @param probesMax questions under way at one time
 * @param targetsMax endpoints that are asked at all
 */
record CheckupConfig(
    Duration every, Duration timeout, int fall, int rise, int probesMax, int targetsMax) {
  CheckupConfig {
    Check.that(every.toMillis() >= 1, "every", every, ">= 1 ms");
    Check.that(timeout.toMillis() >= 1, "timeout", timeout, ">= 1 ms");
    Check.that(fall >= 1, "fall", fall, ">= 1");
    Check.that(rise >= 1, "rise", rise, ">= 1");
    Check.that(probesMax >= 1, "probesMax", probesMax, ">= 1");
    Check.that(targetsMax >= 1, "targetsMax", targetsMax, ">= 1");
  }

  static CheckupConfig defaults() {
    return new CheckupConfig(Duration.ofSeconds(10), Duration.ofSeconds(5), 3, 2, 64, 10_000);
  }
}
