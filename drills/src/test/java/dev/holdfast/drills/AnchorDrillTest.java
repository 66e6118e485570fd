package dev.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class AnchorDrillTest {
  private static final int PER_SECOND = 500;

  @TempDir Path directory;

  @Test
  void whoComesWhileNobodyServesIsAnsweredByTheNextProcess()
      throws IOException, InterruptedException {
    var report = run(Profile.PROTECTED);
    assertThat(report.refused()).as("%s", report).isZero();
    assertThat(report.lostOutside()).as("%s", report).isZero();
    assertThat(report.waited()).as("%s", report).isPositive();
    assertThat(report.answered() + report.lostInside())
        .as("%s", report)
        .isEqualTo(report.offered());
    assertThat(report.ended()).as("%s", report).isEqualTo(143);
  }

  @Test
  void visitorsAreRefusedWhereNobodyHoldsTheSockets() throws IOException, InterruptedException {
    var report = run(Profile.NAIVE);
    assertThat(report.refused()).as("%s", report).isPositive();
  }

  private AnchorDrill.Report run(Profile profile) throws IOException, InterruptedException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    var launcher = Path.of("..", "holdfast");
    var report =
        new AnchorDrill(directory, launcher, Time.system(), profile)
            .run(PER_SECOND, Duration.ofSeconds(8));
    System.out.println(profile + ": " + report);
    return report;
  }
}
