package dev.holdfast.cli;

import java.time.Duration;

/** Nobody answers now, or the answer broke off; the same request may pass later. */
final class Absent extends Refused {
  private static final long serialVersionUID = 1;

  private final Duration retryAfter;

  Absent(String message) {
    this(message, Duration.ZERO);
  }

  Absent(String message, Duration retryAfter) {
    super(message);
    this.retryAfter = retryAfter;
  }

  /** The least wait that the platform asked for. */
  Duration retryAfter() {
    return retryAfter;
  }
}
