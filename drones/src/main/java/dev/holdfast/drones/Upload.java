package dev.holdfast.drones;

import dev.holdfast.limits.Check;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.jspecify.annotations.Nullable;

/**
 * One pass over the bytes of a tar.gz that hands every entry which the rules admit to a visitor.
 * The whole stream is read, so a checksum at its end counts. Confined to one thread.
 */
final class Upload {
  private static final int BUFFER_BYTES = 64 * 1024;

  /** Whoever wants the entries: the scan looks, the extraction writes. */
  interface Visitor {
    void directory(String path) throws IOException;

    void file(String path, TarArchiveEntry entry, InputStream contents) throws IOException;

    void symbolicLink(String path, String target) throws IOException;

    void hardLink(String path, String target) throws IOException;
  }

  private Upload() {}

  /**
   * Reads all of it and closes it.
   *
   * @param packedBytes how long {@code packed} is
   * @throws BadUpload when a rule is broken
   * @throws IOException when the bytes cannot be read or the visitor fails
   */
  static void read(InputStream packed, long packedBytes, ArtifactLimits limits, Visitor visitor)
      throws IOException {
    var rules = new TarRules(limits);
    try (var gzip = gunzip(packed);
        var metered = new MeteredStream(gzip, limits, packedBytes);
        var tar = new TarArchiveInputStream(metered, "UTF-8")) {
      @Nullable TarArchiveEntry entry;
      while ((entry = next(tar, metered)) != null) {
        visit(entry, tar, rules, visitor);
      }
      metered.transferTo(OutputStream.nullOutputStream());
      packed.transferTo(OutputStream.nullOutputStream());
    } catch (EOFException e) {
      throw new BadUpload("upload: cut short (expected: a complete tar.gz)");
    } catch (ZipException e) {
      throw new BadUpload(Check.message("upload", "" + e.getMessage(), "a tar.gz"));
    }
    rules.finish();
  }

  private static InputStream gunzip(InputStream packed) throws IOException {
    return new GZIPInputStream(new BufferedInputStream(packed, BUFFER_BYTES), BUFFER_BYTES);
  }

  private static @Nullable TarArchiveEntry next(TarArchiveInputStream tar, MeteredStream metered)
      throws IOException {
    metered.headers();
    try {
      return tar.getNextEntry();
    } catch (BadUpload | EOFException | ZipException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      // The archive reader answers garbage with whatever exception it met first.
      throw new BadUpload(Check.message("upload", "" + e.getMessage(), "a tar file inside gzip"));
    } finally {
      metered.contents();
    }
  }

  private static void visit(
      TarArchiveEntry entry, TarArchiveInputStream tar, TarRules rules, Visitor visitor)
      throws IOException {
    var path = rules.admit(entry);
    switch (entry.getLinkFlag()) {
      case TarConstants.LF_SYMLINK ->
          visitor.symbolicLink(path, rules.symbolicTarget(path, entry.getLinkName()));
      case TarConstants.LF_LINK ->
          visitor.hardLink(path, rules.hardTarget(path, entry.getLinkName()));
      default -> {
        if (entry.getLinkFlag() == TarConstants.LF_DIR || entry.getName().endsWith("/")) {
          visitor.directory(path);
        } else {
          visitor.file(path, entry, new Contents(tar, path));
        }
      }
    }
    new Contents(tar, path).transferTo(OutputStream.nullOutputStream());
  }

  /** What one entry holds; its end is the entry's end. */
  private static final class Contents extends InputStream {
    private final TarArchiveInputStream tar;
    private final String path;

    Contents(TarArchiveInputStream tar, String path) {
      this.tar = tar;
      this.path = path;
    }

    @Override
    public int read() throws IOException {
      var one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] into, int from, int length) throws IOException {
      try {
        return tar.read(into, from, length);
      } catch (BadUpload | EOFException | ZipException e) {
        throw e;
      } catch (IOException e) {
        throw new BadUpload(Check.message("entry", path, "all of its bytes; " + e.getMessage()));
      }
    }
  }
}
