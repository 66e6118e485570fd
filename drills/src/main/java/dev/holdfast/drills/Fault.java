package dev.holdfast.drills;

import dev.holdfast.limits.Check;
import java.time.Duration;

/** What a {@link Proxy} does to what passes through it. Immutable. */
sealed interface Fault {

  /** Everything passes at once. */
  record None() implements Fault {}

  /** Everything passes later: by the delay, more or less by at most the jitter, in order. */
  record Latency(Duration delay, Duration jitter) implements Fault {
    public Latency {
      Check.that(jitter.compareTo(delay) <= 0, "jitter", jitter, "at most " + delay);
    }
  }

  /** Each direction of a connection carries so many bytes per second. */
  record Bandwidth(long bytesPerSecond) implements Fault {
    public Bandwidth {
      Check.that(bytesPerSecond >= 1, "bytesPerSecond", bytesPerSecond, ">= 1");
    }
  }

  /** Everything passes in pieces, with a pause after each. */
  record Slices(int bytes, Duration pause) implements Fault {
    public Slices {
      Check.that(bytes >= 1, "bytes", bytes, ">= 1");
    }
  }

  /** Connections are taken and stay, and nothing passes until the fault is over. */
  record BlackHole() implements Fault {}

  /** A connection is reset as soon as something wants to pass. */
  record Reset() implements Fault {}

  /** A connection ends in order after so many bytes of one direction. */
  record Limit(long bytes) implements Fault {
    public Limit {
      Check.that(bytes >= 0, "bytes", bytes, ">= 0");
    }
  }

  /** New connections are closed at once; what is open goes on. */
  record Closed() implements Fault {}
}
