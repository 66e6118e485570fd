package dev.holdfast.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UserRangeTest {
  @TempDir Path directory;

  @Test
  void everyHomeHasARangeOfItsOwnAndKeepsIt() throws IOException {
    var registry = directory.resolve("registry");
    var first = Files.createDirectory(directory.resolve("first"));
    var second = Files.createDirectory(directory.resolve("second"));
    assertThat(UserRange.of(first, registry)).isEqualTo(UserRange.FIRST);
    assertThat(UserRange.of(second, registry)).isEqualTo(UserRange.FIRST + UserRange.SIZE);
    assertThat(UserRange.of(first, registry)).isEqualTo(UserRange.FIRST);
    assertThat(UserRange.of(second, registry)).isEqualTo(UserRange.FIRST + UserRange.SIZE);
  }

  @Test
  void theRangeOfAHomeThatIsGoneIsGivenAgain() throws IOException {
    var registry = directory.resolve("registry");
    var gone = Files.createDirectory(directory.resolve("gone"));
    UserRange.of(gone, registry);
    Files.delete(gone);
    var next = Files.createDirectory(directory.resolve("next"));
    assertThat(UserRange.of(next, registry)).isEqualTo(UserRange.FIRST);
  }
}
