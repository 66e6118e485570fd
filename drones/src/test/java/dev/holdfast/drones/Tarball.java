package dev.holdfast.drones;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/** Builds uploads, the good and the hostile. */
final class Tarball {
  private final ByteArrayOutputStream raw = new ByteArrayOutputStream();
  private final TarArchiveOutputStream tar = new TarArchiveOutputStream(raw, "UTF-8");

  Tarball() {
    tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_GNU);
  }

  static Tarball withProcfile(String procfile) {
    return new Tarball().file("Procfile", procfile);
  }

  static Tarball app() {
    return withProcfile("web: ./run\n");
  }

  Tarball file(String name, String text) {
    return file(name, text.getBytes(StandardCharsets.UTF_8), 0644);
  }

  Tarball script(String name, String text) {
    return file(name, text.getBytes(StandardCharsets.UTF_8), 0755);
  }

  Tarball file(String name, byte[] bytes, int mode) {
    var entry = new TarArchiveEntry(name, true);
    entry.setSize(bytes.length);
    entry.setMode(mode);
    entry.setModTime(1_700_000_000_000L);
    return add(entry, bytes);
  }

  Tarball directory(String name) {
    return add(new TarArchiveEntry(name + "/", true), new byte[0]);
  }

  Tarball symlink(String name, String target) {
    return special(name, TarConstants.LF_SYMLINK, target);
  }

  Tarball hardlink(String name, String target) {
    return special(name, TarConstants.LF_LINK, target);
  }

  Tarball special(String name, byte type, String target) {
    var entry = new TarArchiveEntry(name, type, true);
    entry.setLinkName(target);
    return add(entry, new byte[0]);
  }

  /** A GNU long name, which readers gather in memory before anybody sees the entry. */
  Tarball longName(int bytes) {
    var entry = new TarArchiveEntry("long", TarConstants.LF_GNUTYPE_LONGNAME);
    entry.setSize(bytes);
    return add(entry, new byte[bytes]).file("short", "");
  }

  private Tarball add(TarArchiveEntry entry, byte[] bytes) {
    try {
      tar.putArchiveEntry(entry);
      tar.write(bytes);
      tar.closeArchiveEntry();
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  byte[] bytes() {
    try {
      tar.close();
      var packed = new ByteArrayOutputStream();
      try (var gzip = new GZIPOutputStream(packed)) {
        gzip.write(raw.toByteArray());
      }
      return packed.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  ByteArrayInputStream stream() {
    return new ByteArrayInputStream(bytes());
  }
}
