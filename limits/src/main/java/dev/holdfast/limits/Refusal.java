package dev.holdfast.limits;

import java.time.Duration;

/**
 * Why something was not done: an expected answer, not an exception. Every refusal carries a
 * sentence for the person who asked. Immutable.
 */
public sealed interface Refusal {

  /** One sentence that names the value and what was expected. */
  String message();

  /** The request itself is wrong and will be wrong again. */
  record Invalid(String message) implements Refusal {}

  /** What was named does not exist. */
  record NotFound(String message) implements Refusal {}

  /** Somebody else holds it, or it exists already. */
  record Conflict(String message) implements Refusal {}

  /** The caller acted on an old revision or a lost lease; reading again and retrying may help. */
  record Stale(String message) implements Refusal {}

  /** A bound is reached; the same request may pass after {@code retryAfter}. */
  record OverBudget(String message, Duration retryAfter) implements Refusal {}

  /** A part that is needed does not work now; nothing was changed. */
  record Unavailable(String message, Duration retryAfter) implements Refusal {}
}
