package dev.holdfast.edge;

/**
 * How important a request is, the most important first (C0 to C4 of the overload reference). The
 * edge decides it; a client may only say that its request matters less.
 */
enum Priority {
  /** C0, control: health, rods, the stream, what is open already. Never shed. */
  CONTROL(0),
  /** C1, live: a visitor waits. */
  LIVE(1),
  /** C2, change: deploys and writes by API. */
  CHANGE(2),
  /** C3, repeat: a retry, or the same request again within a second. */
  REPEAT(3),
  /** C4, batch: nobody waits. */
  BATCH(4);

  private static final Priority[] ALL = values(); // in order of their numbers

  private final int number;

  Priority(int number) {
    this.number = number;
  }

  /** The rank that {@code ShedLevel.level} wants: 0 is shed first, 4 never. */
  int rank() {
    return BATCH.number - number;
  }

  /**
   * The class of a request.
   *
   * @param base what the edge itself makes of it, {@link #LIVE} for a visitor's request
   * @param hint what {@code X-Class} says, from {@link #hint}, or -1
   * @param retryAttempt what {@code Retry-Attempt} says, or 0
   * @param repeated whether the same client asked the same a moment ago
   */
  static Priority of(Priority base, int hint, int retryAttempt, boolean repeated) {
    if (base == CONTROL) {
      return CONTROL;
    }
    int which = Math.max(base.number, hint);
    if (retryAttempt > 0 || repeated) {
      which = Math.max(which, REPEAT.number);
    }
    return ALL[Math.min(which, BATCH.number)];
  }

  /** Reads {@code X-Class}: {@code C0} to {@code C4} in either case; -1 for anything else. */
  static int hint(CharSequence value) {
    if (value.length() != 2 || (value.charAt(0) | 0x20) != 'c') {
      return -1;
    }
    int digit = value.charAt(1) - '0';
    return digit >= 0 && digit <= 4 ? digit : -1;
  }

  /**
   * When a request's answer is worth nothing any more.
   *
   * @param millis what {@code X-Deadline-Ms} says, or -1; it may shorten the wait, never lengthen
   *     it
   * @param timeoutNanos the longest wait of the route
   */
  static long deadline(long millis, long timeoutNanos, long now) {
    long asked = millis < 0 || millis > Integer.MAX_VALUE ? Long.MAX_VALUE : millis * 1_000_000L;
    return now + Math.min(asked, timeoutNanos);
  }
}
