package dev.holdfast.server;

import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Time;
import dev.holdfast.store.KeptStore;
import dev.holdfast.store.SqliteStore;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.json.JsonMapper;

/**
 * Copies a running installation into one tar file, and makes a home directory from such a file.
 *
 * <p>The ledger is copied as of one moment while writing goes on; artifacts never change, so that
 * those that the copy refers to are there. The first member, {@code manifest.json}, names every
 * other with its length and SHA-256; a restore checks them all before it says that it is done. The
 * file holds secrets: config vars and the home's API token. Thread-safe; one backup at a time.
 */
final class Backup {
  private static final String MANIFEST = "manifest.json";
  private static final String ARTIFACTS = "artifacts/";
  private static final int MANIFEST_BYTES_MAX = 64 << 20;

  /** As the API's, but for a document that names every artifact of a thousand apps. */
  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxDocumentLength(MANIFEST_BYTES_MAX).build())
                  .build())
          .build();

  private static final int BUFFER_BYTES = 1 << 16;
  private static final Pattern ARTIFACT = Pattern.compile("artifacts/[0-9a-f]{64}[a-z.]*");
  private static final Duration RETRY_AFTER = Duration.ofSeconds(10);

  private final Home home;
  private final KeptStore store;
  private final Time time;
  private final ReentrantLock one = new ReentrantLock();

  /** What a backup holds. */
  record Manifest(int format, Instant createdAt, long head, List<Member> members) {
    Manifest {
      members = List.copyOf(Objects.requireNonNull(members, "members"));
    }
  }

  /** A file in a backup. */
  record Member(String name, long bytes, String sha256) {
    Member {
      Objects.requireNonNull(name, "name");
      Objects.requireNonNull(sha256, "sha256");
    }
  }

  /** Opens the stream to write to, once everything that can be refused was. */
  interface Target {
    OutputStream open() throws IOException;
  }

  Backup(Home home, KeptStore store, Time time) {
    this.home = home;
    this.store = store;
    this.time = time;
  }

  void write(Target target) throws IOException {
    if (!one.tryLock()) {
      throw Problem.of(new Refusal.Unavailable("another backup is being written", RETRY_AFTER));
    }
    var copy = home.directory().resolve("backup.db.tmp");
    try {
      Files.deleteIfExists(copy);
      store.backup(copy);
      var report = SqliteStore.check(copy);
      if (!report.problems().isEmpty()) {
        throw new StoreException("the copy is not sound: " + report.problems().getFirst());
      }
      write(copy, report.head(), target);
    } catch (StoreException e) {
      throw Problem.of(
          new Refusal.Unavailable("the ledger was not copied: " + e.getMessage(), RETRY_AFTER));
    } finally {
      Files.deleteIfExists(copy);
      one.unlock();
    }
  }

  private void write(Path copy, long head, Target target) throws IOException {
    var files = new TreeMap<String, Path>();
    files.put(SqliteStore.FILE, copy);
    if (Files.exists(home.directory().resolve("token"))) {
      files.put("token", home.directory().resolve("token"));
    }
    if (Files.isDirectory(home.artifacts())) {
      try (var stored = Files.list(home.artifacts())) {
        stored
            .filter(file -> ARTIFACT.matcher(ARTIFACTS + file.getFileName()).matches())
            .forEach(file -> files.put(ARTIFACTS + file.getFileName(), file));
      }
    }
    var members = new ArrayList<Member>();
    for (var file : files.entrySet()) {
      members.add(new Member(file.getKey(), Files.size(file.getValue()), sha256(file.getValue())));
    }
    var manifest = Json.bytes(new Manifest(1, time.now(), head, members));
    try (var tar = new TarArchiveOutputStream(new BufferedOutputStream(target.open()))) {
      tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
      var first = new TarArchiveEntry(MANIFEST);
      first.setSize(manifest.length);
      tar.putArchiveEntry(first);
      tar.write(manifest);
      tar.closeArchiveEntry();
      for (var member : members) {
        var entry = new TarArchiveEntry(member.name());
        entry.setSize(member.bytes());
        entry.setMode(0600);
        tar.putArchiveEntry(entry);
        Files.copy(files.get(member.name()), tar);
        tar.closeArchiveEntry();
      }
      tar.finish();
    }
  }

  /**
   * Makes a home directory from a backup.
   *
   * @return position of the restored ledger's head
   * @throws IOException when the file is no whole backup, or the directory is not empty; what was
   *     written by then is removed
   */
  static long restore(Path file, Path directory) throws IOException {
    Check.that(Files.isReadable(file), "backup", file, "a file that can be read");
    if (Files.exists(directory)) {
      Check.that(
          Files.isDirectory(directory), "home", directory, "an empty directory, or none at all");
      try (var inside = Files.list(directory)) {
        Check.that(
            inside.findAny().isEmpty(), "home", directory, "an empty directory, or none at all");
      }
    }
    var parent = directory.toAbsolutePath().normalize().getParent();
    Check.that(parent != null, "home", directory, "a directory below another");
    Files.createDirectories(parent);
    var fresh = Files.createTempDirectory(parent, ".holdfast-restore-");
    try {
      long head = unpack(file, fresh);
      Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rwx------"));
      Files.deleteIfExists(directory);
      Files.move(fresh, directory);
      return head;
    } catch (IOException | RuntimeException e) {
      delete(fresh);
      throw e;
    }
  }

  private static long unpack(Path file, Path fresh) throws IOException {
    try (var tar =
        new TarArchiveInputStream(
            new BufferedInputStream(Files.newInputStream(file), BUFFER_BYTES))) {
      var first = tar.getNextEntry();
      Check.that(
          first != null && first.getName().equals(MANIFEST), "backup", file, "a Holdfast backup");
      var manifest = MAPPER.readValue(tar.readNBytes(MANIFEST_BYTES_MAX), Manifest.class);
      Check.that(manifest.format() == 1, "format of " + file, manifest.format(), "1");
      Files.createDirectories(fresh.resolve(ARTIFACTS));
      for (var member : manifest.members()) {
        var entry = tar.getNextEntry();
        Check.that(
            entry != null
                && entry.getName().equals(member.name())
                && entry.getSize() == member.bytes()
                && known(member.name()),
            "member of " + file,
            entry == null ? "none" : entry.getName(),
            member.name() + " of " + member.bytes() + " bytes");
        copy(tar, fresh.resolve(member.name()), member);
      }
      var report = SqliteStore.check(fresh.resolve(SqliteStore.FILE));
      Check.that(
          report.problems().isEmpty() && report.head() == manifest.head(),
          "ledger in " + file,
          report.head() + " " + report.problems(),
          "sound, with its head at " + manifest.head());
      SqliteStore.renewId(fresh.resolve(SqliteStore.FILE));
      return report.head();
    } catch (JacksonException e) {
      throw new IOException(
          Check.message("manifest of " + file, "unreadable", "the one of a Holdfast backup"), e);
    } catch (StoreException e) {
      throw new IOException(String.valueOf(e.getMessage()), e);
    } catch (IOException e) {
      throw new IOException(Check.message("backup", file, "a whole one; " + e.getMessage()), e);
    }
  }

  private static boolean known(String name) {
    return name.equals(SqliteStore.FILE)
        || name.equals("token")
        || ARTIFACT.matcher(name).matches();
  }

  private static void copy(InputStream tar, Path to, Member member) throws IOException {
    var mode = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    Files.createFile(to, mode);
    var digest = sha256();
    try (var out =
        new DigestOutputStream(Files.newOutputStream(to, StandardOpenOption.WRITE), digest)) {
      tar.transferTo(out);
    }
    var actual = HexFormat.of().formatHex(digest.digest());
    Check.that(
        actual.equals(member.sha256()), "SHA-256 of " + member.name(), actual, member.sha256());
  }

  private static String sha256(Path file) throws IOException {
    var digest = sha256();
    try (var out = new DigestOutputStream(OutputStream.nullOutputStream(), digest)) {
      Files.copy(file, out);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void delete(Path directory) throws IOException {
    try (var all = Files.walk(directory)) {
      for (var path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
