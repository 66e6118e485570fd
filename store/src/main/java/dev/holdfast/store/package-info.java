/**
 * The ledger's rows on an embedded SQLite file: one writer, a few readers, an acknowledgement means
 * that it is on disk.
 *
 * <p>Starting points: {@link dev.holdfast.store.SqliteStore} (the store, its backup and its check),
 * {@link dev.holdfast.store.HomeLock} (one process per home).
 */
@NullMarked
package dev.holdfast.store;

import org.jspecify.annotations.NullMarked;
