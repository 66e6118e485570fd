package dev.holdfast.server;

import dev.holdfast.ledger.Beacon;
import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Feed;
import dev.holdfast.ledger.Fold;
import dev.holdfast.ledger.Sealed;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/** Parts of an edge as they were before the outages; only {@link Undefended} leads here. */
final class Naive {
  private static final Logger LOG = Logger.getLogger(Naive.class.getName());
  private static final int RESTARTS_MAX = 3;
  private static final Duration RESTART_AFTER = Duration.ofSeconds(2);
  private static final int EXIT = 70; // sysexits.h: internal software error

  private Naive() {}

  /**
   * Heroku, June 2012: what cannot be read ends the part that reads, which is started again, reads
   * the same record and ends again; after three times in ten seconds its supervisor gives up, and
   * with it the router.
   */
  static <V> Fold<V> mortal(Fold<V> fold, Time time) {
    return new Fold<>() {
      @Override
      public V start() {
        return fold.start();
      }

      @Override
      public boolean reads(String kind) {
        return fold.reads(kind);
      }

      @Override
      @SuppressWarnings("CatchThrowable") // whatever it is, it is fatal
      public V apply(V view, Entry entry) {
        for (int restarts = 0; ; restarts++) {
          try {
            return fold.apply(view, entry);
          } catch (Throwable t) {
            LOG.log(Level.SEVERE, "died of position " + entry.position(), t);
            if (restarts == RESTARTS_MAX) {
              Runtime.getRuntime().halt(EXIT);
            }
            pause(time);
          }
        }
      }
    };
  }

  private static void pause(Time time) {
    try {
      time.sleep(RESTART_AFTER);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Nodejitsu, March 2013: a feed that never says what should have come of it. */
  record Deaf(Feed feed) implements Feed {
    @Override
    public long snapshot(Consumer<Sealed> each) throws StoreException {
      return feed.snapshot(each);
    }

    @Override
    public List<Sealed> read(long after, int max) throws StoreException {
      return feed.read(after, max);
    }

    @Override
    public long awaitBeyond(long position, Duration wait) throws InterruptedException {
      return feed.awaitBeyond(position, wait);
    }

    @Override
    public @Nullable Beacon beacon() {
      return null;
    }

    @Override
    public long oldest() {
      return feed.oldest();
    }
  }
}
