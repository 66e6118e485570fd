package dev.holdfast.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code holdfast backup}: the file appears under its name only when it is whole and on disk. It
 * holds the platform's secrets, so only its owner may read it.
 */
@Command(name = "backup", description = "Write the whole installation into one file.")
final class Backup extends Verb {
  private static final int TAR_BLOCK = 512;

  @Parameters(paramLabel = "FILE", description = "Such as holdfast.tar; it must not exist yet.")
  String file = "";

  @Option(names = "--force", description = "Replace the file, and an unfinished one beside it.")
  boolean force;

  Backup(Options options) {
    super(options);
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var to = options.shell().folder().resolve(file);
    var part = to.resolveSibling(to.getFileName() + ".part");
    if (Files.exists(to) && !force) {
      throw new Refused(Text.oneLine(file) + " exists. To replace it, add: --force");
    }
    var what = "Backing up to " + Text.oneLine(file);
    screen.action(
        what,
        () -> {
          long bytes = fetch(screen, api, what, to, part);
          screen.json(Json.object().put("file", to.toString()).put("bytes", bytes));
          return "done, " + Text.size(bytes);
        });
  }

  private long fetch(Screen screen, Api api, String what, Path to, Path part)
      throws InterruptedException {
    boolean ours = false;
    try (var in = api.stream("POST", "/v1/backup")) {
      if (force) {
        Files.deleteIfExists(part);
      }
      long bytes;
      try (var out =
          FileChannel.open(
              part,
              Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
              ownerOnly(part))) {
        ours = true;
        bytes = copy(screen, what, in, out);
        out.force(true);
      }
      if (force) {
        Files.move(part, to, StandardCopyOption.ATOMIC_MOVE);
      } else {
        Files.move(part, to);
      }
      ours = false;
      syncFolder(to);
      return bytes;
    } catch (FileAlreadyExistsException e) {
      throw new Refused(
          Text.oneLine(e.getFile())
              + " exists: another backup writes it, or one broke off. To replace it, add: --force");
    } catch (IOException e) {
      throw new Refused("The backup broke off: " + Text.oneLine(e.toString()));
    } finally {
      if (ours) {
        delete(part);
      }
    }
  }

  private static long copy(Screen screen, String what, InputStream in, FileChannel out)
      throws IOException {
    var buffer = new byte[256 << 10];
    long bytes = 0;
    boolean zeroEnd = false;
    for (int n; (n = in.readNBytes(buffer, 0, buffer.length)) > 0; ) {
      for (var left = ByteBuffer.wrap(buffer, 0, n); left.hasRemaining(); ) {
        out.write(left);
      }
      bytes += n;
      zeroEnd = endsInZeroBlock(buffer, n);
      screen.progress(what, Text.size(bytes));
    }
    // A tar ends in zero blocks: without them the platform ended before the backup did.
    if (bytes % TAR_BLOCK != 0 || !zeroEnd) {
      throw new IOException("it ends after " + bytes + " bytes without a tar's end");
    }
    return bytes;
  }

  private static boolean endsInZeroBlock(byte[] buffer, int length) {
    for (int i = Math.max(0, length - TAR_BLOCK); i < length; i++) {
      if (buffer[i] != 0) {
        return false;
      }
    }
    return true;
  }

  private static FileAttribute<?>[] ownerOnly(Path file) {
    boolean posix = file.getFileSystem().supportedFileAttributeViews().contains("posix");
    return posix
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
        }
        : new FileAttribute<?>[0];
  }

  private static void syncFolder(Path file) throws IOException {
    var folder = file.toAbsolutePath().getParent();
    if (folder != null) {
      try (var channel = FileChannel.open(folder, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }

  private static void delete(Path part) {
    try {
      Files.deleteIfExists(part);
    } catch (IOException e) {
      // What is left is named .part and holds no finished backup.
    }
  }
}
