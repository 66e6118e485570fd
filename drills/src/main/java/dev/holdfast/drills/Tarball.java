package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** Small apps, as they are uploaded. */
final class Tarball {
  private static final String WITNESS = "Witness.java";
  private static final String PROCFILE =
      "web: exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx64m"
          + " -Dsun.net.httpserver.nodelay=true Witness.java\n";

  private Tarball() {}

  /** An app that says its name, its process id and its release. */
  static byte[] witness() {
    var bytes = new ByteArrayOutputStream();
    try (var source = Tarball.class.getResourceAsStream(WITNESS + ".txt");
        var tar = new TarArchiveOutputStream(new GZIPOutputStream(bytes))) {
      if (source == null) {
        throw new IllegalStateException(WITNESS + ".txt is not on the class path");
      }
      add(tar, WITNESS, source.readAllBytes());
      add(tar, "Procfile", PROCFILE.getBytes(UTF_8));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    return bytes.toByteArray();
  }

  /** An app that is nothing but a line of its Procfile. */
  static byte[] of(String procfile) {
    var bytes = new ByteArrayOutputStream();
    try (var tar = new TarArchiveOutputStream(new GZIPOutputStream(bytes))) {
      add(tar, "Procfile", (procfile + "\n").getBytes(UTF_8));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    return bytes.toByteArray();
  }

  private static void add(TarArchiveOutputStream tar, String name, byte[] content)
      throws IOException {
    var entry = new TarArchiveEntry(name);
    entry.setSize(content.length);
    tar.putArchiveEntry(entry);
    tar.write(content);
    tar.closeArchiveEntry();
  }
}
