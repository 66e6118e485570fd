package dev.holdfast.limits;

import dev.holdfast.limits.Supervised.State;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Decides when a part that died is started again, how it stands, and which of its inputs it leaves
 * out. It never gives up: a part is tried for ever, at most once a minute. Time and chance are
 * arguments. Confined to its owner.
 */
final class Restarts {
  /** Deaths in a row from which on a part counts as degraded. */
  static final int DEGRADED_AT = 5;

  /** A part that lived so long counts as well again ... */
  static final Duration SETTLED_AFTER = Duration.ofSeconds(60);

  /** ... and after so long its deaths are forgotten. */
  static final Duration FORGIVEN_AFTER = Duration.ofMinutes(10);

  /** Equal deaths of one input after which it is left out; one may be a neighbour's fault. */
  static final int EQUAL_MAX = 2;

  /** How long an input is left out. */
  static final Duration SHUNNED_FOR = Duration.ofHours(1);

  /** Signatures and inputs that are remembered; the oldest are forgotten. */
  static final int REMEMBERED_MAX = 100;

  private static final Backoff CURVE =
      Backoff.steps(
          0.2,
          Duration.ofSeconds(1),
          Duration.ofSeconds(2),
          Duration.ofSeconds(4),
          Duration.ofSeconds(8),
          Duration.ofSeconds(16),
          Duration.ofSeconds(32),
          Duration.ofSeconds(60));

  private final Map<String, Integer> signatures = bounded();
  private final Map<String, Long> shunned = bounded(); // until
  private boolean lives;
  private long startedNanos;
  private long starts;
  private int failures;

  private static <V> Map<String, V> bounded() {
    return new LinkedHashMap<>() {
      private static final long serialVersionUID = 1L;

      @Override
      protected boolean removeEldestEntry(Map.Entry<String, V> eldest) {
        return size() > REMEMBERED_MAX;
      }
    };
  }

  /** It begins to run. */
  void started(long now) {
    lives = true;
    startedNanos = now;
    starts++;
  }

  /**
   * It died.
   *
   * @param how what tells this death from others
   * @param input what it worked on, or null
   * @return how long to wait before it is started again
   */
  Duration died(long now, String how, @Nullable String input, RandomGenerator random) {
    failures = lived(now, FORGIVEN_AFTER) ? 1 : Math.min(failures, Integer.MAX_VALUE - 1) + 1;
    lives = false;
    if (input != null) {
      int equal = signatures.merge(how + " " + input, 1, Integer::sum);
      if (equal >= EQUAL_MAX) {
        shunned.put(input, now + SHUNNED_FOR.toNanos());
      }
    }
    return CURVE.delay(failures, random);
  }

  private boolean lived(long now, Duration atLeast) {
    return lives && now - startedNanos >= atLeast.toNanos();
  }

  State state(long now) {
    if (failures >= DEGRADED_AT && !lived(now, SETTLED_AFTER)) {
      return State.DEGRADED;
    }
    return lives ? State.RUNNING : State.BACKOFF;
  }

  /** Whether the input is left out now. */
  boolean shuns(String input, long now) {
    var until = shunned.get(input);
    if (until != null && now - until >= 0) {
      shunned.remove(input);
      return false;
    }
    return until != null;
  }

  /** What is left out. */
  List<String> shunned(long now) {
    shunned.values().removeIf(until -> now - until >= 0);
    return List.copyOf(shunned.keySet());
  }

  long starts() {
    return starts;
  }

  /** Deaths in a row; 0 once it has lived long enough. */
  int failures(long now) {
    return lived(now, FORGIVEN_AFTER) ? 0 : failures;
  }
}
