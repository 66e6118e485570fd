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

  @Test
  void whatWasAcknowledgedSurvivesSigkillAndAppsRunOn(@TempDir Path directory)
      throws IOException, InterruptedException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    var told = Long.getLong("seed");
    long seed = told != null ? told : new Random().nextLong();
    var report =
        new KillDrill(directory, Time.system(), seed).run(Integer.getInteger("kill.rounds", 4));
    System.out.println("seed " + seed + ": " + report);
    assertThat(report.broken()).as("seed %s", seed).isEmpty();
    assertThat(report.acknowledged()).isPositive();
    assertThat(report.releases()).isPositive();
  }
}
