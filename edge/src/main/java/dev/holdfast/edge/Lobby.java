package dev.holdfast.edge;

import dev.holdfast.limits.Keys;
import dev.holdfast.limits.WaitingRoom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the requests of one event loop wait for a slot of their app. A full app refuses nobody at
 * once: a queue that drains is a burst, and only one that stands is overload. Who has more than his
 * share under way waits apart from the others and after them, so that his queue is his own; whether
 * anybody is refused depends on time alone.
 *
 * <pre>
 * within his share      waits up to roomWait (1 s), in order
 *                       once the first waited 200 ms: newest first, and a quarter of what an
 *                       answer takes at rest (20 ms at least)
 * beyond it, nobody     waits up to roomWait, in order; newest first once the first waited 600 ms
 *   else has to wait
 * beyond it, others do  no slot beyond his share, waits up to 100 ms
 * </pre>
 *
 * Confined to its event loop. Nothing is allocated per request.
 */
final class Lobby {
  private static final long WAIT_NANOS_MIN = Duration.ofMillis(20).toNanos();
  private static final long HEAVY_WAIT_NANOS = Duration.ofMillis(100).toNanos();

  private final Lane lane;
  private final Admission admission;
  private final AdmissionConfig config;
  private final List<Gate> crowded = new ArrayList<>();
  private boolean heavy; // what slot found out about the request that is parked next

  Lobby(Lane lane, Admission admission) {
    this.lane = lane;
    this.admission = admission;
    config = admission.config;
  }

  /** A slot of the app, which it takes, or WAIT: then {@link #park} is next. */
  Verdict slot(Gate gate, long client, long now) {
    var app = gate.app;
    if (!admission.on(Limiter.APP)) {
      app.inFlight.incrementAndGet();
      return Verdict.ADMITTED;
    }
    heavy = client != 0 && admission.on(Limiter.CLIENT_SHARE) && !shares(gate, client, now);
    if (heavy && config.mode(Limiter.CLIENT_SHARE) == Limiter.Mode.OBSERVE) {
      heavy = false;
      if (app.contended(now)) {
        admission.refuses(Limiter.CLIENT_SHARE);
      }
    }
    boolean free = heavy ? app.waiting.get() == 0 && !app.contended(now) : !behind(gate, now);
    if (free && take(gate)) {
      if (!heavy) {
        app.came(false, now);
      }
      return Verdict.ADMITTED;
    }
    if (!heavy) {
      app.came(othersAreInTheWay(gate, client), now);
    }
    app.limit.wanting(app.wanted(now), now);
    if (config.mode(Limiter.APP) == Limiter.Mode.OBSERVE) {
      admission.refuses(Limiter.APP);
      app.inFlight.incrementAndGet();
      return Verdict.ADMITTED;
    }
    return Verdict.WAIT;
  }

  private boolean shares(Gate gate, long client, long now) {
    var app = gate.app;
    int all = app.inFlight.get() + app.waiting.get();
    return app.clients.allows(held(app, client), all, bound(gate), now);
  }

  private int held(AppState app, long client) {
    long key = Keys.of(app.key, client);
    int mine = admission.clientsInFlight.of(key);
    return app.waiting.get() == 0 ? mine : mine + admission.clientsWaiting.of(key);
  }

  /** Who has half of everything waits for nobody but himself. */
  private boolean othersAreInTheWay(Gate gate, long client) {
    var app = gate.app;
    return client == 0 || 2 * held(app, client) < app.inFlight.get() + app.waiting.get();
  }

  private static boolean behind(Gate gate, long now) {
    var room = gate.room;
    return room != null && room.size() > 0 && !room.newestFirst(now);
  }

  private static int bound(Gate gate) {
    return Math.min(gate.app.limit.limit(), gate.most);
  }

  private static boolean take(Gate gate) {
    if (gate.app.inFlight.incrementAndGet() <= bound(gate)) {
      return true;
    }
    gate.app.inFlight.decrementAndGet();
    return false;
  }

  /** Lets the request wait that was just told WAIT. */
  void park(Gate gate, Waiter waiter, long deadlineNanos, long now) {
    boolean beyond = heavy;
    var room = beyond ? gate.heavyRoom : gate.room;
    if (room == null) {
      var patience = config.app().roomPatience();
      room =
          new WaitingRoom<Waiter>(
              config.app().roomMax(), beyond ? patience.multipliedBy(3) : patience);
      if (beyond) {
        gate.heavyRoom = room;
      } else {
        gate.room = room;
      }
    }
    if (gate.waiting() == 0 && !crowded.contains(gate)) {
      crowded.add(gate);
    }
    entered(gate, waiter, beyond, 1);
    var victim = room.offer(waiter, now, deadlineNanos);
    if (victim != null) {
      refuse(gate, victim, beyond, now);
    }
  }

