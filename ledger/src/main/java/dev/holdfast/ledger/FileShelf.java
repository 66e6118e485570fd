package dev.holdfast.ledger;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * A shelf in a folder of its own. A generation is a base, {@code base-N}: all live entries as of
 * one position; what came later stands in logs, {@code log-N}, to which every round adds what it
 * applied. When the logs have grown, base and logs are thinned out into the next base on a thread
 * of their own, at a bounded rate. A base is written under another name, flushed, renamed, and the
 * folder flushed; the one before it and the logs behind that are kept.
 *
 * <p>A log is not flushed: what a loss of power takes from its end is read from the ledger again. A
 * {@code kill} loses nothing that was appended. Confined to the follower's thread, apart from the
 * thinning, with which it shares what is guarded by the lock.
 */
final class FileShelf implements Shelf {
  private static final long LOG_BYTES_MIN = 4L << 20;
  private static final long LOG_BYTES_MAX = 16L << 20;
  private static final String BASE = "base-";
  private static final String LOG = "log-";
  private static final String PART = ".part";
  private static final String DAMAGED = ".damaged";

  private final Path folder;
  private final long bytesPerSecond;
  private final Time time;
  private final ReentrantLock lock = new ReentrantLock();
  private final TreeMap<Long, Long> bases = new TreeMap<>(); // generation: its first log
  private long nextBase = 1;
  private long nextLog = 1;
  private long baseBytes;
  private long logsBytes; // of the logs before the open one that belong to the newest base
  private FrameFile.@Nullable Out log;
  private @Nullable FileDraft open;
  private @Nullable Thread background;
  private boolean broken = true; // until there is something that can be continued
  private volatile @Nullable String trouble;
  private volatile boolean closed;

  FileShelf(Path folder, long bytesPerSecond, Time time) {
    this.folder = folder;
    this.bytesPerSecond = bytesPerSecond;
    this.time = time;
  }

  // ---- reading

  @Override
  public @Nullable Mark load(LongFunction<Consumer<Frame>> attempt) {
    try {
      prepare();
      var found = numbered(BASE);
      for (long number : found.descendingMap().keySet()) {
        var base = folder.resolve(BASE + number);
        var reading = new Reading(attempt.apply(FrameFile.frames(base)));
        if (reading.base(base)) {
          var mark = reading.logs(numbered(LOG));
          resume(number, reading, mark);
          return mark;
        }
        setAside(number);
      }
    } catch (IOException e) {
      fail("cannot be read", e);
    }
    return null;
  }

  /** Goes on behind what was read; only the first time, a later look changes nothing. */
  private void resume(long number, Reading reading, Mark mark) throws IOException {
    if (log != null) {
      return;
    }
    lock.lock();
    try {
      bases.put(number, reading.firstLog);
      var before = numbered(BASE).lowerKey(number);
      if (before != null) {
        bases.put(before, 0L); // where its logs begin stands at its end: all of them are kept
      }
    } finally {
      lock.unlock();
    }
    baseBytes = Files.size(folder.resolve(BASE + number));
    logsBytes = reading.logBytes;
    log = new FrameFile.Out(folder.resolve(LOG + nextLog), mark.position());
    nextLog++;
    broken = false;
  }

  private static final class Reading {
    private final Consumer<Frame> each;
    private long position;
    private long asOfMillis;
    private long frames;
    private long firstLog = -1;
    private long logBytes;

    Reading(Consumer<Frame> each) {
      this.each = each;
    }

    boolean base(Path file) throws IOException {
      return FrameFile.read(
              file,
              (type, flags, at, word, envelope) -> {
                if (type == FrameFile.END && at == frames) {
                  firstLog = word;
                  return false;
                }
                take(type, flags, at, word, envelope, 0);
                return true;
              })
          && firstLog >= 0;
    }

