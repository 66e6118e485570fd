package dev.holdfast.edge;

import java.util.random.RandomGenerator;

/**
 * Which of an app's endpoints gets a request: of two taken by chance the one with less under way
 * for its weight (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 1996).
 * Those in quarantine are passed over, unless more than half are: then it is not they who are ill
 * (Envoy's panic threshold). Stateless; allocates nothing.
 */
final class Balance {
  /** No endpoint has room (H11). */
  static final int FULL = -1;

  /** There is no endpoint to choose from. */
  static final int NONE = -2;

  /** An app's endpoints as the choice sees them. */
  interface Endpoints {
    /** How many there are. */
    int size();

    /** Whether requests may be sent there at all: it is up and was not tried. */
    boolean usable(int index);

    /** Whether it is in {@link Quarantine}, or failed its health check. */
    boolean out(int index);

    /** Requests and tunnels under way. */
    int outstanding(int index);

    /** How much of a full share it takes, in (0, 1]: {@code SlowStart.weight}. */
    double weight(int index);

    /** How many requests it may have under way: {@code SlowStart.cap}. */
    int cap(int index);
  }

  private Balance() {}

  /** The chosen one's index, {@link #FULL} or {@link #NONE}. */
  static int pick(Endpoints endpoints, RandomGenerator random) {
    int usable = 0;
    int well = 0;
    for (int i = 0; i < endpoints.size(); i++) {
      if (endpoints.usable(i)) {
        usable++;
        well += endpoints.out(i) ? 0 : 1;
      }
    }
    if (usable == 0) {
      return NONE;
    }
    boolean panic = (usable - well) * 2 > usable;
    int choices = panic ? usable : well;
    int a = random.nextInt(choices);
    int b = choices == 1 ? a : (a + 1 + random.nextInt(choices - 1)) % choices;
    int first = nth(endpoints, a, panic);
    int second = nth(endpoints, b, panic);
    int better = load(endpoints, second) < load(endpoints, first) ? second : first;
    return room(endpoints, better) ? better : least(endpoints, panic);
  }

  /** When the better of two is full: the least loaded that is not. */
  private static int least(Endpoints endpoints, boolean panic) {
    int best = FULL;
    for (int i = 0; i < endpoints.size(); i++) {
      if (eligible(endpoints, i, panic)
          && room(endpoints, i)
          && (best == FULL || load(endpoints, i) < load(endpoints, best))) {
        best = i;
      }
    }
    return best;
  }

  private static int nth(Endpoints endpoints, int n, boolean panic) {
    int left = n;
    for (int i = 0; i < endpoints.size(); i++) {
      if (eligible(endpoints, i, panic) && left-- == 0) {
        return i;
      }
    }
    throw new IllegalStateException("endpoints changed while one was chosen");
  }

  private static boolean eligible(Endpoints endpoints, int index, boolean panic) {
    return endpoints.usable(index) && (panic || !endpoints.out(index));
  }

  private static boolean room(Endpoints endpoints, int index) {
    return endpoints.outstanding(index) < endpoints.cap(index);
  }

  private static double load(Endpoints endpoints, int index) {
    return (endpoints.outstanding(index) + 1) / endpoints.weight(index);
  }
}