  private void entered(Gate gate, Waiter waiter, boolean beyond, int change) {
    gate.app.waiting.addAndGet(change);
    if (!beyond) {
      gate.app.waitingLight.addAndGet(change);
    }
    if (waiter.clientKey() != 0) {
      long key = Keys.of(gate.app.key, waiter.clientKey());
      if (change > 0) {
        admission.clientsWaiting.enter(key);
      } else {
        admission.clientsWaiting.leave(key);
      }
    }
  }

  private void refuse(Gate gate, Waiter waiter, boolean beyond, long now) {
    entered(gate, waiter, beyond, -1);
    boolean unfair = beyond && gate.app.contended(now);
    admission.refuses(unfair ? Limiter.CLIENT_SHARE : Limiter.APP);
    lane.blame(gate, waiter.clientKey(), 0, 0, gate.meanCost(), now);
    waiter.refused(unfair ? Verdict.SHARE : Verdict.FULL);
  }

  /** The client of a waiting request is gone. */
  void cancel(Gate gate, Waiter waiter) {
    if (gate.room != null && gate.room.remove(waiter)) {
      entered(gate, waiter, false, -1);
    } else if (gate.heavyRoom != null && gate.heavyRoom.remove(waiter)) {
      entered(gate, waiter, true, -1);
    }
  }

  boolean crowded() {
    return !crowded.isEmpty();
  }

  /** Ends what waited too long and hands out slots that other loops gave back. */
  void tick(long now) {
    for (int i = crowded.size() - 1; i >= 0; i--) {
      var gate = crowded.get(i);
      clear(gate, gate.room, false, now);
      clear(gate, gate.heavyRoom, true, now);
      pump(gate, now);
      if (gate.waiting() == 0) {
        crowded.remove(gate);
      }
    }
  }

  private void clear(Gate gate, @Nullable WaitingRoom<Waiter> room, boolean beyond, long now) {
    if (room == null) {
      return;
    }
    for (var late = room.expired(now); late != null; late = room.expired(now)) {
      refuse(gate, late, beyond, now);
    }
    long most = waitMax(gate, room, beyond, now);
    for (var late = room.waited(most, now); late != null; late = room.waited(most, now)) {
      refuse(gate, late, beyond, now);
    }
  }

  private long waitMax(Gate gate, WaitingRoom<Waiter> room, boolean beyond, long now) {
    long most = config.app().roomWait().toNanos();
    if (beyond) {
      return gate.app.contended(now) ? Math.min(HEAVY_WAIT_NANOS, most) : most;
    }
    long atRest = gate.app.limit.baselineNanos();
    return atRest > 0 && room.newestFirst(now)
        ? Math.min(most, Math.max(WAIT_NANOS_MIN, atRest / 4))
        : most;
  }

  /** A slot was given back here. */
  void freed(Gate gate, long now) {
    if (gate.waiting() > 0 && mine(gate)) {
      pump(gate, now);
    }
  }

  /** Of the slots that are given back here, those on other loops who wait get their part. */
  private static boolean mine(Gate gate) {
    int waiting = gate.app.waiting.get();
    int elsewhere = waiting - gate.waiting();
    if (elsewhere <= 0) {
      return true;
    }
    gate.turn += elsewhere;
    if (gate.turn < waiting) {
      return true;
    }
    gate.turn -= waiting;
    return false;
  }

  private void pump(Gate gate, long now) {
    if (gate.pumping) {
      return;
    }
    gate.pumping = true; // whoever is admitted may finish at once
    try {
      serve(gate, gate.room, false, now);
      if (gate.app.waitingLight.get() <= 0) {
        serve(gate, gate.heavyRoom, true, now);
      }
    } finally {
      gate.pumping = false;
    }
  }

  private void serve(Gate gate, @Nullable WaitingRoom<Waiter> room, boolean beyond, long now) {
    if (room == null) {
      return;
    }
    for (var next = room.peek(now); next != null; next = room.peek(now)) {
      if ((beyond && !mayHaveMore(gate, next.clientKey(), now)) || !take(gate)) {
        return;
      }
      var taken = room.poll(now);
      if (taken == null) {
        throw new IllegalStateException("an empty room with somebody in it");
      }
      entered(gate, taken, beyond, -1);
      lane.enter(gate, taken.clientKey());
      taken.admitted(now);
    }
  }

  private boolean mayHaveMore(Gate gate, long client, long now) {
    var app = gate.app;
    int mine = admission.clientsInFlight.of(Keys.of(app.key, client));
    return !app.contended(now) || app.clients.allows(mine, app.inFlight.get(), bound(gate), now);
  }
}
