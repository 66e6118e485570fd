package dev.holdfast.edge;

import dev.holdfast.ledger.Policy;
import dev.holdfast.limits.Keys;

/** Reads out of a request how important it is and how long its answer is worth anything. */
final class Classes {
  private static final int DIGITS_MAX = 9;
  private static final int TARGET_BYTES_MAX = 256;

  private Classes() {}

  static Priority of(Request request, Policy policy, Lane lane, long client, long now) {
    var said = policy.priority();
    var base = said == null ? Priority.LIVE : base(said);
    var head = request.head;
    int hint = head.has(Name.CLASS) ? hint(head) : -1;
    int attempt = head.has(Name.RETRY_ATTEMPT) ? (int) number(head, Name.RETRY_ATTEMPT) : 0;
    boolean repeated = client != 0 && lane.repeated(key(request, client), now);
    return Priority.of(base, hint, attempt, repeated);
  }

  private static Priority base(Policy.Priority said) {
    return switch (said) {
      case CONTROL -> Priority.CONTROL;
      case LIVE -> Priority.LIVE;
      case CHANGE -> Priority.CHANGE;
      case REPEAT -> Priority.REPEAT;
      case BATCH -> Priority.BATCH;
    };
  }

  /** What {@code X-Deadline-Ms} says, or -1. */
  static long deadline(Request request) {
    return request.head.has(Name.DEADLINE) ? number(request.head, Name.DEADLINE) : -1;
  }

  private static int hint(Head head) {
    int field = head.find(Name.CLASS);
    return Priority.hint(head.text(head.valueAt(field), head.valueEnd(field)));
  }

  private static long number(Head head, int name) {
    int field = head.find(name);
    int from = head.valueAt(field);
    int to = head.valueEnd(field);
    if (from == to || to - from > DIGITS_MAX) {
      return -1;
    }
    long number = 0;
    for (int i = from; i < to; i++) {
      if (!Octets.digit(head.bytes[i])) {
        return -1;
      }
      number = number * 10 + head.bytes[i] - '0';
    }
    return number;
  }

  /** The same client asking the same host for the same target has the same key. */
  private static long key(Request request, long client) {
    long mixed = client ^ request.authority.hash();
    var bytes = request.head.bytes;
    int to = Math.min(request.targetEnd(), request.targetAt() + TARGET_BYTES_MAX);
    for (int i = request.targetAt(); i < to; i++) {
      mixed = mixed * 31 + bytes[i];
    }
    return Keys.mix(mixed);
  }
}
