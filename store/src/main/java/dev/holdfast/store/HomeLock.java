package dev.holdfast.store;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import dev.holdfast.ledger.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The exclusive right to a home directory, so that no two processes write one ledger. What counts
 * is the operating system's lock on the file, not that the file exists: it falls with the process,
 * however that dies. Thread-safe.
 */
public final class HomeLock implements AutoCloseable {
  /** The file that is locked; it holds the process id of its owner and is never deleted. */
  public static final String FILE = "holdfast.lock";

  // POSIX drops a process's lock when it closes any channel on the file, so within this process
  // a second attempt must not even open it.
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();
  private static final long LOCKED_BYTE = Long.MAX_VALUE - 1; // leaves the process id readable
  private static final int PID_BYTES_MAX = 20;

  private final Path home;
  private final FileChannel channel;
  private final AtomicBoolean closed = new AtomicBoolean();

  private HomeLock(Path home, FileChannel channel) {
    this.home = home;
    this.channel = channel;
  }

  /**
   * Takes the lock; the directory is made when it does not exist.
   *
   * @throws StoreException naming the process that has it, or why the file cannot be locked
   */
  public static HomeLock acquire(Path home) throws StoreException {
    Path real;
    try {
      Files.createDirectories(home);
      real = home.toRealPath();
    } catch (IOException e) {
      throw new StoreException("home " + home + " cannot be used: " + e, e);
    }
    if (!HELD.add(real)) {
      throw taken(real, String.valueOf(ProcessHandle.current().pid()));
    }
    @Nullable HomeLock lock = null;
    try {
      lock = lock(real);
      return lock;
    } finally {
      if (lock == null) {
        HELD.remove(real);
      }
    }
  }

  /** Gives the home back. Idempotent. */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    try (channel) {
      channel.truncate(0);
    } catch (IOException e) {
      // the lock falls with the channel, which is what matters
    } finally {
      HELD.remove(home);
    }
  }

  @SuppressWarnings("MustBeClosedChecker")
  private static HomeLock lock(Path home) throws StoreException {
    var file = home.resolve(FILE);
    try {
      var channel = FileChannel.open(file, CREATE, READ, WRITE);
      try {
        @Nullable FileLock lock = channel.tryLock(LOCKED_BYTE, 1, false);
        if (lock == null) {
          var pid = pid(channel);
          channel.close();
          throw taken(home, pid);
        }
        var pid = ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(US_ASCII));
        channel.truncate(0);
        channel.write(pid, 0);
        return new HomeLock(home, channel);
      } catch (IOException | OverlappingFileLockException e) {
        channel.close();
        throw e;
      }
    } catch (IOException | OverlappingFileLockException e) {
      throw new StoreException(file + " cannot be locked: " + e, e);
    }
  }

  private static String pid(FileChannel channel) throws IOException {
    var bytes = ByteBuffer.allocate(PID_BYTES_MAX);
    channel.read(bytes, 0);
    var pid = new String(bytes.array(), 0, bytes.position(), US_ASCII).strip();
    return pid.isEmpty() ? "unknown" : pid;
  }

  private static StoreException taken(Path home, String pid) {
    return new StoreException(
        "Holdfast is already running (pid "
            + pid
            + ") on "
            + home
            + "; stop it or choose another --home");
  }
}
