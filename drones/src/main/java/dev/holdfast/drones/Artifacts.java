package dev.holdfast.drones;

import dev.holdfast.limits.Check;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.jspecify.annotations.Nullable;

/**
 * The uploads of a machine, each stored once under the SHA-256 of its bytes. What is in here passed
 * every check, is complete and is on disk. Thread-safe.
 */
public final class Artifacts {
  private static final Logger LOG = Logger.getLogger(Artifacts.class.getName());
  private static final String SUFFIX = ".tar.gz";
  private static final String PART = ".part";
  private static final int BUFFER_BYTES = 64 * 1024;
  private static final Duration RETRY_AFTER = Duration.ofSeconds(30);

  /** Opens the file an upload is first written to; tests put a full disk here. */
  interface Disk {
    OutputStream open(Path part) throws IOException;
  }

  private final Path directory;
  private final ArtifactLimits limits;
  private final Time time;
  private final Disk disk;
  private final AtomicLong parts = new AtomicLong();
  private final ReentrantLock collecting = new ReentrantLock();

  /**
   * The store in that directory, which is made when it is missing; what an earlier life left half
   * written is removed.
   *
   * @throws UncheckedIOException when the directory cannot be used
   */
  public Artifacts(Path directory, ArtifactLimits limits, Time time) {
    this(
        directory,
        limits,
        time,
        part ->
            Files.newOutputStream(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
  }

  Artifacts(Path directory, ArtifactLimits limits, Time time, Disk disk) {
    this.directory = directory.toAbsolutePath();
    this.limits = limits;
    this.time = time;
    this.disk = disk;
    try {
      Files.createDirectories(this.directory);
      try (var stale = Files.newDirectoryStream(this.directory, "*" + PART)) {
        for (var part : stale) {
          Files.deleteIfExists(part);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("artifacts in " + directory, e);
    }
  }

  /**
   * Stores an upload: a tar.gz with a Procfile. When this answers {@code Done} it is on disk; a
   * refusal leaves nothing behind.
   *
   * @param body the bytes; read to its end or to the first broken rule, never closed
   */
  public Outcome<Artifact> put(InputStream body) {
    var part = directory.resolve("upload-" + parts.incrementAndGet() + PART);
    try {
      var received = receive(body, part);
      return switch (received) {
        case Outcome.Refused<Received>(var refusal) -> Outcome.refused(refusal);
        case Outcome.Done<Received>(var upload) -> {
          var procfile = scan(part, upload.bytes());
          keep(part, upload.sha256());
          yield Outcome.done(new Artifact(upload.sha256(), upload.bytes(), procfile));
        }
      };
    } catch (BadUpload e) {
      return Outcome.refused(new Refusal.Invalid("" + e.getMessage()));
    } catch (IOException e) {
      return Outcome.refused(
          new Refusal.Unavailable(
              Check.message("upload", "" + e, "a disk with room for it"), RETRY_AFTER));
    } finally {
      discard(part);
    }
  }

  /** Bytes that arrived. */
  private record Received(String sha256, long bytes) {}

  private Outcome<Received> receive(InputStream body, Path part) throws IOException {
    var digest = sha256();
    var buffer = new byte[BUFFER_BYTES];
    long bytes = 0;
    try (var out = disk.open(part)) {
      while (true) {
        int count;
        try {
          count = body.read(buffer);
        } catch (IOException e) {
          return invalid("upload", "broke off after " + bytes + " bytes", "all of it");
        }
        if (count < 0) {
          break;
        }
        bytes += count;
        if (bytes > limits.packedBytesMax()) {
          return invalid(
              "upload", "more than " + limits.packedBytesMax() + " bytes", "at most that many");
        }
        digest.update(buffer, 0, count);
        out.write(buffer, 0, count);
      }
    }
    if (bytes == 0) {
      return invalid("upload", "no bytes", "a tar.gz");
    }
    return Outcome.done(new Received(HexFormat.of().formatHex(digest.digest()), bytes));
  }

  private static <T> Outcome<T> invalid(String name, String value, String expected) {
    return Outcome.refused(new Refusal.Invalid(Check.message(name, value, expected)));
  }

  private Procfile scan(Path part, long bytes) throws IOException {
    var scan = new Scan();
    try (var in = Files.newInputStream(part)) {
      Upload.read(in, bytes, limits, scan);
    }
    if (scan.procfile == null) {
      throw new BadUpload("upload: no Procfile (expected: a file of that name at the top)");
    }
    return scan.procfile;
  }

  /** Makes the file durable under its name; the directory entry too. */
  private void keep(Path part, String sha256) throws IOException {
    collecting.lock();
    try {
      try (var channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
        channel.force(true);
      }
      Files.setLastModifiedTime(part, FileTime.from(time.now()));
      Files.move(
          part, file(sha256), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      try (var channel = FileChannel.open(directory, StandardOpenOption.READ)) {
        channel.force(true);
      }
    } finally {
      collecting.unlock();
    }
  }

  private static void discard(Path part) {
    try {
      Files.deleteIfExists(part);
    } catch (IOException e) {
      // The next start removes it.
    }
  }

  /** Where the artifact is or would be. */
  public Path file(String sha256) {
    return directory.resolve(Artifact.checkSha(sha256) + SUFFIX);
  }

  /** Whether the artifact is here. */
  public boolean has(String sha256) {
    return Files.isRegularFile(file(sha256), LinkOption.NOFOLLOW_LINKS);
  }

  /**
   * Unpacks the artifact into a directory that is empty or does not exist. Every rule is checked
   * again while writing, and so is the digest. Directories get mode 0755, files 0755 or 0644.
   *
   * @throws NoSuchFileException when the artifact is not here
   * @throws IOException when it is damaged or cannot be written; what is in {@code into} is then
   *     only good for removal
   */
  public void extract(String sha256, Path into) throws IOException {
    var file = file(sha256);
    if (!has(sha256)) {
      throw new NoSuchFileException(file.toString(), null, "no such artifact");
    }
    Files.createDirectories(into);
    try (var there = Files.newDirectoryStream(into)) {
      Check.that(!there.iterator().hasNext(), "directory to unpack into", into, "an empty one");
    }
    var digest = sha256();
    try (var in = new DigestInputStream(Files.newInputStream(file), digest)) {
      Upload.read(in, Files.size(file), limits, new Unpacking(into));
    }
    var found = HexFormat.of().formatHex(digest.digest());
    if (!found.equals(sha256)) {
      throw new IOException(Check.message("artifact on disk", found, sha256));
    }
  }

  /**
   * Removes every artifact that is neither named nor younger than the grace for new uploads, which
   * protects an upload that no release names yet.
   *
   * @throws UncheckedIOException when the directory cannot be read
   */
  public void retain(Set<String> shas) {
    collecting.lock();
    try (var all = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
      var youngest = time.now().minus(limits.keepNew());
      for (var file : all) {
        var name = file.getFileName().toString();
        boolean wanted = shas.contains(name.substring(0, name.length() - SUFFIX.length()));
        if (!wanted && !Files.getLastModifiedTime(file).toInstant().isAfter(youngest)) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("artifacts in " + directory, e);
    } finally {
      collecting.unlock();
    }
  }

  /** As {@link #retain}, on a thread of its own; what goes wrong there is tried again later. */
  void retainLater(Set<String> shas) {
    Thread.ofVirtual()
        .name("artifacts-collect")
        .start(() -> {
          try {
            retain(shas);
          } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "old uploads were not removed; tried again later", e);
          }
        });
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** Looks at everything, keeps the Procfile. */
  private static final class Scan implements Upload.Visitor {
    private static final String PROCFILE = "Procfile";
    private @Nullable Procfile procfile;

    @Override
    public void directory(String path) throws BadUpload {
      mustNotBeProcfile(path);
    }

    @Override
    public void file(String path, TarArchiveEntry entry, InputStream contents) throws IOException {
      if (!path.equals(PROCFILE)) {
        return;
      }
      var bytes = contents.readNBytes(Procfile.BYTES_MAX + 1);
      try {
        var text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        procfile = Procfile.parse(text);
      } catch (CharacterCodingException e) {
        throw new BadUpload("Procfile: not UTF-8 (expected: UTF-8)");
      } catch (IllegalArgumentException e) {
        throw new BadUpload("" + e.getMessage());
      }
    }

    @Override
    public void symbolicLink(String path, String target) throws BadUpload {
      mustNotBeProcfile(path);
    }

    @Override
    public void hardLink(String path, String target) throws BadUpload {
      mustNotBeProcfile(path);
    }

    private static void mustNotBeProcfile(String path) throws BadUpload {
      if (path.equals(PROCFILE)) {
        throw new BadUpload("Procfile: a directory or a link (expected: an ordinary file)");
      }
    }
  }

  /** Writes everything below one directory. The rules vouch that no parent is a link. */
  private static final class Unpacking implements Upload.Visitor {
    private static final long SECONDS_MAX = 253_402_300_799L; // the end of the year 9999
    private final Path root;

    Unpacking(Path root) {
      this.root = root;
    }

    /** The path below the root, its parents made. */
    private Path place(String path) throws IOException {
      var place = root.resolve(path).normalize();
      Check.that(place.startsWith(root) && !place.equals(root), "entry", path, "below " + root);
      var parent = place.getParent();
      if (parent != null && !Files.isDirectory(parent, LinkOption.NOFOLLOW_LINKS)) {
        directory(root.relativize(parent).toString());
      }
      return place;
    }

    @Override
    public void directory(String path) throws IOException {
      if (path.isEmpty()) {
        return;
      }
      var place = place(path);
      if (!Files.isDirectory(place, LinkOption.NOFOLLOW_LINKS)) {
        Files.createDirectory(place);
        Files.setPosixFilePermissions(place, PosixFilePermissions.fromString("rwxr-xr-x"));
      }
    }

    @Override
    public void file(String path, TarArchiveEntry entry, InputStream contents) throws IOException {
      var place = place(path);
      try (var out =
          Files.newOutputStream(
              place,
              StandardOpenOption.CREATE_NEW,
              StandardOpenOption.WRITE,
              LinkOption.NOFOLLOW_LINKS)) {
        contents.transferTo(out);
      }
      boolean executable = (entry.getMode() & 0100) != 0;
      Files.setPosixFilePermissions(
          place, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
      long seconds = Math.clamp(entry.getLastModifiedTime().toMillis() / 1000, 0, SECONDS_MAX);
      Files.setLastModifiedTime(place, FileTime.fromMillis(seconds * 1000));
    }

    @Override
    public void symbolicLink(String path, String target) throws IOException {
      Files.createSymbolicLink(place(path), Path.of(target));
    }

    @Override
    public void hardLink(String path, String target) throws IOException {
      Files.createLink(place(path), place(target));
    }
  }
}
