package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HomeTest {
  private static final String SECRET = "hf_0123456789012345678901234567890123456789012";

  @TempDir private Path temp;

  @Test
  void isMadeClosedToEverybodyElse() throws IOException {
    var home = Home.open(temp.resolve("a/b"));
    assertThat(home.directory()).isDirectory();
    assertThat(mode(home.directory())).isEqualTo("rwx------");
  }

  @Test
  void oneThatExistsKeepsItsMode() throws IOException {
    Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwxr-x--x"));
    assertThat(mode(Home.open(temp).directory())).isEqualTo("rwxr-x--x");
  }

  @Test
  void aFileInItsPlaceIsRefused() throws IOException {
    var file = Files.writeString(temp.resolve("file"), "");
    assertThatThrownBy(() -> Home.open(file)).isInstanceOf(IOException.class);
  }

  @Test
  void theTokenIsReadByItsOwnerAlone() throws IOException {
    var home = Home.open(temp);
    assertThat(home.token()).isNull();
    home.writeToken(SECRET);
    assertThat(home.token()).isEqualTo(SECRET);
    assertThat(mode(temp.resolve("token"))).isEqualTo("rw-------");
    assertThat(temp.resolve("token")).hasContent(SECRET);
  }

  @Test
  void aTokenThatAnybodyCouldGuessIsRefusedAndNotRepeated() throws IOException {
    for (var weak : new String[] {"", "\n", "secret", "correct horse battery staple and more"}) {
      Files.writeString(temp.resolve("token"), weak);
      var refused =
          assertThatThrownBy(() -> Home.open(temp).token())
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageContaining(temp.resolve("token") + ": ");
      if (!weak.isBlank()) {
        refused.hasMessageNotContaining(weak);
      }
    }
    Files.writeString(temp.resolve("token"), "x".repeat(5_000));
    assertThatThrownBy(() -> Home.open(temp).token())
        .hasMessage(temp.resolve("token") + ": 5000 bytes (expected: at most 4096)");
  }

  @Test
  void aFileIsReplacedInOneStepAndWithItsMode() throws IOException {
    var file = temp.resolve("up.json");
    Home.write(file, "old");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
    Files.writeString(temp.resolve("up.json.new"), "left by a crash");
    try (var reader = Files.newInputStream(file)) {
      Home.write(file, "new");
      assertThat(new String(reader.readAllBytes(), UTF_8))
          .isEqualTo("old"); // another file, not its bytes
    }
    assertThat(file).hasContent("new");
    assertThat(mode(file)).isEqualTo("rw-------");
    try (var files = Files.list(temp)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void theNodeKeepsItsName() throws IOException {
    var home = Home.open(temp);
    var name = home.node(new Random(1));
    assertThat(name).matches("n[0-9a-f]{8}");
    assertThat(home.node(new Random(2))).isEqualTo(name);
    Files.writeString(temp.resolve("node"), "Not A Name");
    assertThatThrownBy(() -> home.node(new Random(3)))
        .hasMessage(temp.resolve("node") + ": Not A Name (expected: a name of a-z, 0-9 and '-')");
  }

  @Test
  void runsAreInTheHomeUnlessOthersCannotEnterIt() throws IOException {
    var home = Home.open(temp);
    var config = ServerConfig.load(temp, Map.of(), Map.of());
    Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwxr-xr-x"));
    boolean open = parentsAreOpen();
    boolean root = "root".equals(System.getProperty("user.name"));
    var inside = temp.resolve("runs");
    if (open || !root) {
      assertThat(home.runs(config)).isEqualTo(inside);
    }
    Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwx------"));
    if (root) {
      assertThat(home.runs(config).toString()).matches("/var/lib/holdfast/runs-[0-9a-f]{8}");
      assertThat(home.runs(config)).isEqualTo(home.runs(config));
    } else {
      assertThat(home.runs(config)).isEqualTo(inside);
    }
  }

  @Test
  void runsAreWhereTheOperatorSays() throws IOException {
    var told = ServerConfig.load(temp, Map.of(), Map.of("drones.directory", "/srv/a/../runs"));
    assertThat(Home.open(temp).runs(told)).isEqualTo(Path.of("/srv/runs"));
  }

  @Test
  void usersAreThoseThatTheOperatorSays() throws IOException {
    var told = ServerConfig.load(temp, Map.of(), Map.of("drones.uid-first", "31000"));
    assertThat(Home.open(temp).uidFirst(told)).isEqualTo(31_000);
  }

  private boolean parentsAreOpen() throws IOException {
    for (Path part = temp; part != null; part = part.getParent()) {
      if (!mode(part).endsWith("x") && !mode(part).endsWith("t")) {
        return false;
      }
    }
    return true;
  }

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }
}
