package dev.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KillDrillTest {

  @TempDir Path directory;

  @Test
  void whatWasAcknowledgedSurvivesSigkillAndAppsRunOn() throws IOException, InterruptedException {
    var report = run(Profile.PROTECTED, Integer.getInteger("kill.rounds", 4));
    assertThat(report.broken()).as("%s", report).isEmpty();
    assertThat(report.acknowledged()).isPositive();
    assertThat(report.releases()).isPositive();
  }

  @Test
  void theDrillFailsWhereAppsDieWithTheirSupervisor() throws IOException, InterruptedException {
    var report = run(Profile.NAIVE, 1);
    assertThat(report.broken()).as("%s", report).anyMatch(broken -> broken.contains("steady is"));
  }

  private KillDrill.Report run(Profile profile, int rounds)
      throws IOException, InterruptedException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    var told = Long.getLong("seed");
    long seed = told != null ? told : new Random().nextLong();
    var report = new KillDrill(directory, Time.system(), seed, profile).run(rounds);
    System.out.println(profile + ", seed " + seed + ": " + report);
    return report;
  }
}
