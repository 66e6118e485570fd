package dev.holdfast.edge;

import dev.holdfast.limits.Gcra;
import dev.holdfast.limits.Keys;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** What all event loops know of one account. Thread-safe. */
final class AccountState {
  final String name;
  final long key;
  final AtomicInteger inFlight = new AtomicInteger();

  /** Cost and number of what the account asked for, refused or not, since the last look. */
  final LongAdder cost = new LongAdder();

  final LongAdder requests = new LongAdder();

  /** The brake while the account is throttled. */
  volatile @Nullable Gcra throttle;

  /** Apps that hold on to it; changed only inside the map that has it. */
  int holders;

  final Standing standing = new Standing();

  AccountState(String name) {
    this.name = name;
    key = Keys.of(name);
  }
}
