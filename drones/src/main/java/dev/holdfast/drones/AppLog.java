package dev.holdfast.drones;

import dev.holdfast.drones.Stored.Mark;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The log of one app: numbered files, each of which begins with the marks of all runs, so that
 * throwing the oldest away never loses a place. Thread-safe.
 */
final class AppLog {
  private static final String SUFFIX = ".log";

  /** Most runs whose place is remembered; beyond, the one that was silent longest is forgotten. */
  private static final int MARKS_MAX = 1024;

  private final Path directory;
  private final LogLimits limits;
  private final Time time;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<String, Mark> marks = new LinkedHashMap<>(); // guarded by lock
  private final ArrayDeque<LogFollow> followers = new ArrayDeque<>(); // guarded by lock
  private long segment; // guarded by lock
  private boolean loaded; // guarded by lock

  AppLog(Path directory, LogLimits limits, Time time) {
    this.directory = directory;
    this.limits = limits;
    this.time = time;
  }

  /** Where to go on in the spool of that run; null at its beginning. */
  @Nullable Mark mark(String runId) throws IOException {
    lock.lock();
    try {
      load();
      return marks.get(runId);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Writes the records and tells the followers.
   *
   * @throws IOException when they could not be written; then none of them was
   */
  void append(List<Stored> records) throws IOException {
    if (records.isEmpty()) {
      return;
    }
    lock.lock();
    try {
      load();
      var text = new StringBuilder();
      for (var stored : records) {
        stored.writeTo(text);
      }
      write(text);
      for (var stored : records) {
        remember(stored.mark());
        var line = stored.line();
        if (line != null) {
          followers.removeIf(follower -> !follower.offer(line));
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private void remember(@Nullable Mark mark) {
    if (mark == null) {
      return;
    }
    marks.remove(mark.run());
    marks.put(mark.run(), mark);
    if (marks.size() > MARKS_MAX) {
      marks.remove(marks.keySet().iterator().next());
    }
  }

  private void write(CharSequence text) throws IOException {
    var file = file(segment);
    if (Files.exists(file) && Files.size(file) >= limits.segmentBytesMax()) {
      rotate();
      file = file(segment);
    }
    write(file, text);
  }

  private void rotate() throws IOException {
    var head = new StringBuilder();
    marks.values().forEach(mark -> new Stored(null, mark).writeTo(head));
    write(file(segment + 1), head);
    segment++;
    for (long old : segments()) {
      if (old <= segment - limits.segmentsMax()) {
        Files.deleteIfExists(file(old));
      }
    }
  }

  /** All of it or nothing: what a full disk left half written is taken back. */
  private static void write(Path file, CharSequence text) throws IOException {
    try (var channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      long before = channel.size();
      channel.position(before);
      try {
        var bytes = ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
      } catch (IOException e) {
        channel.truncate(before);
        throw e;
      }
    }
  }

  private Path file(long number) {
    return directory.resolve("%08d".formatted(number) + SUFFIX);
  }

  /** Numbers of the files, oldest first. */
  private List<Long> segments() throws IOException {
    var numbers = new ArrayList<Long>();
    try (var files = Files.newDirectoryStream(directory, "[0-9]*" + SUFFIX)) {
      for (var file : files) {
        var name = file.getFileName().toString();
        numbers.add(Long.parseLong(name.substring(0, name.length() - SUFFIX.length())));
      }
    }
    numbers.sort(null);
    return numbers;
  }

  /** Reads the marks of an earlier life, and cuts off a record that it could not finish. */
  private void load() throws IOException {
    if (loaded) {
      return;
    }
    Files.createDirectories(directory);
    var numbers = segments();
    for (long number : numbers) {
      for (var text : lines(file(number))) {
        remember(Stored.mark(text));
      }
    }
    segment = numbers.isEmpty() ? 1 : numbers.getLast();
    if (!numbers.isEmpty()) {
      try (var channel = FileChannel.open(file(segment), StandardOpenOption.WRITE)) {
        channel.truncate(wholeBytes(Files.readAllBytes(file(segment))));
      }
    }
    loaded = true;
  }

  private static int wholeBytes(byte[] bytes) {
    int end = bytes.length;
    while (end > 0 && bytes[end - 1] != '\n') {
      end--;
    }
    return end;
  }

  /** The finished records of a file, unread. */
  private static List<String> lines(Path file) throws IOException {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      return List.of();
    }
    int whole = wholeBytes(bytes);
    if (whole == 0) {
      return List.of();
    }
    return List.of(new String(bytes, 0, whole - 1, StandardCharsets.UTF_8).split("\n", -1));
  }

  /** The newest lines, oldest first. */
  List<LogLine> last(int count) throws IOException {
    lock.lock();
    try {
      var found = new ArrayDeque<LogLine>();
      if (!Files.isDirectory(directory)) {
        return List.of();
      }
      int wanted = Math.min(count, limits.lastMax());
      for (long number : segments().reversed()) {
        for (var text : lines(file(number)).reversed()) {
          if (found.size() >= wanted) {
            return List.copyOf(found);
          }
          var stored = Stored.read(text);
          if (stored != null && stored.line() != null) {
            found.addFirst(stored.line());
          }
        }
      }
      return List.copyOf(found);
    } finally {
      lock.unlock();
    }
  }

  /** The past and then the future, without a gap or a line twice between them. */
  LogFollow follow(int past, Consumer<LogLine> reader) throws IOException {
    var follower = new LogFollow(limits.followerMax(), reader, time);
    lock.lock();
    try {
      var lines = last(past);
      while (followers.size() >= limits.followersMax()) {
        followers.removeFirst().cutOff();
      }
      followers.addLast(follower);
      follower.start(lines);
    } finally {
      lock.unlock();
    }
    return follower;
  }

  /** Deletes everything and ends the followers. */
  void forget() throws IOException {
    lock.lock();
    try {
      followers.forEach(LogFollow::close);
      followers.clear();
      marks.clear();
      loaded = false;
      if (Files.isDirectory(directory)) {
        for (long number : segments()) {
          Files.deleteIfExists(file(number));
        }
        Files.deleteIfExists(directory);
      }
    } finally {
      lock.unlock();
    }
  }
}
