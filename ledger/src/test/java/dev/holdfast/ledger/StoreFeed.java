package dev.holdfast.ledger;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A feed right over a store, so that what was put in beneath the writer is seen, too. */
final class StoreFeed implements Feed {
  private final Store store;
  private @Nullable Beacon beacon;

  StoreFeed(Store store) {
    this.store = store;
  }

  @Override
  public long snapshot(Consumer<Sealed> each) throws StoreException {
    return store.snapshot(each);
  }

  @Override
  public List<Sealed> read(long after, int max) throws StoreException {
    return store.read(after, max);
  }

  @Override
  @SuppressWarnings("ReferenceEquality") // another one is news
  public long awaitBeyond(long position, Duration wait) throws InterruptedException {
    try {
      var known = beacon();
      for (long end = System.nanoTime() + wait.toNanos();
          store.head() <= position && known == beacon() && System.nanoTime() < end; ) {
        Thread.sleep(2);
      }
      return store.head();
    } catch (StoreException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Makes the next beacon, of everything that can be read entry by entry. */
  synchronized void beat() throws StoreException {
    var audit = new Audit();
    store.read(0, 1 << 20).forEach(audit::take);
    audit.at(store.head());
    beacon = new Beacon(store.head(), store.head(), audit.digests(), Instant.EPOCH);
  }

  @Override
  public synchronized @Nullable Beacon beacon() {
    return beacon;
  }
}
