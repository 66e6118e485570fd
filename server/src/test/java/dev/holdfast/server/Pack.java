package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/** Uploads, the good and the hostile. Confined to one thread. */
final class Pack {
  private final ByteArrayOutputStream raw = new ByteArrayOutputStream();
  private final TarArchiveOutputStream tar = new TarArchiveOutputStream(raw, "UTF-8");

  /** An app of nothing but that Procfile. */
  static Pack of(String procfile) {
    return new Pack().file("Procfile", procfile.getBytes(UTF_8));
  }

  /** An app without a web process: its release is current at once, and nothing runs. */
  static byte[] idle(String mark) {
    return of("job: true\n").file("mark", mark.getBytes(UTF_8)).bytes();
  }

  /** {@link TinyApp}, run by the Java that runs this. */
  static byte[] tiny(String mark) {
    var java = Path.of(System.getProperty("java.home"), "bin", "java");
    var name = TinyApp.class.getName();
    var file = name.replace('.', '/') + ".class";
    try (var in = TinyApp.class.getResourceAsStream("/" + file)) {
      if (in == null) {
        throw new IllegalStateException("no class file of " + name);
      }
      return of("web: exec "
              + java
              + " -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx32m -cp . "
              + name
              + "\njob: exec sleep 300\n")
          .file("mark", mark.getBytes(UTF_8))
          .file(file, in.readAllBytes())
          .bytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Pack file(String name, byte[] bytes) {
    var entry = new TarArchiveEntry(name, true);
    entry.setSize(bytes.length);
    return add(entry, bytes);
  }

  Pack link(String name, byte type, String target) {
    var entry = new TarArchiveEntry(name, type, true);
    entry.setLinkName(target);
    return add(entry, new byte[0]);
  }

  Pack symlink(String name, String target) {
    return link(name, TarConstants.LF_SYMLINK, target);
  }

  private Pack add(TarArchiveEntry entry, byte[] bytes) {
    try {
      tar.putArchiveEntry(entry);
      tar.write(bytes);
      tar.closeArchiveEntry();
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The tar without gzip around it. */
  byte[] tar() {
    try {
      tar.close();
      return raw.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  byte[] bytes() {
    try {
      var packed = new ByteArrayOutputStream();
      try (var gzip = new GZIPOutputStream(packed)) {
        gzip.write(tar());
      }
      return packed.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
