package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ConnectPaceTest {
  private static final long SECOND = World.SECOND;

  private final ConnectPace pace =
      new ConnectPace(AdmissionConfig.defaults().connect(), new SplittableRandom(1), 0);

  @Test
  void letsABurstInAtOnceAndThenTheRate() {
    for (int i = 0; i < 200; i++) {
      assertThat(pace.pace(0, 0)).isZero();
    }
    assertThat(pace.pace(0, 0)).isEqualTo(SECOND / 200);
    assertThat(pace.parked()).isEqualTo(201);
    pace.unpark();
    assertThat(pace.parked()).isEqualTo(200);
  }

  /** 3,500 clients whose node was away reconnect within a second: the storm of 2021. */
  @Test
  void aReconnectStormIsHeldAndNobodyWaitsBeyondTwentyFiveSeconds() {
    long latest = 0;
    var slots = new ArrayList<Long>();
    for (int i = 0; i < 3500; i++) {
      long now = i * SECOND / 3500;
      long wait = pace.pace(i + 1L, now);
      assertThat(wait).isNotNegative();
      latest = Math.max(latest, wait);
      slots.add(now + wait);
    }
    assertThat(latest).isLessThanOrEqualTo(25 * SECOND);
    for (int i = 200; i < slots.size(); i++) {
      assertThat(slots.get(i) - slots.get(i - 1)).isNotNegative();
    }
  }

  /** Twice as many as can be held, some of which ignore what they are told. */
  @Test
  void noSlotIsPushedAwayByClientsThatDoNotWait() {
    int clients = 7000;
    var in = new HashMap<Long, Long>();
    var again = new HashMap<Long, Long>();
    var told = new HashMap<Long, Long>();
    for (long id = 1; id <= clients; id++) {
      again.put(id, id * SECOND / clients);
    }
    var leaving = new PriorityQueue<Long>();
    for (long now = 0; now < 90 * SECOND && in.size() < clients; now += SECOND / 20) {
      while (!leaving.isEmpty() && leaving.element() <= now) {
        leaving.remove();
        pace.unpark();
      }
      for (long id = 1; id <= clients; id++) {
        if (in.containsKey(id) || again.getOrDefault(id, 0L) > now) {
          continue;
        }
        long wait = pace.pace(id, now);
        if (wait >= 0) {
          assertThat(wait).isLessThanOrEqualTo(25 * SECOND);
          in.put(id, now + wait);
          leaving.add(now + wait);
        } else {
          told.putIfAbsent(id, now - wait * SECOND);
          again.put(id, id % 2 == 0 ? now - wait * SECOND : now + SECOND); // half are rude
        }
      }
    }
    assertThat(in).hasSize(clients);
    assertThat(told).isNotEmpty();
    told.forEach((id, promised) ->
        assertThat(in.get(id)).as("slot of " + id).isLessThanOrEqualTo(promised + 3 * SECOND));
  }

  @Test
  void strangersGetNoReservation() {
    for (int i = 0; i < 5200; i++) {
      pace.pace(0, 0);
    }
    long before = pace.pace(0, 0);
    for (int i = 0; i < 1000; i++) {
      assertThat(pace.pace(0, 0)).isBetween(-29L, -25L);
    }
    assertThat(before).isNegative();
  }
}
