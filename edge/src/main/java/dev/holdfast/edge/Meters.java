package dev.holdfast.edge;

import dev.holdfast.limits.MetricSource;
import dev.holdfast.limits.MetricText;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * All that one edge counts. Each event loop counts for itself in a lane, and a scrape adds the
 * lanes up. A service gets numbers of its own while there is room; its name is then the value of a
 * label, so there is a bound to how many a scrape may have. Thread-safe but for its lanes.
 */
final class Meters implements MetricSource {
  /** Requests that were for no service: unknown hosts, heads that cannot be read, addresses. */
  static final String NONE = "_none";

  /** Services beyond the bound; no service can be called so. */
  static final String OTHER = "_other";

  private final int servicesMax;
  private final ConcurrentHashMap<String, Boolean> admitted = new ConcurrentHashMap<>();
  private final AtomicInteger admissions = new AtomicInteger();
  private final CopyOnWriteArrayList<Lane> lanes = new CopyOnWriteArrayList<>();
  private final CopyOnWriteArrayList<MetricSource> others = new CopyOnWriteArrayList<>();
  private volatile int retirements;

  Meters(MetersConfig config) {
    servicesMax = config.servicesMax();
  }

  /** A lane for one more event loop. */
  Lane lane() {
    var lane = new Lane();
    lanes.add(lane);
    return lane;
  }

  /** Adds a number that goes up and down, asked for at each scrape. */
  void gauge(String name, String help, DoubleSupplier value) {
    others.add(out -> out.gauge(name, help).sample(value.getAsDouble()));
  }

  /** Adds a number that only grows, asked for at each scrape; {@code name} without _total. */
  void counter(String name, String help, LongSupplier value) {
    others.add(out -> out.counter(name, help).sample(value.getAsLong()));
  }

  /** Adds a fact. */
  void info(String name, String help, String label, String value) {
    others.add(out -> out.gauge(name, help).sample(1, label, value));
  }

  /** Adds families that somebody else counts, such as what was shed and why. */
  void add(MetricSource source) {
    others.add(source);
  }

  /**
   * Gives the room of services that are gone back; each lane does so at its next {@link
   * Lane#sweep}.
   */
  @SuppressWarnings("NonAtomicVolatileUpdate") // one sweeper
  void retire(Predicate<String> known) {
    for (var service : admitted.keySet()) {
      if (!known.test(service) && admitted.remove(service) != null) {
        admissions.decrementAndGet();
        retirements++;
      }
    }
  }

  private boolean admit(String service) {
    if (admitted.containsKey(service)) {
      return true;
    }
    if (admissions.get() >= servicesMax) {
      return false;
    }
    if (admissions.incrementAndGet() > servicesMax) {
      admissions.decrementAndGet();
      return false;
    }
    if (admitted.putIfAbsent(service, Boolean.TRUE) != null) {
      admissions.decrementAndGet();
    }
    return true;
  }

  @Override
  public void write(MetricText out) {
    new MeterReport(lanes.stream().map(Lane::meters).toList(), lanes).write(out);
    for (var source : others) {
      source.write(out);
    }
  }

  /** What one event loop counts. Confined to that loop, but for the reading of its numbers. */
  final class Lane {
    private static final int SLOTS_FIRST = 64;

    /** Times of services that are gone. */
    final Timings[] gone = {new Timings(), new Timings(), new Timings()};

    private final Meter none = new Meter(NONE);
    private final Meter other = new Meter(OTHER);
    private final CopyOnWriteArrayList<Meter> meters =
        new CopyOnWriteArrayList<>(List.of(none, other));
    private @Nullable Meter[] table = new @Nullable Meter[SLOTS_FIRST];
    private int used;
    private int retirementsSeen;

    /** Where to count what is done for that service; null is for none. Makes nothing, mostly. */
    Meter meter(@Nullable String service) {
      if (service == null) {
        return none;
      }
      int mask = table.length - 1;
      for (int i = spread(service) & mask; ; i = (i + 1) & mask) {
        var meter = table[i];
        if (meter == null) {
          return admit(service) ? added(service) : other;
        }
        if (service.equals(meter.service)) {
          return meter;
        }
      }
    }

    private Meter added(String service) {
      var meter = new Meter(service);
      meters.add(meter);
      place(meter);
      return meter;
    }

    private void place(Meter meter) {
      if (2 * (used + 1) > table.length) {
        rebuild(2 * table.length);
      }
      int mask = table.length - 1;
      int i = spread(meter.service) & mask;
      while (table[i] != null) {
        i = (i + 1) & mask;
      }
      table[i] = meter;
      used++;
    }

    private void rebuild(int slots) {
      var old = table;
      table = new @Nullable Meter[slots];
      used = 0;
      for (var meter : old) {
        if (meter != null) {
          place(meter);
        }
      }
    }

    /** Drops services that are gone, once nothing of theirs is under way. To be called seldom. */
    void sweep() {
      if (retirementsSeen == retirements) {
        return;
      }
      int seen = retirements;
      boolean all = true;
      for (int i = 0; i < table.length; i++) {
        var meter = table[i];
        if (meter != null && !admitted.containsKey(meter.service)) {
          if (meter.idle()) {
            meters.remove(meter);
            gone[0].take(meter.serviceTime);
            gone[1].take(meter.firstByte);
            gone[2].take(meter.connect);
            table[i] = null;
          } else {
            all = false;
          }
        }
      }
      rebuild(table.length);
      if (all) {
        retirementsSeen = seen;
      }
    }

    List<Meter> meters() {
      return meters;
    }

    private static int spread(String service) {
      int hash = service.hashCode();
      return hash ^ (hash >>> 16);
    }
  }
}
