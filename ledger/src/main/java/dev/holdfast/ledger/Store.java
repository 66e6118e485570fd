package dev.holdfast.ledger;

import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The port below the ledger: durable rows, and nothing that decides. Reads are thread-safe; {@link
 * #begin} and what it returns belong to the one writer thread. {@code StoreContract} is the suite
 * that every implementation passes.
 */
public interface Store extends AutoCloseable {

  /** Where a key stands. */
  record Head(long position, long revision, boolean deleted, String kind) {}

  /** One atomic, durable write of many entries. Confined to the writer thread. */
  interface Batch extends AutoCloseable {

    /** Position of the last entry, those of this batch included; 0 in an empty ledger. */
    long head() throws StoreException;

    /** Where the key stands, this batch included, or null when it was never written. */
    @Nullable Head head(String key) throws StoreException;

    /** The held lease of that key, this batch included, or null. */
    @Nullable Lease lease(String key) throws StoreException;

    /** Adds the entry; its position must be {@link #head()} + 1 and its revision the key's next. */
    void append(Entry entry, Payload envelope) throws StoreException;

    /** Adds a lease; a row for that key must not exist, and the store itself makes sure. */
    void grant(Lease lease) throws StoreException;

    /** Replaces the deadline of a lease that exists with the same epoch. */
    void renew(Lease lease) throws StoreException;

    /** Removes the lease of that key. */
    void end(String key) throws StoreException;

    /**
     * Makes everything durable; when this returns, it survives the loss of power.
     *
     * @throws StoreException when nothing of the batch was kept
     */
    void commit() throws StoreException;

    /** Drops what was not committed. Idempotent. */
    @Override
    void close();
  }

  /** Opens the only batch of the moment. */
  Batch begin() throws StoreException;

  /** Position of the last committed entry; 0 in an empty ledger. */
  long head() throws StoreException;

  /** See {@link Feed#read}. */
  List<Sealed> read(long after, int max) throws StoreException;

  /** See {@link Feed#snapshot}. */
  long snapshot(Consumer<Sealed> each) throws StoreException;

  /** The newest envelope of that key, deletions included, or null. */
  @Nullable Sealed latest(String key) throws StoreException;

  /** All held leases whose key starts with {@code prefix}, in order of key. */
  List<Lease> leases(String prefix) throws StoreException;

  /** Releases everything. Idempotent. */
  @Override
  void close();
}
