package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.holdfast.edge.Limiter.Mode;
import dev.holdfast.limits.Keys;
import java.lang.management.ManagementFactory;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LaneTest {
  private static final long LATER = Long.MAX_VALUE / 2;
  private static final long CLIENT = Keys.of("198.51.100.7");

  private long now;
  private final List<String> heard = new ArrayList<>();

  private final class Request implements Waiter {
    final String name;
    final long client;

    Request(String name) {
      this.name = name;
      client = Keys.of(name);
    }

    @Override
    public long clientKey() {
      return client;
    }

    @Override
    public void admitted(long at) {
      heard.add(name);
    }

    @Override
    public void refused(Verdict verdict) {
      heard.add(name + " " + verdict);
    }
  }

  private Admission admission(AdmissionConfig config) {
    return new Admission(config, new SplittableRandom(1), now);
  }

  private Lane lane(Admission admission) {
    return admission.lane(new SplittableRandom(2), now);
  }

  /** Admits as many as the app takes at first, each for another client. */
  private static int fill(Lane lane, Gate gate) {
    int admitted = 0;
    while (lane.admit(gate, Keys.of("filler" + admitted), Priority.LIVE, LATER, 0)
        == Verdict.ADMITTED) {
      admitted++;
    }
    return admitted;
  }

  private static void finish(Lane lane, Gate gate, int filler, long now) {
    lane.finished(gate, Keys.of("filler" + filler), 0, 0, 1_000_000, 0, now);
  }

  @Test
  void aFullAppMakesRequestsWaitAndServesThemInOrder() {
    var lane = lane(admission(AdmissionConfig.defaults()));
    var gate = lane.app("app", "team", 1, now);
    assertThat(fill(lane, gate)).isEqualTo(20);
    lane.park(gate, new Request("a"), LATER, now);
    lane.park(gate, new Request("b"), LATER, now);
    assertThat(lane.crowded()).isTrue();
    finish(lane, gate, 0, now);
    finish(lane, gate, 1, now);
    assertThat(heard).containsExactly("a", "b");
    lane.tick(now);
    assertThat(lane.crowded()).isFalse();
  }

  @Test
  void whoWaitsTooLongIsToldSo() {
    var lane = lane(admission(AdmissionConfig.defaults()));
    var gate = lane.app("app", "team", 1, now);
    fill(lane, gate);
    lane.park(gate, new Request("a"), LATER, now);
    lane.tick(999_999_999L);
    assertThat(heard).isEmpty();
    lane.tick(1_000_000_000L);
    assertThat(heard).containsExactly("a FULL");
    assertThat(gate.app.waiting.get()).isZero();
  }

  @Test
  void aRoomThatStandsTurnsNewestFirst() {
    var lane = lane(admission(AdmissionConfig.defaults()));
    var gate = lane.app("app", "team", 1, now);
    taught(gate);
    fill(lane, gate);
    for (int i = 0; i < 20; i++) {
      wait(lane, gate, "w" + i, now);
    }
    long later = now + 190_000_000L;
    wait(lane, gate, "new", later);
    lane.tick(later);
    assertThat(heard).isEmpty();
    later = now + 201_000_000L;
    lane.tick(later);
    assertThat(heard).hasSize(20).startsWith("w0 FULL").endsWith("w19 FULL");
    heard.clear();
    wait(lane, gate, "newest", later);
    finish(lane, gate, 0, later);
    finish(lane, gate, 1, later);
    assertThat(heard).containsExactly("newest", "new");
  }

  /** The app is known to answer within 10 ms; a second has passed. */
  private void taught(Gate gate) {
    now += 1_000_000_000L;
    for (int i = 0; i < 10; i++) {
      gate.app.limit.sample(10_000_000, 1, now);
    }
  }

  private void wait(Lane lane, Gate gate, String name, long at) {
    var request = new Request(name);
    assertThat(lane.admit(gate, request.client, Priority.LIVE, LATER, at)).isEqualTo(Verdict.WAIT);
    lane.park(gate, request, LATER, at);
  }

  @Test
  void whoIsAloneWaitsAsLongAsItTakesAndIsServedInOrder() {
    var lane = lane(admission(AdmissionConfig.defaults()));
    var gate = lane.app("app", "team", 1, now);
    var all = new ArrayList<Request>();
    for (int i = 0; i < 64; i++) {
      var request = new Request("same");
      if (lane.admit(gate, request.client, Priority.LIVE, LATER, now) == Verdict.WAIT) {
        lane.park(gate, request, LATER, now);
        all.add(request);
      }
    }
    assertThat(all).hasSize(44);
    for (int i = 0; i < 44; i++) {
      now += 10_000_000;
      lane.tick(now);
      lane.finished(gate, all.getFirst().client, 0, 0, 0, 0, now);
    }
    assertThat(heard).hasSize(44).containsOnly("same");
  }

  @Test
  void whoHasMoreThanHisShareWaitsAfterTheOthersAndIsRefusedAlone() {
    var lane = lane(admission(AdmissionConfig.defaults()));
    var gate = lane.app("app", "team", 1, now);
    taught(gate);
    for (int i = 0; i < 20; i++) {
      assertThat(lane.admit(gate, CLIENT, Priority.LIVE, LATER, now)).isEqualTo(Verdict.ADMITTED);
    }
    heavy(lane, gate);
    for (int i = 0; i < 12; i++) {
      wait(lane, gate, "other" + i, now);
    }
    heavy(lane, gate);
    for (int i = 0; i < 15; i++) { // down to a quarter of the limit
      lane.finished(gate, CLIENT, 0, 0, 0, 0, now);
    }
    assertThat(heard).hasSize(12).startsWith("other0").endsWith("other11");
    lane.finished(gate, CLIENT, 0, 0, 0, 0, now);
    assertThat(heard).hasSize(13).endsWith("heavy");
    lane.tick(now + 100_000_001L);
    assertThat(heard).hasSize(14).endsWith("heavy SHARE");
  }

  private void heavy(Lane lane, Gate gate) {
    assertThat(lane.admit(gate, CLIENT, Priority.LIVE, LATER, now)).isEqualTo(Verdict.WAIT);
    lane.park(
        gate,
        new Waiter() {
          @Override
          public long clientKey() {
            return CLIENT;
          }

          @Override
          public void admitted(long at) {
            heard.add("heavy");
          }

          @Override
          public void refused(Verdict verdict) {
            heard.add("heavy " + verdict);
          }
        },
        LATER,
        now);
  }

  @Test
  void aSlotThatFreesOnOneLoopWakesWhoeverWaitsOnAnother() {
    var admission = admission(AdmissionConfig.defaults());
    var one = lane(admission);
    var two = lane(admission);
    var here = one.app("app", "team", 1, now);
    var there = two.app("app", "team", 1, now);
    fill(one, here);
    assertThat(two.admit(there, CLIENT, Priority.LIVE, LATER, now)).isEqualTo(Verdict.WAIT);
    two.park(there, new Request("far"), LATER, now);
    finish(one, here, 0, now);
    two.tick(now + 1_000_000);
    assertThat(heard).containsExactly("far");
  }

  @Test
  void controlIsNeverRefusedAndLateWorkIs() {
    var lane = lane(admission(AdmissionConfig.defaults()));
    var gate = lane.app("app", "team", 1, now);
    fill(lane, gate);
    assertThat(lane.admit(gate, CLIENT, Priority.CONTROL, LATER, now)).isEqualTo(Verdict.ADMITTED);
    assertThat(lane.admit(gate, CLIENT, Priority.LIVE, now, now)).isEqualTo(Verdict.DEADLINE);
  }

  @Test
  void aRateSaysHowLongToWait() {
    var config = AdmissionConfig.defaults().with(Limiter.ACCOUNT_RATE, Mode.ENFORCE);
    var admission = admission(config);
    var lane = lane(admission);
    var gate = lane.app("app", "team", 1, now);
    for (int i = 0; i < 400; i++) {
      assertThat(lane.admit(gate, CLIENT + i, Priority.LIVE, LATER, now))
          .isEqualTo(Verdict.ADMITTED);
      lane.finished(gate, CLIENT + i, 0, 0, 0, 0, now);
    }
    assertThat(lane.admit(gate, CLIENT, Priority.LIVE, LATER, now)).isEqualTo(Verdict.RATE);
    assertThat(lane.waitNanos()).isEqualTo(5_000_000L);
    assertThat(lane.retryAfterSeconds(Verdict.RATE)).isEqualTo(1);
    assertThat(admission.remaining(gate, now)).isZero();
    assertThat(admission.resetSeconds(gate, now)).isEqualTo(2);
    assertThat(admission.quota()).isEqualTo(400);
    assertThat(admission.quotaSeconds()).isEqualTo(2);
    assertThat(admission.refused(Limiter.ACCOUNT_RATE)).isEqualTo(1);
  }

  @Test
  void memoryAndDescriptorsCloseTheDoor() {
    var admission = admission(AdmissionConfig.defaults());
    var lane = lane(admission);
    var gate = lane.app("app", "team", 1, now);
    admission.vitals(new Vitals.Reading(0.86, 0.93));
    assertThat(admission.accepts()).isFalse();
    assertThat(admission.keepsAlive()).isFalse();
    assertThat(lane.admit(gate, CLIENT, Priority.LIVE, LATER, now)).isEqualTo(Verdict.ADMITTED);
    admission.vitals(new Vitals.Reading(0, 0.96));
    assertThat(lane.admit(gate, CLIENT, Priority.LIVE, LATER, now)).isEqualTo(Verdict.SHED);
    admission.vitals(new Vitals().read());
    assertThat(admission.accepts()).isTrue();
  }

  @Test
  void aSpaceThatOnlyHoldsWhatSurvivedOnceSaysNothingAboutMemory() {
    var kept = new ArrayList<byte[]>();
    for (int i = 0; i < 64; i++) {
      for (int n = 0; n < 256; n++) {
        kept.add(new byte[4096]);
      }
      assertThat(new Vitals().read().memory()).isLessThan(0.9);
    }
    assertThat(kept).hasSize(64 * 256);
  }

  @Test
  void clientsCanOnlyLowerTheirClass() {
    assertThat(Priority.of(Priority.LIVE, Priority.hint("C0"), 0, false)).isEqualTo(Priority.LIVE);
    assertThat(Priority.of(Priority.LIVE, Priority.hint("c4"), 0, false)).isEqualTo(Priority.BATCH);
    assertThat(Priority.of(Priority.LIVE, -1, 1, false)).isEqualTo(Priority.REPEAT);
    assertThat(Priority.of(Priority.LIVE, -1, 0, true)).isEqualTo(Priority.REPEAT);
    assertThat(Priority.of(Priority.CONTROL, 4, 9, true)).isEqualTo(Priority.CONTROL);
    assertThat(Priority.hint("C5")).isEqualTo(-1);
    assertThat(Priority.deadline(50, 1_000_000_000L, 7)).isEqualTo(50_000_007L);
    assertThat(Priority.deadline(5000, 1_000_000_000L, 7)).isEqualTo(1_000_000_007L);
  }

  @Test
  void appsThatAreIdleAreForgotten() {
    var admission = admission(AdmissionConfig.defaults());
    var lane = lane(admission);
    for (int i = 0; i < 100; i++) {
      lane.app("app" + i, "team", 1, now);
    }
    assertThat(admission.appCount()).isEqualTo(100);
    lane.probe(0, 61_000_000_000L);
    assertThat(admission.appCount()).isZero();
  }

  @Test
  void admittingAllocatesNothing() {
    var admission = admission(AdmissionConfig.defaults().withAll(Mode.ENFORCE));
    var lane = lane(admission);
    churn(lane, 300_000);
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 5 && least >= 1024; i++) { // a compiler thread may hand something over once
      long before = threads.getCurrentThreadAllocatedBytes();
      churn(lane, 1_000_000);
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertThat(least).isLessThan(1024);
  }

  private void churn(Lane lane, int requests) {
    for (int i = 0; i < requests; i++) {
      now += 20_000_000;
      var gate = lane.app("app", "team", 1, now);
      long client = CLIENT + i % 5000;
      if (lane.admit(gate, client, Priority.LIVE, LATER, now) == Verdict.ADMITTED) {
        lane.firstByte(gate, 1_000_000, now);
        lane.finished(gate, client, 77, 88, 1_000_000, 1024, now);
      }
    }
  }

  @Test
  void whoCausesTheLoadIsNamed() {
    var admission = admission(AdmissionConfig.defaults());
    var lane = lane(admission);
    admission.names.put(CLIENT, "198.51.100.7");
    for (int second = 0; second < 3; second++) {
      for (int i = 0; i < 100; i++) {
        var gate = lane.app("app" + i % 10, "account" + i % 10, 1, now);
        boolean heavy = i % 10 == 3;
        lane.admit(gate, heavy ? CLIENT : i + 1, Priority.LIVE, LATER, now);
        lane.finished(gate, heavy ? CLIENT : i + 1, 0, 0, heavy ? 50_000_000 : 1_000_000, 0, now);
      }
      now += 1_000_000_000L;
      lane.probe(0, now);
      var _ = admission.merge(now, Instant.EPOCH);
    }
    var found = admission.attribution();
    assertThat(found.accounts().getFirst().name()).isEqualTo("account3");
    assertThat(found.clients().getFirst().name()).isEqualTo("198.51.100.7");
    assertThat(found.sentence()).contains("account3", "198.51.100.7");
  }
}
