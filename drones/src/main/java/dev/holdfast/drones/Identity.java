package dev.holdfast.drones;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The contents of a run's {@code pid} file: which process is the app and which is its wrapper, each
 * with its start time, and in which boot of the machine. The file appears whole and at most once,
 * so it also decides who came first: the wrapper, or a server that fences the run. Immutable.
 */
record Identity(long app, long appStart, long wrapper, long wrapperStart, String boot) {
  static final String FILE = "pid";
  private static final String FENCED = "fenced";

  /** Whether the process belongs to this boot and lives. */
  boolean appAlive() {
    return boot.equals(ProcessTable.boot()) && ProcessTable.alive(app, appStart);
  }

  /** Whether somebody is left who will write the exit status. */
  boolean wrapperAlive() {
    return boot.equals(ProcessTable.boot()) && ProcessTable.alive(wrapper, wrapperStart);
  }

  /**
   * What the run's file says; null when it says that the run is fenced.
   *
   * @throws NoSuchFileException when nothing is decided yet
   */
  static @Nullable Identity read(Path run) throws IOException {
    var text = Files.readString(run.resolve(FILE)).strip();
    if (text.equals(FENCED)) {
      return null;
    }
    var fields = text.split(" ", -1);
    try {
      return new Identity(
          Long.parseLong(fields[0]),
          Long.parseLong(fields[1]),
          Long.parseLong(fields[2]),
          Long.parseLong(fields[3]),
          fields[4]);
    } catch (RuntimeException e) {
      throw new IOException("pid file of " + run + ": " + text + " (expected: 5 fields)", e);
    }
  }

  /** Takes the place of the pid file for ever; false when the wrapper was there first. */
  static boolean fence(Path run) throws IOException {
    if (Files.exists(run.resolve(FILE))) {
      return read(run) == null; // decided long ago: nothing has to be written, also on a full disk
    }
    var whole = run.resolve("fence.tmp");
    Files.writeString(whole, FENCED + "\n");
    try {
      Files.createLink(run.resolve(FILE), whole);
      return true;
    } catch (java.nio.file.FileAlreadyExistsException e) {
      return read(run) == null;
    } finally {
      Files.deleteIfExists(whole);
    }
  }
}
