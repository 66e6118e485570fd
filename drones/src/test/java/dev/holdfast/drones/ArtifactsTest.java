package dev.holdfast.drones;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.limits.ManualTime;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArtifactsTest {
  private static final ArtifactLimits SMALL =
      ArtifactLimits.defaults().withBytesMax(1 << 20, 4 << 20).withEntriesMax(50);

  @TempDir Path temp;
  private final ManualTime time = new ManualTime();
  private Path store = Path.of("");
  private Artifacts artifacts;

  @BeforeEach
  void open() {
    store = temp.resolve("artifacts");
    artifacts = new Artifacts(store, SMALL, time);
  }

  private Artifact accepted(Tarball tarball) {
    return artifacts.put(tarball.stream()).orThrow();
  }

  private void refused(InputStream body, String... words) throws IOException {
    assertThat(artifacts.put(body))
        .isInstanceOfSatisfying(
            Outcome.Refused.class,
            refused ->
                assertThat(refused.refusal())
                    .isInstanceOfSatisfying(
                        Refusal.Invalid.class,
                        invalid -> assertThat(invalid.message()).contains(words)));
    assertThat(files()).isEmpty();
  }

  private void refused(Tarball tarball, String... words) throws IOException {
    refused(tarball.stream(), words);
  }

  private Set<Path> files() throws IOException {
    try (var files = Files.list(store)) {
      return Set.copyOf(files.toList());
    }
  }

  @Test
  void storesTheSameContentOnce() throws IOException {
    var one = accepted(Tarball.app());
    var two = accepted(Tarball.app());
    assertThat(one).isEqualTo(two);
    assertThat(one.procfile().types()).containsEntry("web", "./run");
    assertThat(artifacts.has(one.sha256())).isTrue();
    assertThat(artifacts.has("0".repeat(64))).isFalse();
    assertThat(files()).containsExactly(artifacts.file(one.sha256()));
    assertThat(Files.size(artifacts.file(one.sha256()))).isEqualTo(one.bytes());
    assertThatThrownBy(() -> artifacts.has("../../etc/passwd"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void refusesWhatLeadsOutOfTheTree() throws IOException {
    refused(Tarball.app().file("/etc/x", "x"), "/etc/x", "relative");
    refused(Tarball.app().file("../x", "x"), "../x");
    refused(Tarball.app().file("a/../../x", "x"), "a/../../x");
    refused(Tarball.app().file("a/./x", "x"), "a/./x");
    refused(Tarball.app().symlink("l", "/etc"), "entry: l", "/etc");
    refused(Tarball.app().symlink("a/l", "../../x"), "a/l", "../../x");
    refused(Tarball.app().symlink("a/l", "b/../../../a/x"), "a/l");
    refused(Tarball.app().hardlink("h", "/etc/passwd"), "/etc/passwd");
    refused(Tarball.app().hardlink("h", "../x"), "../x");
    refused(Tarball.app().hardlink("h", "later").file("later", "x"), "entry: h", "later");
    refused(Tarball.app().symlink("l", "x").hardlink("h", "l"), "entry: h");
  }

  @Test
  void refusesLinksThatLeadOutTogether() throws IOException {
    // a/b/up is the directory a, so the second goes one level above the tree.
    refused(Tarball.app().symlink("a/b/up", "..").symlink("x", "a/b/up/../.."), "entry: x");
    accepted(Tarball.app().symlink("a/b/up", "..").symlink("x", "a/b/up/b"));
    accepted(Tarball.app().symlink("a", "b").symlink("b", "a"));
  }

  @Test
  void refusesToWriteThroughALink() throws IOException {
    refused(Tarball.app().symlink("d", "e").file("d/x", "x"), "d/x", "link");
    refused(Tarball.app().file("d/x", "x").symlink("d", "e"), "entry: d", "already");
    refused(Tarball.app().file("f", "x").file("f/x", "x"), "f/x", "file");
  }

  @Test
  void refusesDuplicatesAndSpecialFiles() throws IOException {
    refused(Tarball.app().file("x", "1").file("./x", "2"), "entry: x", "once");
    refused(Tarball.app().file("Procfile", "web: evil"), "Procfile");
    refused(Tarball.app().special("d", TarConstants.LF_CHR, ""), "entry: d", "device");
    refused(Tarball.app().special("d", TarConstants.LF_BLK, ""), "entry: d", "device");
    refused(Tarball.app().special("p", TarConstants.LF_FIFO, ""), "entry: p", "pipe");
    refused(Tarball.app().special("s", TarConstants.LF_GNUTYPE_SPARSE, ""), "s");
  }

  @Test
  void refusesWhatIsNoCompleteTarGz() throws IOException {
    refused(new ByteArrayInputStream(new byte[0]), "no bytes");
    refused(new ByteArrayInputStream("hello".getBytes(StandardCharsets.UTF_8)), "tar.gz");
    var noise = new byte[4096];
    new Random(1).nextBytes(noise);
    refused(new ByteArrayInputStream(gzip(noise)), "tar");
    var whole = Tarball.app().file("x", "y".repeat(5000)).bytes();
    for (int keep : new int[] {5, 20, whole.length / 2, whole.length - 9, whole.length - 1}) {
      refused(new ByteArrayInputStream(Arrays.copyOf(whole, keep)), "expected");
    }
    refused(
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("hung up");
          }

          @Override
          public int read(byte[] into, int from, int length) throws IOException {
            return read();
          }
        },
        "broke off");
  }

  @Test
  void refusesAMissingOrBadProcfile() throws IOException {
    refused(new Tarball().file("x", "y"), "no Procfile");
    refused(new Tarball().file("sub/Procfile", "web: a"), "no Procfile");
    refused(Tarball.withProcfile("web: a\n>>>>>>> x"), "Procfile line 2");
    refused(new Tarball().file("Procfile", new byte[] {(byte) 0xC3, 'x'}, 0644), "UTF-8");
    refused(new Tarball().file("x", "web: a").symlink("Procfile", "x"), "ordinary file");
    refused(new Tarball().directory("Procfile"), "ordinary file");
  }

  @Test
  void refusesBombs() throws IOException {
    refused(Tarball.app().file("zeros", new byte[5 << 20], 0644), "unpacked size");
    var many = Tarball.app();
    for (int i = 0; i < 60; i++) {
      many.file("f" + i, "");
    }
    refused(many, "entries", "at most 50");
    refused(Tarball.app().file("a/".repeat(60) + "x", ""), "entries");
    refused(Tarball.app().file("n".repeat(300), ""), "255");
    refused(Tarball.app().file("a/".repeat(600) + "x", ""), "1024");
    refused(Tarball.app().longName(1 << 20), "headers of one entry");
    var noise = new byte[2 << 20];
    new Random(1).nextBytes(noise);
    refused(new ByteArrayInputStream(noise), "more than 1048576 bytes");
  }

  @Test
  void refusesARatioThatOnlyABombHas() throws IOException {
    artifacts = new Artifacts(store, ArtifactLimits.defaults(), time);
    refused(Tarball.app().file("zeros", new byte[80 << 20], 0644), "compression");
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    var packed = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(packed)) {
      gzip.write(bytes);
    }
    return packed.toByteArray();
  }

  @Test
  void saysThatTheDiskIsFullAndLeavesNothing() throws IOException {
    artifacts =
        new Artifacts(
            store,
            SMALL,
            time,
            part -> {
              var out = Files.newOutputStream(part);
              return new OutputStream() {
                @Override
                public void write(int b) throws IOException {
                  out.write(b);
                  throw new IOException("No space left on device");
                }

                @Override
                public void close() throws IOException {
                  out.close();
                }
              };
            });
    assertThat(artifacts.put(Tarball.app().stream()))
        .isInstanceOfSatisfying(
            Outcome.Refused.class,
            refused -> assertThat(refused.refusal()).isInstanceOf(Refusal.Unavailable.class));
    assertThat(files()).isEmpty();
  }

  @Test
  void removesWhatAnEarlierLifeLeft() throws IOException {
    Files.writeString(store.resolve("upload-7.part"), "half");
    var kept = accepted(Tarball.app());
    new Artifacts(store, SMALL, time);
    assertThat(files()).containsExactly(artifacts.file(kept.sha256()));
  }

  @Test
  void collectsGarbageButNothingNewOrNamed() {
    var old = accepted(Tarball.app());
    var named = accepted(Tarball.withProcfile("web: named"));
    time.advance(Duration.ofMinutes(61));
    var young = accepted(Tarball.withProcfile("web: young"));
    artifacts.retain(Set.of(named.sha256()));
    assertThat(artifacts.has(old.sha256())).isFalse();
    assertThat(artifacts.has(named.sha256())).isTrue();
    assertThat(artifacts.has(young.sha256())).isTrue();
  }

  @Test
  void unpacksFilesDirectoriesAndLinks() throws IOException {
    var artifact =
        accepted(
            new Tarball()
                .directory(".")
                .file("./Procfile", "web: bin/run")
                .script("./bin/run", "#!/bin/sh\n")
                .directory("./empty")
                .symlink("./current", "bin/run")
                .hardlink("./bin/again", "./bin/run")
                .file("./set-uid", "x".getBytes(StandardCharsets.UTF_8), 04644)
                .file("./gr\u00fc\u00dfe", "hallo"));
    var into = temp.resolve("into");
    artifacts.extract(artifact.sha256(), into);
    var run = into.resolve("bin/run");
    assertThat(run).hasContent("#!/bin/sh\n").isExecutable();
    assertThat(Files.getLastModifiedTime(run).toMillis()).isEqualTo(1_700_000_000_000L);
    assertThat(Files.isSameFile(into.resolve("bin/again"), run)).isTrue();
    assertThat(Files.readSymbolicLink(into.resolve("current"))).isEqualTo(Path.of("bin/run"));
    assertThat(permissions(into.resolve("empty"))).isEqualTo("rwxr-xr-x");
    assertThat(permissions(into.resolve("set-uid"))).isEqualTo("rw-r--r--");
    assertThat((int) Files.getAttribute(into.resolve("set-uid"), "unix:mode") & 07000).isZero();
    assertThat(into.resolve("gr\u00fc\u00dfe")).hasContent("hallo");
    assertThatThrownBy(() -> artifacts.extract(artifact.sha256(), into))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static String permissions(Path path) throws IOException {
    return PosixFilePermissions.toString(
        Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS));
  }

  @Test
  void checksEverythingAgainWhileUnpacking() throws IOException {
    var sha = "a".repeat(64);
    var outside = Files.createDirectory(temp.resolve("outside"));
    var into = temp.resolve("into");
    Files.write(
        artifacts.file(sha), Tarball.app().symlink("d", "../outside").file("d/x", "pwned").bytes());
    assertThatThrownBy(() -> artifacts.extract(sha, into)).isInstanceOf(IOException.class);
    Files.write(artifacts.file(sha), Tarball.app().file("../outside/x", "pwned").bytes());
    assertThatThrownBy(() -> artifacts.extract(sha, temp.resolve("into2")))
        .isInstanceOf(IOException.class);
    assertThat(outside).isEmptyDirectory();
    Files.write(artifacts.file(sha), Tarball.app().bytes());
    assertThatThrownBy(() -> artifacts.extract(sha, temp.resolve("into3")))
        .hasMessageContaining("artifact on disk");
    assertThatThrownBy(() -> artifacts.extract("b".repeat(64), temp.resolve("into4")))
        .hasMessageContaining("no such artifact");
  }
}
