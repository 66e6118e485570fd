package dev.holdfast.ledger;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
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

  /** How many keys of a kind are live, and how many are deleted. */
  record Count(String kind, long live, long deleted) {}

  /** How far a step of a compaction came, and how many entries it removed. */
  record Compacted(long reached, long removed) {}

  /** How far a store came: its head, and its floor. */
  record Progress(long head, long floor) {}

  /** One atomic, durable write of many entries. Confined to the writer thread. */
  interface Batch extends AutoCloseable {

    /**
     * A hint: which keys and leases will be asked for, so that a distant store can fetch them
     * together.
     */
    default void expect(Collection<String> keys, Collection<String> leases) throws StoreException {}

    /**
     * The clock that all who write here agree on, or null when there is one writer only, whose own
     * clock will do.
     */
    default @Nullable Instant now() throws StoreException {
      return null;
    }

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
     * Looks at the first {@code max} entries after {@code from} and up to {@code upTo}, removes
     * those that are not the newest of their key, and raises {@link Store#floor} to where it came.
     */
    Compacted compact(long from, long upTo, int max) throws StoreException;

    /**
     * Makes everything durable; when this returns, it survives the loss of power.
     *
     * @throws StoreException when nothing of the batch was kept, or when it says so: when it cannot
     *     be known
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

  /**
   * Tells this ledger from any other that has the same positions, one that was restored from its
   * own backup included.
   */
  String id() throws StoreException;

  /**
   * Position up to which entries may be missing because a later one of their key stands in for
   * them; 0 when everything is there.
   */
  long floor() throws StoreException;

  /** See {@link Feed#read}. Below {@link #floor} positions may be missing. */
  List<Sealed> read(long after, int max) throws StoreException;

  /**
   * The newest envelope of every key whose newest is beyond {@code after}, deletions included, at
   * most {@code max}, in order of position. A compaction changes nothing of what this answers.
   */
  List<Sealed> newest(long after, int max) throws StoreException;

  /** How many keys there are, by kind, in order of kind. Looks at all of them. */
  List<Count> counts() throws StoreException;

  /** See {@link Feed#snapshot}. */
  long snapshot(Consumer<Sealed> each) throws StoreException;

  /** The newest envelope of that key, deletions included, or null. */
  @Nullable Sealed latest(String key) throws StoreException;

  /** All held leases whose key starts with {@code prefix}, in order of key. */
  List<Lease> leases(String prefix) throws StoreException;

  /** Whether other processes write the same rows, so that {@link #head} moves by itself. */
  default boolean shared() {
    return false;
  }

  /**
   * Where a shared store stands, after waiting at most {@code wait} for a hint that somebody wrote.
   * The hint may never come; the answer is read afterwards and true. Belongs to one thread.
   *
   * @throws InterruptedException when the thread is asked to end
   */
  default Progress look(Duration wait) throws StoreException, InterruptedException {
    return new Progress(head(), floor());
  }

  /** Releases everything. Idempotent. */
  @Override
  void close();
}
