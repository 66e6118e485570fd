package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BalanceTest {
  private final SplittableRandom random = new SplittableRandom(1);

  private static final class Fake implements Balance.Endpoints {
    final boolean[] usable;
    final boolean[] out;
    final int[] outstanding;
    final double[] weight;
    final int[] cap;

    Fake(int size) {
      usable = new boolean[size];
      out = new boolean[size];
      outstanding = new int[size];
      weight = new double[size];
      cap = new int[size];
      Arrays.fill(usable, true);
      Arrays.fill(weight, 1);
      Arrays.fill(cap, 1000);
    }

    @Override
    public int size() {
      return usable.length;
    }

    @Override
    public boolean usable(int index) {
      return usable[index];
    }

    @Override
    public boolean out(int index) {
      return out[index];
    }

    @Override
    public int outstanding(int index) {
      return outstanding[index];
    }

    @Override
    public double weight(int index) {
      return weight[index];
    }

    @Override
    public int cap(int index) {
      return cap[index];
    }
  }

  private void spread(Fake endpoints, int requests) {
    for (int i = 0; i < requests; i++) {
      endpoints.outstanding[Balance.pick(endpoints, random)]++;
    }
  }

  @Test
  void spreadsEvenlyAndGivesANewcomerItsPart() {
    var endpoints = new Fake(4);
    endpoints.weight[3] = 0.1;
    spread(endpoints, 310);
    assertThat(endpoints.outstanding[0]).isBetween(90, 110);
    assertThat(endpoints.outstanding[3]).isBetween(5, 20);
  }

  @Test
  void passesOverTheIllUnlessMostAre() {
    var endpoints = new Fake(4);
    endpoints.out[0] = true;
    endpoints.out[1] = true;
    spread(endpoints, 100);
    assertThat(endpoints.outstanding[0] + endpoints.outstanding[1]).isZero();
    endpoints.out[2] = true;
    spread(endpoints, 100);
    assertThat(endpoints.outstanding[0]).isPositive();
  }

  @Test
  void keepsToTheCapsAndSaysWhenAllAreFull() {
    var endpoints = new Fake(3);
    endpoints.cap[0] = 1;
    endpoints.cap[1] = 2;
    endpoints.cap[2] = 3;
    spread(endpoints, 6);
    assertThat(endpoints.outstanding).containsExactly(1, 2, 3);
    assertThat(Balance.pick(endpoints, random)).isEqualTo(Balance.FULL);
    Arrays.fill(endpoints.usable, false);
    assertThat(Balance.pick(endpoints, random)).isEqualTo(Balance.NONE);
  }

  @Test
  void threeFailuresInARowPutAnEndpointOutForLongerEachTime() {
    var quarantine = new Quarantine();
    quarantine.failed(0);
    quarantine.failed(0);
    quarantine.succeeded(0);
    quarantine.failed(0);
    quarantine.failed(0);
    assertThat(quarantine.out(0)).isFalse();
    long at = 0;
    for (long seconds : new long[] {5, 10, 20, 40, 60, 60}) {
      for (int i = 0; i < 3; i++) {
        quarantine.failed(at);
      }
      assertThat(quarantine.out(at + seconds * World.SECOND - 1)).isTrue();
      at += seconds * World.SECOND;
      assertThat(quarantine.out(at)).isFalse();
      quarantine.succeeded(at);
    }
    quarantine.succeeded(at + 60 * World.SECOND);
    for (int i = 0; i < 3; i++) {
      quarantine.failed(at + 61 * World.SECOND);
    }
    assertThat(quarantine.out(at + 66 * World.SECOND)).isFalse();
  }

  @Test
  void aStickyCookieOpensOnlyForItsService() {
    var old = "0123456789abcdef".getBytes(StandardCharsets.UTF_8);
    var sticky = new Sticky(List.of(old));
    var value = sticky.seal("shop", "d7-12");
    assertThat(sticky.open("shop", value)).isEqualTo("d7-12");
    assertThat(sticky.open("blog", value)).isNull();
    assertThat(sticky.open("shop", "x" + value)).isNull();
    assertThat(sticky.open("shop", "ZDctMTM" + value.substring(value.indexOf('.')))).isNull();
    assertThat(sticky.open("shop", "!.!")).isNull();
    assertThat(sticky.open("shop", "")).isNull();
    var rotated = new Sticky(List.of("fedcba9876543210".getBytes(StandardCharsets.UTF_8), old));
    assertThat(rotated.open("shop", value)).isEqualTo("d7-12");
    assertThat(rotated.seal("shop", "d7-12")).isNotEqualTo(value);
    assertThat(sticky.open("shop", rotated.seal("shop", "d7-12"))).isNull();
  }
}