    Mark logs(NavigableMap<Long, Path> logs) throws IOException {
      for (var file : logs.tailMap(firstLog, true).values()) {
        long start = FrameFile.start(file);
        if (start < 0 || start > position) {
          break; // the one before it lost its end
        }
        long known = position;
        logBytes += Files.size(file);
        var _ =
            FrameFile.read(
                file,
                (type, flags, at, word, envelope) -> {
                  take(type, flags, at, word, envelope, known);
                  return true;
                });
      }
      return new Mark(position, asOfMillis);
    }

    private void take(int type, int flags, long at, long word, byte[] envelope, long known) {
      frames++;
      if (type == FrameFile.MARK) {
        asOfMillis = word;
      } else if (at > known) {
        each.accept(FrameFile.entry(flags, at, word, envelope));
      }
      position = Math.max(position, at);
    }
  }

  private void prepare() throws IOException {
    if (!Files.isDirectory(folder)) {
      Files.createDirectories(
          folder,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
    if (log == null && open == null) {
      try (var all = Files.list(folder)) {
        for (var file : all.filter(f -> f.toString().endsWith(PART)).toList()) {
          Files.deleteIfExists(file);
        }
      }
    }
    nextBase = Math.max(nextBase, last(BASE) + 1);
    nextLog = Math.max(nextLog, last(LOG) + 1);
  }

  private long last(String prefix) throws IOException {
    var files = numbered(prefix);
    return files.isEmpty() ? 0 : files.lastKey();
  }

  private NavigableMap<Long, Path> numbered(String prefix) throws IOException {
    var files = new TreeMap<Long, Path>();
    try (var all = Files.list(folder)) {
      for (var file : all.toList()) {
        var name = file.getFileName().toString();
        if (name.startsWith(prefix)
            && name.length() <= prefix.length() + 18
            && name.substring(prefix.length()).matches("[1-9][0-9]*")) {
          files.put(Long.parseLong(name.substring(prefix.length())), file);
        }
      }
    }
    return files;
  }

  private void setAside(long number) throws IOException {
    var file = folder.resolve(BASE + number);
    Files.move(file, folder.resolve(BASE + number + DAMAGED), StandardCopyOption.REPLACE_EXISTING);
    trouble = file + " is damaged and was set aside; the generation before it is used";
  }

  // ---- adding

  @Override
  public void append(List<Frame> frames, Mark mark) {
    var out = log;
    if (out == null || broken) {
      return;
    }
    try {
      for (var frame : frames) {
        out.entry(frame);
      }
      out.mark(mark);
      out.flush();
      if (logsBytes + out.bytes() > Math.clamp(baseBytes / 4, LOG_BYTES_MIN, LOG_BYTES_MAX)) {
        thin(mark);
      }
    } catch (IOException e) {
      broken = true; // a log with a hole must not be continued
      fail("cannot be written", e);
    }
  }

  @Override
  public boolean wantsDraft() {
    return broken;
  }

  @Override
  public @Nullable String trouble() {
    return trouble;
  }

  private void fail(String what, IOException e) {
    trouble = folder + " " + what + ": " + e;
  }

  private void rotate(long position) throws IOException {
    var before = log;
    log = new FrameFile.Out(folder.resolve(LOG + nextLog), position);
    log.flush();
    nextLog++;
    if (before != null) {
      before.close();
    }
  }

  // ---- a new generation from what is there

  private void thin(Mark mark) throws IOException {
    if (open != null || busy()) {
      return;
    }
    var newest = newest();
    if (newest == null) {
      return;
    }
    long firstLog = nextLog;
    var logs = numbered(LOG).subMap(newest.getValue(), true, firstLog, false).values();
    var base = folder.resolve(BASE + newest.getKey());
    var files = List.copyOf(logs);
    rotate(mark.position());
    logsBytes = 0;
    long number = nextBase++;
    var part = folder.resolve(BASE + number + PART);
    background(() -> {
      var thinning = new Thinning(base, files, part, bytesPerSecond, time, () -> closed);
      if (thinning.run(firstLog)) {
        install(part, number, firstLog);
      }
    });
  }

  private Map.@Nullable Entry<Long, Long> newest() {
    lock.lock();
    try {
      return bases.lastEntry();
    } finally {
      lock.unlock();
    }
  }

  private boolean busy() {
    var thread = background;
    return thread != null && thread.isAlive();
  }

  private interface Work {
    void run() throws IOException, InterruptedException;
  }

  private void background(Work work) {
    background =
        Thread.ofVirtual()
            .name("shelf")
            .start(() -> {
              try {
                work.run();
              } catch (IOException e) {
                fail("cannot be written", e);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
  }

  /** Makes a base that is on disk the newest, and lets go of all but the one before it. */
  private void install(Path part, long number, long firstLog) throws IOException {
    lock.lock();
    try {
      var before = bases.lastEntry();
      if (closed || (before != null && before.getKey() > number)) {
        Files.deleteIfExists(part);
        return;
      }
      Files.move(part, folder.resolve(BASE + number), StandardCopyOption.ATOMIC_MOVE);
      sync(folder);
      bases.put(number, firstLog);
      trouble = null;
      while (bases.size() > 2) {
        var old = bases.pollFirstEntry();
        Files.deleteIfExists(folder.resolve(BASE + old.getKey()));
        Files.deleteIfExists(folder.resolve(BASE + old.getKey() + DAMAGED));
      }
      for (var file : numbered(LOG).headMap(bases.firstEntry().getValue(), false).values()) {
        Files.deleteIfExists(file);
      }
    } finally {
      lock.unlock();
    }
  }

  private static void sync(Path folder) throws IOException {
    try (var channel = FileChannel.open(folder)) {
      channel.force(true);
    }
  }

  // ---- a new generation from elsewhere

  @Override
  public Draft draft() {
    var before = open;
    if (before != null) {
      before.drop();
    }
    var draft = new FileDraft();
    open = draft;
    return draft;
  }

  private final class FileDraft implements Draft {
    private final long number;
    private final Path part;
    private FrameFile.@Nullable Out out;

    FileDraft() {
      long next = nextBase;
      try {
        prepare();
        next = nextBase;
        nextBase++;
        out = new FrameFile.Out(folder.resolve(BASE + next + PART), 0);
      } catch (IOException e) {
        fail("cannot be written", e);
      }
      number = next;
      part = folder.resolve(BASE + number + PART);
    }

    @Override
    public void add(Frame frame) {
      var file = out;
      if (file == null) {
        return;
      }
      try {
        file.entry(frame);
      } catch (IOException e) {
        fail("cannot be written", e);
        drop();
      }
    }

    @Override
    public void finish(Mark mark) {
      var file = out;
      if (file == null) {
        return;
      }
      try {
        long firstLog = nextLog;
        file.mark(mark);
        file.end(firstLog);
        file.flush();
        rotate(mark.position());
        baseBytes = file.bytes();
        logsBytes = 0;
        broken = false;
        var busy = background;
        background(() -> {
          if (busy != null) {
            busy.join();
          }
          file.force();
          file.close();
          install(part, number, firstLog);
        });
        out = null;
        open = null;
      } catch (IOException e) {
        fail("cannot be written", e);
        drop();
      }
    }

    @Override
    public void drop() {
      var file = out;
      out = null;
      open = open == this ? null : open;
      if (file != null) {
        try {
          file.close();
          Files.deleteIfExists(part);
        } catch (IOException e) {
          fail("cannot be written", e);
        }
      }
    }
  }

  /** What was appended is with the system already; a base that is being written may still come. */
  @Override
  public void close() {
    var draft = open;
    if (draft != null) {
      draft.drop();
    }
    closed = busy() && !finishesSoon();
    var out = log;
    if (out != null) {
      try {
        out.close();
      } catch (IOException e) {
        fail("cannot be closed", e);
      }
    }
  }

  private boolean finishesSoon() {
    var thread = background;
    try {
      return thread == null || thread.join(Duration.ofSeconds(2));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
