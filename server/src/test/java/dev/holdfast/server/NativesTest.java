package dev.holdfast.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativesTest {
  @TempDir Path folder;

  @Test
  void removesWhatAKilledPlatformLeft() throws IOException {
    var natives = folder.resolve("natives");
    Files.createDirectories(natives);
    Files.writeString(natives.resolve("sqlite-1.so"), "x");
    Natives.unpackInto(natives);
    assertThat(natives).isEmptyDirectory();
  }

  @Test
  void tellsTheLibrariesOfTheHomeInUse() throws IOException {
    for (var home : new String[] {"one", "two"}) {
      var natives = folder.resolve(home);
      Natives.unpackInto(natives);
      assertThat(Natives.PROPERTIES)
          .allSatisfy(name -> assertThat(System.getProperty(name)).isEqualTo(natives.toString()));
    }
  }

  @Test
  void leavesAFolderThatTheOperatorChose() throws IOException {
    Natives.unpackInto(folder.resolve("own"));
    var name = Natives.PROPERTIES.getFirst();
    var before = System.getProperty(name);
    System.setProperty(name, "/chosen");
    try {
      Natives.unpackInto(folder.resolve("own"));
      assertThat(System.getProperty(name)).isEqualTo("/chosen");
    } finally {
      System.setProperty(name, before);
    }
  }
}
