package dev.holdfast.edge;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The places of the hosts that one event loop was asked for, found by the bytes of the host.
 * Bounded: when it is full a newcomer takes the room of another, which costs that one a look into
 * the routing. Hosts that lead nowhere are not kept, so nobody can fill it with inventions.
 * Confined to its event loop.
 */
final class Places {
  private static final int SIZE_INITIAL = 256;
  private static final int STEPS_MAX = 8;

  private final Gauges gauges;
  private final int sizeMax;
  private @Nullable Place[] table = new Place[SIZE_INITIAL];
  private int count;

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
    table[place.hash & mask] = place;
  }
}
