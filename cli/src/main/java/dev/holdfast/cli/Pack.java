package dev.holdfast.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/**
 * A folder as a tar.gz that depends on nothing but its files' names, contents and whether they may
 * be executed: sorted, without times and owners. The same folder is the same artifact.
 */
final class Pack {
  static final int FILES_MAX = 200_000;
  static final long BYTES_MAX = 4L << 30;
  private static final int DEPTH_MAX = 100;
  private static final int MODE_FOLDER = 0755;
  private static final int MODE_PROGRAM = 0755;
  private static final int MODE_FILE = 0644;
  private static final int MODE_LINK = 0777;

  private final Path folder;
  private final IgnoreRules ignored;
  private final TarArchiveOutputStream tar;
  private int files;
  private long bytes;

  private Pack(Path folder, IgnoreRules ignored, TarArchiveOutputStream tar) {
    this.folder = folder;
    this.ignored = ignored;
    this.tar = tar;
  }

  /** How much was packed, before compression. */
  record Packed(int files, long bytes) {}

  /**
   * Packs the folder.
   *
   * @throws Refused when it holds what cannot be deployed, naming it
   */
  static Packed write(Path folder, IgnoreRules ignored, OutputStream out) throws IOException {
    var gzip = new GZIPOutputStream(new BufferedOutputStream(out, 64 << 10), 64 << 10);
    try (var tar = new TarArchiveOutputStream(gzip, UTF_8.name())) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
      tar.setAddPaxHeadersForNonAsciiNames(true);
      var pack = new Pack(folder, ignored, tar);
      pack.folder(folder, "", 0);
      tar.finish();
      return new Packed(pack.files, pack.bytes);
    }
  }

  private void folder(Path path, String prefix, int depth) throws IOException {
    if (depth > DEPTH_MAX) {
      throw new Refused(shown(prefix) + " lies deeper than " + DEPTH_MAX + " folders.");
    }
    for (var child : children(path)) {
      var name = prefix + child.getFileName();
      var attributes = Files.readAttributes(child, BasicFileAttributes.class, NOFOLLOW_LINKS);
      if (ignored.ignores(name, attributes.isDirectory())) {
        continue;
      }
      if (++files > FILES_MAX) {
        throw new Refused("The folder has more than " + FILES_MAX + " files.");
      }
      if (attributes.isSymbolicLink()) {
        link(child, name);
      } else if (attributes.isDirectory()) {
        put(entry(name + "/", TarConstants.LF_DIR, MODE_FOLDER));
        tar.closeArchiveEntry();
        folder(child, name + "/", depth + 1);
      } else if (attributes.isRegularFile()) {
        file(child, name, attributes.size());
      } else {
        throw new Refused(
            shown(name) + " is neither a file, a folder nor a link; only those can be deployed.");
      }
    }
  }

  /** Sorted by the characters of the name, whatever order the file system has. */
  private static List<Path> children(Path path) throws IOException {
    var children = new ArrayList<Path>();
    try (var stream = Files.newDirectoryStream(path)) {
      for (var child : stream) {
        if (children.size() >= FILES_MAX) {
          throw new Refused("A folder has more than " + FILES_MAX + " files.");
        }
        children.add(child);
      }
    }
    children.sort((a, b) -> a.getFileName().toString().compareTo(b.getFileName().toString()));
    return children;
  }

  private void link(Path path, String name) throws IOException {
    var target = Files.readSymbolicLink(path);
    var parent = path.getParent();
    var leads = parent == null ? target : parent.resolve(target).normalize();
    if (target.isAbsolute() || !leads.startsWith(folder.normalize())) {
      throw new Refused(
          "The link "
              + shown(name)
              + " leads out of the folder, to "
              + Text.oneLine(target.toString())
              + ". Only what lies in the folder can be deployed.");
    }
    var entry = entry(name, TarConstants.LF_SYMLINK, MODE_LINK);
    entry.setLinkName(target.toString());
    put(entry);
    tar.closeArchiveEntry();
  }

  private void file(Path path, String name, long size) throws IOException {
    bytes += size;
    if (bytes > BYTES_MAX) {
      throw new Refused(
          "The folder is larger than "
              + Text.size(BYTES_MAX)
              + ". Leave out what the app does not need, in a "
              + IgnoreRules.FILE
              + " file.");
    }
    var entry =
        entry(name, TarConstants.LF_NORMAL, Files.isExecutable(path) ? MODE_PROGRAM : MODE_FILE);
    entry.setSize(size);
    put(entry);
    try (var in = Files.newInputStream(path)) {
      long copied = 0;
      var buffer = new byte[64 << 10];
      for (int n; (n = in.read(buffer)) >= 0; copied += n) {
        if (copied + n > size) {
          throw changed(name);
        }
        tar.write(buffer, 0, n);
      }
      if (copied != size) {
        throw changed(name);
      }
    }
    tar.closeArchiveEntry();
  }

  private static Refused changed(String name) {
    return new Refused(shown(name) + " changed while it was packed. Deploy again.");
  }

  private static TarArchiveEntry entry(String name, byte type, int mode) {
    var entry = new TarArchiveEntry(name, type, true);
    entry.setMode(mode);
    entry.setModTime(0L);
    entry.setIds(0, 0);
    entry.setNames("", "");
    return entry;
  }

  private void put(TarArchiveEntry entry) throws IOException {
    tar.putArchiveEntry(entry);
  }

  private static String shown(String name) {
    return Text.oneLine(name);
  }
}
