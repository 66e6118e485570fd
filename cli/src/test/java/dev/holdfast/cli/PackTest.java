package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PackTest {
  @TempDir Path folder;

  private static byte[] pack(Path folder, String... rules) throws IOException {
    var out = new ByteArrayOutputStream();
    Pack.write(folder, IgnoreRules.parse(List.of(rules)), out);
    return out.toByteArray();
  }

  private static Map<String, String> names(byte[] archive) throws IOException {
    var names = new TreeMap<String, String>();
    try (var tar =
        new TarArchiveInputStream(new GZIPInputStream(new ByteArrayInputStream(archive)))) {
      for (var entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        names.put(
            entry.getName(), Integer.toOctalString(entry.getMode() & 0777) + entry.getLinkName());
      }
    }
    return names;
  }

  private void fill(Path to) {
    FakePlatform.write(to.resolve("Procfile"), "web: x\n");
    FakePlatform.write(to.resolve("b/" + "long".repeat(40) + ".txt"), "1");
    FakePlatform.write(to.resolve("a/ünïcode"), "2");
  }

  @Test
  void theSameFolderIsTheSameArtifact() throws IOException {
    var one = folder.resolve("one");
    var two = folder.resolve("two");
    fill(one);
    fill(two);
    Files.setLastModifiedTime(two.resolve("Procfile"), FileTime.fromMillis(1_000_000));
    assertThat(pack(two)).isEqualTo(pack(one));
    FakePlatform.write(two.resolve("Procfile"), "web: y\n");
    assertThat(pack(two)).isNotEqualTo(pack(one));
  }

  @Test
  void packsInTheOrderOfNames() throws IOException {
    for (int i = 50; i > 0; i--) {
      FakePlatform.write(folder.resolve("f" + i), "x");
    }
    var packed = new ArrayList<String>();
    try (var tar =
        new TarArchiveInputStream(new GZIPInputStream(new ByteArrayInputStream(pack(folder))))) {
      for (var entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        packed.add(entry.getName());
      }
    }
    assertThat(packed).hasSize(50).isSorted();
  }

  @Test
  void keepsLinksAndWhetherAFileMayBeExecuted() throws IOException {
    fill(folder);
    assertThat(folder.resolve("Procfile").toFile().setExecutable(true)).isTrue();
    Files.createSymbolicLink(folder.resolve("a/link"), Path.of("../Procfile"));
    assertThat(names(pack(folder)))
        .containsEntry("Procfile", "755")
        .containsEntry("a/", "755")
        .containsEntry("a/link", "777../Procfile")
        .containsEntry("a/ünïcode", "644")
        .containsKey("b/" + "long".repeat(40) + ".txt");
  }

  @Test
  void leavesOutGitAndWhatTheRulesName() throws IOException {
    fill(folder);
    FakePlatform.write(folder.resolve(".git/HEAD"), "x");
    FakePlatform.write(folder.resolve("a/x.log"), "x");
    FakePlatform.write(folder.resolve("a/keep.log"), "x");
    FakePlatform.write(folder.resolve("target/x"), "x");
    FakePlatform.write(folder.resolve("a/target"), "x");
    assertThat(names(pack(folder, "# comment", "", "*.log", "!keep.log", "/target/", "b/**")))
        .containsOnlyKeys("Procfile", "a/", "a/keep.log", "a/target", "a/ünïcode", "b/");
  }

  @Test
  void readsGitignoresPatterns() {
    var rules =
        IgnoreRules.parse(List.of("doc/*.txt", "**/tmp", "x[0-9]?", "/top", "a/**/z", "\\#h"));
    assertThat(rules.ignores("doc/a.txt", false)).isTrue();
    assertThat(rules.ignores("doc/b/a.txt", false)).isFalse();
    assertThat(rules.ignores("c/doc/a.txt", false)).isFalse();
    assertThat(rules.ignores("a/b/tmp", true)).isTrue();
    assertThat(rules.ignores("tmp", true)).isTrue();
    assertThat(rules.ignores("c/x1y", false)).isTrue();
    assertThat(rules.ignores("xay", false)).isFalse();
    assertThat(rules.ignores("top", false)).isTrue();
    assertThat(rules.ignores("c/top", false)).isFalse();
    assertThat(rules.ignores("a/z", false)).isTrue();
    assertThat(rules.ignores("a/b/c/z", false)).isTrue();
    assertThat(rules.ignores("#h", false)).isTrue();
    assertThat(rules.ignores("sub/.git", true)).isTrue();
  }
}
