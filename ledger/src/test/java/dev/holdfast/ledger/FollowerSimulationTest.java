package dev.holdfast.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Ten thousand histories of faults in virtual time: lost, late, doubled, reordered, garbled, forged
 * and poisoned entries, forgetful folds, dead feeds, restarts over torn snapshots. In none of them
 * a follower serves a wrong view silently, and all of them converge when the faults end. {@code
 * -Dseed=N} plays one of them, {@code -Dhistories=N} another number.
 */
class FollowerSimulationTest {
  private static final int HISTORIES = Integer.getInteger("histories", 10_000);
  private static final int FOUND_WITHIN = 1_000;

  @Test
  void noFollowerServesAWrongViewSilentlyAndAllConverge() throws Exception {
    var replay = Long.getLong("seed");
    if (replay != null) {
      play(replay, World.Plant.NONE);
      return;
    }
    var seeds = new Random();
    for (int i = 0; i < HISTORIES; i++) {
      play(seeds.nextLong(), World.Plant.NONE);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = World.Plant.class,
      names = {"NONE"},
      mode = EnumSource.Mode.EXCLUDE)
  void aPlantedDefectIsFound(World.Plant plant) throws Exception {
    var seeds = new Random();
    int i = 0;
    while (i < FOUND_WITHIN && !found(seeds.nextLong(), plant)) {
      i++;
    }
    assertThat(i).as("histories until the defect was found").isLessThan(FOUND_WITHIN);
  }

  private static void play(long seed, World.Plant plant) throws InterruptedException {
    try {
      new World(seed, plant).run();
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError("-Dseed=" + seed + ": " + e.getMessage(), e);
    }
  }

  private static boolean found(long seed, World.Plant plant) throws InterruptedException {
    try {
      new World(seed, plant).run();
      return false;
    } catch (AssertionError e) {
      return true;
    }
  }
}
