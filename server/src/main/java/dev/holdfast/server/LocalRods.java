package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.limits.Check;
import dev.holdfast.limits.Rod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * The control rods that this node has by itself, and what happened to them that the ledger does not
 * know yet. They are in a small file, so that they outlive the process. What is changed acts before
 * it is written: a disk that hangs must not keep a rod from acting. Thread-safe.
 */
final class LocalRods {
  /** Most rods that a node has by itself. */
  static final int RODS_MAX = 64;

  /** Most notes that wait for the ledger; of more the oldest are lost and counted. */
  static final int NOTES_MAX = 256;

  private static final Logger LOG = Logger.getLogger(LocalRods.class.getName());
  private static final int FILE_BYTES_MAX = 1 << 20;
  private static final long WRITE_WAIT_MILLIS = 500;

  private final Path file;
  private final ReentrantLock lock = new ReentrantLock();
  private final ReentrantLock writing = new ReentrantLock();
  private final Map<String, Rod> rods = new LinkedHashMap<>(); // guarded by lock
  private final ArrayDeque<RodNote> notes = new ArrayDeque<>(); // guarded by lock
  private long lost; // guarded by lock

  /** What stands in the file. */
  record Saved(List<Rod> rods, List<RodNote> notes) {
    Saved {
      rods = List.copyOf(rods);
      notes = List.copyOf(notes);
    }
  }

  /** What the file says; one that cannot be read is put aside and nothing is in. */
  LocalRods(Path file) {
    this.file = file;
    var saved = read(file);
    if (saved != null) {
      saved.rods().stream().limit(RODS_MAX).forEach(rod -> rods.put(rod.key(), rod));
      saved.notes().stream().limit(NOTES_MAX).forEach(notes::add);
    }
  }

  private static @Nullable Saved read(Path file) {
    try {
      if (!Files.exists(file)) {
        return null;
      }
      Check.that(
          Files.size(file) <= FILE_BYTES_MAX,
          file.toString(),
          Files.size(file) + " bytes",
          "at most " + FILE_BYTES_MAX);
      return Json.MAPPER.readValue(Files.readAllBytes(file), Saved.class);
    } catch (IOException | JacksonException | IllegalArgumentException | NullPointerException e) {
      var aside = file.resolveSibling(file.getFileName() + ".bad");
      LOG.severe(
          "local rods cannot be read, so they are not in: see " + aside + "; " + e.getMessage());
      try {
        Files.move(file, aside, StandardCopyOption.REPLACE_EXISTING);
      } catch (IOException unmoved) {
        LOG.log(Level.WARNING, file + " was not put aside", unmoved);
      }
      return null;
    }
  }

  /** All of them, expired ones included. */
  List<Rod> all() {
    lock.lock();
    try {
      return List.copyOf(rods.values());
    } finally {
      lock.unlock();
    }
  }

  /** The rod at that key, or null. */
  @Nullable Rod get(String key) {
    lock.lock();
    try {
      return rods.get(key);
    } finally {
      lock.unlock();
    }
  }

  /** Puts it in; false when there are too many already. */
  boolean put(Rod rod) {
    lock.lock();
    try {
      if (rods.size() >= RODS_MAX && !rods.containsKey(rod.key())) {
        return false;
      }
      rods.put(rod.key(), rod);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Takes that very rod out; false when it is another or none. */
  boolean remove(Rod rod) {
    lock.lock();
    try {
      return rods.remove(rod.key(), rod);
    } finally {
      lock.unlock();
    }
  }

  /** Remembers what happened until the ledger has it. */
  void note(RodNote note) {
    lock.lock();
    try {
      if (notes.size() >= NOTES_MAX) {
        notes.removeFirst();
        lost++;
      }
      notes.addLast(note);
    } finally {
      lock.unlock();
    }
  }

  /** The oldest notes that the ledger does not have. */
  List<RodNote> waiting(int max) {
    lock.lock();
    try {
      return notes.stream().limit(max).toList();
    } finally {
      lock.unlock();
    }
  }

  /** How many notes the ledger does not have, and how many it will never have. */
  long unwritten() {
    lock.lock();
    try {
      return notes.size() + lost;
    } finally {
      lock.unlock();
    }
  }

  /** The ledger has these. */
  void written(Collection<RodNote> these) {
    lock.lock();
    try {
      notes.removeAll(these);
    } finally {
      lock.unlock();
    }
  }

  /** Writes the file; says why when it could not be done, or not now. */
  @Nullable String save() {
    try {
      if (!writing.tryLock(WRITE_WAIT_MILLIS, TimeUnit.MILLISECONDS)) {
        return "the disk does not answer";
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "interrupted";
    }
    try {
      Saved now;
      lock.lock();
      try {
        now = new Saved(new ArrayList<>(rods.values()), new ArrayList<>(notes));
      } finally {
        lock.unlock();
      }
      if (now.rods().isEmpty() && now.notes().isEmpty()) {
        Files.deleteIfExists(file);
      } else {
        Home.write(file, new String(Json.bytes(now), UTF_8) + "\n");
      }
      return null;
    } catch (IOException e) {
      LOG.warning(file + " was not written: " + e);
      return String.valueOf(e.getMessage());
    } finally {
      writing.unlock();
    }
  }
}
