package dev.holdfast.store;

import dev.holdfast.ledger.Store;
import dev.holdfast.ledger.StoreException;
import java.nio.file.Path;

/** A store whose rows can be copied to a file, whatever they lie in. Reads are thread-safe. */
public sealed interface KeptStore extends Store permits PostgresStore, SqliteStore {

  /**
   * Writes a consistent copy as of one moment while writing goes on, as a {@link SqliteStore}'s
   * file, checks it as {@link SqliteStore#check} does, and flushes it; only then does it appear
   * under its name.
   *
   * @throws StoreException when the file exists already or the copy is not whole; no file is left
   */
  void backup(Path file) throws StoreException;
}
