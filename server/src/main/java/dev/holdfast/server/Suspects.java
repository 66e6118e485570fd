package dev.holdfast.server;

import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Fold;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.logging.Logger;

/**
 * Remembers over the death of the process which entry it was applying. An entry that two processes
 * in a row died of is not applied by the third: its key keeps what it had, as with any entry that
 * cannot be read, and everything else goes on. For one follower's thread, and for rehearsals.
 *
 * <p>The position stands in a mapped file, which costs a few nanoseconds an entry and survives
 * SIGKILL and an exit for lack of memory, though not the end of the machine.
 */
final class Suspects {
  /** Deaths in a row of one entry after which it is left out; one may be a neighbour's fault. */
  static final long DEATHS_MAX = 2;

  private static final Logger LOG = Logger.getLogger(Suspects.class.getName());

  /** The thread on which the ledger tries what is about to be written. */
  private static final String REHEARSAL = "rehearsal";

  private static final int APPLYING = 0;
  private static final int SUSPECT = 8;
  private static final int DEATHS = 16;
  private static final int BYTES = 24;

  private final MappedByteBuffer memory;
  private final long quarantined;

  private Suspects(MappedByteBuffer memory) {
    this.memory = memory;
    long died = memory.getLong(APPLYING);
    if (died != 0) {
      long again = died == memory.getLong(SUSPECT) ? memory.getLong(DEATHS) + 1 : 1;
      memory.putLong(SUSPECT, died).putLong(DEATHS, again).putLong(APPLYING, 0);
      LOG.warning(
          "the process before this one died while it applied position %d (%d of %d)"
              .formatted(died, again, DEATHS_MAX));
    }
    quarantined = memory.getLong(DEATHS) >= DEATHS_MAX ? memory.getLong(SUSPECT) : 0;
  }

  /**
   * Reads what the process before left in that file, and begins to remember.
   *
   * @throws IOException when the file cannot be made or mapped
   */
  static Suspects open(Path file) throws IOException {
    try (var channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      return new Suspects(channel.map(MapMode.READ_WRITE, 0, BYTES));
    }
  }

  /** The same fold, which throws for the entry that processes die of. */
  <V> Fold<V> guard(Fold<V> fold) {
    return new Fold<>() {
      @Override
      public V start() {
        return fold.start();
      }

      @Override
      public V open() {
        return fold.open();
      }

      @Override
      public V settle(V open) {
        return fold.settle(open);
      }

      @Override
      public void readAhead(Entry entry) {
        fold.readAhead(entry);
      }

      @Override
      public boolean reads(String kind) {
        return fold.reads(kind);
      }

      @Override
      public V apply(V view, Entry entry) {
        if (entry.position() == quarantined) {
          throw new IllegalStateException(
              "%d processes in a row died while they applied it".formatted(DEATHS_MAX));
        }
        if (Thread.currentThread().getName().equals(REHEARSAL)) {
          return fold.apply(view, entry); // not written yet: another may get its position
        }
        memory.putLong(APPLYING, entry.position());
        var next = fold.apply(view, entry);
        memory.putLong(APPLYING, 0);
        return next;
      }

      @Override
      public boolean shows(V view, Entry entry) {
        return fold.shows(view, entry);
      }
    };
  }
}
