package dev.holdfast.edge;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The connections of one event loop that wait for their client: they never said anything, not yet
 * all of a head, or nothing since their last answer. When there is no room for a newcomer one of
 * them goes. Which one is found in a handful drawn by chance: of the client address that holds the
 * most, the one that has been silent longest, so that whoever opens thousands loses his own.
 * Confined to its event loop; every step takes constant time.
 */
final class Quiet {
  /** With so many drawn, a client with a tenth of all connections is missed once in 29 times. */
  private static final int DRAWN = 32;

  private final List<Seat> seats = new ArrayList<>(); // bounded by connectionsMax
  private final RandomGenerator random;
  private final Shared shared;

  Quiet(Shared shared, RandomGenerator random) {
    this.shared = shared;
    this.random = random;
  }

  /** Whoever can be asked to go. */
  @FunctionalInterface
  interface Leaver {
    void leaveNow();
  }

  /** One connection, quiet or not. */
  static final class Seat {
    final long client;
    private final boolean stays;
    private final Leaver leaver;
    private int at = -1;
    private long sinceNanos;

    /**
     * Nobody waits yet.
     *
     * @param client key of whoever has it
     * @param stays whether it is a stream, which comes and goes with its connection
     */
    Seat(long client, boolean stays, Leaver leaver) {
      this.client = client;
      this.stays = stays;
      this.leaver = leaver;
    }
  }

  /** The connection waits for its client from now on. */
  void add(Seat seat, long now) {
    seat.sinceNanos = now;
    if (seat.at < 0 && !seat.stays) {
      seat.at = seats.size();
      seats.add(seat);
    }
  }

  /** It does not wait any more. */
  void remove(Seat seat) {
    int at = seat.at;
    if (at >= 0) {
      var last = seats.removeLast();
      if (at < seats.size()) {
        seats.set(at, last);
        last.at = at;
      }
      seat.at = -1;
    }
  }

  int size() {
    return seats.size();
  }

  /** Sends one away; false when there is none to send. */
  boolean makeRoom() {
    var victim = victim();
    if (victim == null) {
      return false;
    }
    remove(victim);
    shared.evicted();
    victim.leaver.leaveNow();
    return true;
  }

  /** Sends that share of them away. */
  void shrink(int divisor) {
    for (int left = Math.ceilDiv(seats.size(), divisor); left > 0 && makeRoom(); left--) {
      // each step is one connection
    }
  }

  private @Nullable Seat victim() {
    Seat found = null;
    int most = 0;
    for (int i = Math.min(DRAWN, seats.size()); i > 0; i--) {
      var seat = seats.get(random.nextInt(seats.size()));
      int held = shared.connectionsOf.of(seat.client);
      if (found == null
          || held > most
          || (held == most && seat.sinceNanos - found.sinceNanos < 0)) {
        found = seat;
        most = held;
      }
    }
    return found;
  }
}
