package dev.holdfast.ledger;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A store in front of another, which keeps the writer waiting and breaks when told to. */
final class GateStore implements Store {
  private final Store store;
  private final Semaphore arrivals = new Semaphore(0);
  private volatile CountDownLatch gate = new CountDownLatch(0);
  private volatile @Nullable Error atCommit;
  private volatile @Nullable RuntimeException atClose;
  private volatile @Nullable String refusedKey;

  GateStore(Store store) {
    this.store = store;
  }

  /** From now on the writer waits at the beginning of a batch. */
  void shut() {
    gate = new CountDownLatch(1);
    arrivals.drainPermits();
  }

  void open() {
    gate.countDown();
  }

  /** Waits until the writer stands at the gate. */
  void awaitArrival() throws InterruptedException {
    if (!arrivals.tryAcquire(20, TimeUnit.SECONDS)) {
      throw new AssertionError("the writer did not come");
    }
  }

  void throwAtCommit(@Nullable Error error) {
    atCommit = error;
  }

  void throwAtClose(@Nullable RuntimeException failure) {
    atClose = failure;
  }

  void refuseKey(String key) {
    refusedKey = key;
  }

  @Override
  public Batch begin() throws StoreException {
    arrivals.release();
    try {
      gate.await();
    } catch (InterruptedException e) {
      throw new StoreException("interrupted", e);
    }
    return new GateBatch(store.begin());
  }

  @Override
  public long head() throws StoreException {
    return store.head();
  }

  @Override
  public String id() throws StoreException {
    return store.id();
  }

  @Override
  public long floor() throws StoreException {
    return store.floor();
  }

  @Override
  public List<Sealed> newest(long after, int max) throws StoreException {
    return store.newest(after, max);
  }

  @Override
  public List<Count> counts() throws StoreException {
    return store.counts();
  }

  @Override
  public List<Sealed> read(long after, int max) throws StoreException {
    return store.read(after, max);
  }

  @Override
  public long snapshot(Consumer<Sealed> each) throws StoreException {
    return store.snapshot(each);
  }

  @Override
  public @Nullable Sealed latest(String key) throws StoreException {
    return store.latest(key);
  }

  @Override
  public List<Lease> leases(String prefix) throws StoreException {
    return store.leases(prefix);
  }

  @Override
  public void close() {
    store.close();
  }

  private final class GateBatch implements Batch {
    private final Batch batch;

    GateBatch(Batch batch) {
      this.batch = batch;
    }

    @Override
    public long head() throws StoreException {
      return batch.head();
    }

    @Override
    public @Nullable Head head(String key) throws StoreException {
      return batch.head(key);
    }

    @Override
    public @Nullable Lease lease(String key) throws StoreException {
      return batch.lease(key);
    }

    @Override
    public void append(Entry entry, Payload envelope) throws StoreException {
      if (entry.key().equals(refusedKey)) {
        throw new StoreException("cannot take " + entry.key());
      }
      batch.append(entry, envelope);
    }

    @Override
    public void grant(Lease lease) throws StoreException {
      batch.grant(lease);
    }

    @Override
    public void renew(Lease lease) throws StoreException {
      batch.renew(lease);
    }

    @Override
    public void end(String key) throws StoreException {
      batch.end(key);
    }

    @Override
    public Compacted compact(long from, long upTo, int max) throws StoreException {
      return batch.compact(from, upTo, max);
    }

    @Override
    public void commit() throws StoreException {
      var error = atCommit;
      if (error != null) {
        throw error;
      }
      batch.commit();
    }

    @Override
    public void close() {
      batch.close();
      var failure = atClose;
      if (failure != null) {
        throw failure;
      }
    }
  }
}
