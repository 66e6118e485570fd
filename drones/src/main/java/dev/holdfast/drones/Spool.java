package dev.holdfast.drones;

import dev.holdfast.drones.Stored.Mark;
import dev.holdfast.limits.Time;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The output of one run as its pump leaves it, numbered chunks in a directory, read line by line
 * from wherever the last reader stopped. Confined to one thread.
 *
 * <p>The pump makes chunk n + 1 only when chunk n is complete, and {@code closed} only at the end;
 * so a chunk is read out when its end was reached <em>after</em> a later chunk or {@code closed}
 * was seen. A chunk that the pump deleted before it was read is a gap, and said to be one.
 */
final class Spool implements AutoCloseable {
  private static final String CLOSED = "closed";

  private final Path directory;
  private final String runId;
  private final String process;
  private final int lineBytesMax;
  private final Time time;
  private final ByteArrayOutputStream pending = new ByteArrayOutputStream();
  private final ByteBuffer buffer = ByteBuffer.allocate(64 * 1024);
  private Mark stored;
  private long chunk;
  private long offset;
  private long cut;
  private boolean complete;
  private boolean ended;
  private boolean more;
  private @Nullable FileChannel channel;

  /** Begins behind {@code from}, or with the first chunk when it is null. */
  Spool(
      Path directory,
      String runId,
      String process,
      @Nullable Mark from,
      int lineBytesMax,
      Time time) {
    this.directory = directory;
    this.runId = runId;
    this.process = process;
    this.lineBytesMax = lineBytesMax;
    this.time = time;
    stored = from != null ? from : new Mark(runId, 1, 0);
    rewind();
  }

  /** Goes back to what is stored, because what was read since could not be. */
  void rewind() {
    close();
    chunk = stored.chunk();
    offset = stored.offset();
    pending.reset();
    cut = 0;
    complete = false;
    ended = false;
  }

  /** What was read so far is on disk. */
  void stored(List<Stored> lines) {
    for (var line : lines) {
      if (line.mark() != null) {
        stored = line.mark();
      }
    }
  }

  /** Whether the pump closed the spool and everything was read. */
  boolean ended() {
    return ended;
  }

  /**
   * Reads the lines in about {@code bytesMax} bytes; fewer when there are no more now.
   *
   * @param last whether to take an end for the end, because nobody writes any more
   */
  List<Stored> read(int bytesMax, boolean last) throws IOException {
    var lines = new ArrayList<Stored>();
    int left = bytesMax;
    while (left > 0 && !ended) {
      if (channel == null && !open(lines)) {
        if (last || Files.exists(directory.resolve(CLOSED))) {
          finish(lines);
        }
        break;
      }
      int count = fill();
      if (count > 0) {
        left -= count;
        split(lines);
      } else if (complete) {
        close();
        chunk++;
        offset = 0;
        complete = false;
      } else {
        complete = last || Files.exists(directory.resolve(CLOSED)) || first(chunk + 1) > 0;
        if (!complete) {
          break;
        }
      }
    }
    more = left <= 0;
    return lines;
  }

  /** Whether the last reading stopped at its bound, not at the end. */
  boolean more() {
    return more;
  }

  private int fill() throws IOException {
    buffer.clear();
    return channel == null ? -1 : channel.read(buffer, offset);
  }

  /** Opens the chunk whose turn it is, or the first one after it; false when there is none. */
  private boolean open(List<Stored> lines) throws IOException {
    long next = first(chunk);
    if (next < 0) {
      return false;
    }
    if (next > chunk) {
      flush(lines);
      long lost = next - chunk;
      chunk = next;
      offset = 0;
      var text =
          "L10 (drain buffer overflow): output lost, %d files of up to 4 MiB".formatted(lost);
      lines.add(line(LogLine.HOLDFAST, text));
    }
    try {
      channel =
          FileChannel.open(directory.resolve("%08d".formatted(chunk)), StandardOpenOption.READ);
      return true;
    } catch (NoSuchFileException e) {
      return false; // deleted in between: the next look finds the gap
    }
  }

  /** The lowest chunk from that number on, or -1. */
  private long first(long from) throws IOException {
    long lowest = -1;
    try (var chunks = Files.newDirectoryStream(directory, "[0-9]*")) {
      for (var file : chunks) {
        long number = Long.parseLong(file.getFileName().toString());
        if (number >= from && (lowest < 0 || number < lowest)) {
          lowest = number;
        }
      }
    } catch (NoSuchFileException e) {
      return -1;
    }
    return lowest;
  }

  private void split(List<Stored> lines) {
    buffer.flip();
    while (buffer.hasRemaining()) {
      byte b = buffer.get();
      offset++;
      if (b == '\n') {
        emit(lines);
      } else if (pending.size() < lineBytesMax) {
        pending.write(b);
      } else {
        cut++;
      }
    }
  }

  private void finish(List<Stored> lines) {
    flush(lines);
    ended = true;
  }

  /** A line that has no end, because its writer ended first. */
  private void flush(List<Stored> lines) {
    if (pending.size() > 0) {
      emit(lines);
    }
  }

  private void emit(List<Stored> lines) {
    var bytes = pending.toByteArray();
    int length =
        bytes.length > 0 && bytes[bytes.length - 1] == '\r' ? bytes.length - 1 : bytes.length;
    lines.add(line(LogLine.APP, Stored.harmless(bytes, length, lineBytesMax, cut)));
    pending.reset();
    cut = 0;
  }

  private Stored line(String source, String text) {
    return new Stored(
        new LogLine(time.now(), source, process, text), new Mark(runId, chunk, offset));
  }

  @Override
  public void close() {
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        // It was only read.
      }
      channel = null;
    }
  }
}
