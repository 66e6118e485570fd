package dev.holdfast.edge;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The places of the hosts that one event loop was asked for, found by the bytes of the host.
 * Bounded: where there is no room, only one newcomer in {@link #NEWCOMERS_PER_ROOM} takes that of
 * another; the others last for a request and die young. A host that is asked for often comes in
 * soon, and one that is not does not push out one that is. More hosts than room therefore cost a
 * look into the routing, and not old objects without end that a full collection must find. Hosts
 * that lead nowhere are not kept, so nobody can fill it with inventions. Confined to its event
 * loop.
 */
final class Places {
  private static final int SIZE_INITIAL = 256;
  private static final int STEPS_MAX = 8;
  private static final int NEWCOMERS_PER_ROOM = 16; // a power of two

  private final Gauges gauges;
  private final int sizeMax;
  private @Nullable Place[] table = new Place[SIZE_INITIAL];
  private int count;
  private int newcomers; // that found no room

  Places(Gauges gauges, int sizeMax) {
    this.gauges = gauges;
    this.sizeMax = Integer.highestOneBit(Math.max(SIZE_INITIAL, sizeMax));
  }

  /** Where that host leads now, or null. */
  @Nullable Place find(Authority host, Routing now) {
    int mask = table.length - 1;
    int length = host.length();
    int hash = host.hash();
    for (int step = 0; step < STEPS_MAX; step++) {
      int slot = hash + step & mask;
      var place = table[slot];
      if (place == null) {
        break;
      }
      if (place.hash == hash
          && Arrays.equals(place.host, 0, place.host.length, host.host, 0, length)) {
        if (place.current(now)) {
          return place;
        }
        return null;
      }
    }
    var fresh = Place.of(host, gauges, now);
    if (fresh != null) {
      keep(fresh);
    }
    return fresh;
  }

  /** How many places are kept. */
  int count() {
    return count;
  }

  private void keep(Place place) {
    if (count >= table.length / 2 && table.length < sizeMax) {
      var old = table;
      table = new Place[old.length * 2];
      count = 0;
      for (var other : old) {
        if (other != null) {
          put(other);
        }
      }
    }
    put(place);
  }

  private void put(Place place) {
    int mask = table.length - 1;
    for (int step = 0; step < STEPS_MAX; step++) {
      int slot = place.hash + step & mask;
      if (table[slot] == null) {
        table[slot] = place;
        count++;
        return;
      }
    }
    if ((++newcomers & NEWCOMERS_PER_ROOM - 1) == 0) {
      table[place.hash & mask] = place;
    }
  }
}
